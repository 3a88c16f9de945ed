/** Computes and stores the features of a client's day: read, pass over in a thread, replace page by page, and note what they were computed from. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { FEATURE_COUNT } from '../../detector';
import { Clock } from '../../runtime';
import { addDays, type Day } from '../days';
import { ClientTurns, type Turn } from '../evaluation/client-turns';
import { DialogueGroup, readDialogues, type SimBucket } from './dialogue-reader';
import type { DayFeatures } from './day-features';
import { MONTH_DAYS } from './feature-month';
import { advanceMonths } from './month-store';
import { PassThread } from './pass-thread';
import { replacePage } from './replace-page';

/**
 * Dialogues in memory at once: 20 bytes each, 16 more while they are sorted. Smaller clients are read together, a larger one's SIMs in buckets. On a
 * day without an index each reading passes over all dialogues of all clients: as few as memory allows.
 */
const DIALOGUES_AT_ONCE = { postgresql: 64_000_000, embedded: 4_000_000 } as const;
/** SIMs replaced in one transaction; on the embedded database everybody else waits for its end. */
const PAGE_SIMS = { postgresql: 10_000, embedded: 200 } as const;
/** Pages of 30-day sums that are moved on in one transaction: at most so many SIMs. */
const MONTH_PAGES = { postgresql: 40, embedded: 1 } as const;
const LAST_SIM = '9223372036854775807';
const WRITE_MILLISECONDS = 120_000;

/** A client's day with dialogues, as the ingest counted it. */
export interface SignalingDay {
  readonly clientId: number;
  readonly day: Day;
  /** Rises with every chunk that adds dialogues. */
  readonly changes: string;
  /** Repeats included. */
  readonly dialogues: number;
  /** Milliseconds since the epoch. */
  readonly lastReceivedAt: number;
}

export interface FeatureOutcome {
  readonly clients: number;
  readonly sims: number;
  readonly dialogues: number;
}

@singleton()
export class FeatureRun {
  constructor(
    private readonly database: Database,
    private readonly thread: PassThread,
    private readonly turns: ClientTurns,
    private readonly clock: Clock,
  ) {}

  /** Brings the features of a day up to date: every client (or this one) whose dialogues changed since they were computed. Those of the others stay. */
  async compute(day: Day, clientId?: number): Promise<FeatureOutcome> {
    const due = (await this.readDue()).filter((each) => each.day === day && (clientId === undefined || each.clientId === clientId));
    let sum: FeatureOutcome = { clients: 0, sims: 0, dialogues: 0 };
    for (const group of this.groupsOf(due)) {
      const dialogues = this.together(group);
      for (const each of group) {
        const outcome = await this.computeClient(each, dialogues);
        if (outcome) sum = { clients: sum.clients + 1, sims: sum.sims + outcome.sims, dialogues: sum.dialogues + outcome.dialogues };
      }
    }
    return sum;
  }

  /** Neighbours of one day whose dialogues fit into memory together. */
  groupsOf(due: readonly SignalingDay[]): SignalingDay[][] {
    const groups: SignalingDay[][] = [];
    let room = 0;
    for (const each of due) {
      const group = groups.at(-1);
      if (group && group[0]!.day === each.day && each.dialogues <= room) group.push(each);
      else groups.push([each]);
      room = (groups.at(-1) === group ? room : DIALOGUES_AT_ONCE[this.database.kind]) - each.dialogues;
    }
    return groups;
  }

  /** Where a group's clients take their dialogues from. */
  together(group: readonly SignalingDay[]): DialogueGroup {
    return new DialogueGroup(this.database, group[0]!.day, group);
  }

  /** Days whose dialogues changed since their features were computed, earliest first. An operator-wide read of one row per client and day. */
  readDue(): Promise<SignalingDay[]> {
    return this.database.transaction({ name: 'features.due', role: 'ingest', readOnly: true }, async (tx) => {
      const rows = await tx.query<{ client_id: number; day: Day; changes: string; dialogues: string; last_received_at: Date }>(
        `SELECT client_id, day, changes, dialogues, last_received_at FROM signaling_day
          WHERE NOT EXISTS (SELECT 1 FROM feature_day WHERE feature_day.client_id = signaling_day.client_id AND feature_day.day = signaling_day.day
                               AND feature_day.changes >= signaling_day.changes)
          ORDER BY day, client_id`,
      );
      return rows.map((row) => ({
        clientId: row.client_id,
        day: row.day,
        changes: row.changes,
        dialogues: Number(row.dialogues),
        lastReceivedAt: row.last_received_at.getTime(),
      }));
    });
  }

  /** Undefined where another process is at it, or has done it. */
  computeClient(due: SignalingDay, together: DialogueGroup): Promise<FeatureOutcome | undefined> {
    return this.turns.take('features', due.clientId, (turn) => this.underTurn(due, together, turn));
  }

  stop(): Promise<void> {
    return this.thread.stop();
  }

  private async underTurn(due: SignalingDay, together: DialogueGroup, turn: Turn): Promise<FeatureOutcome | undefined> {
    const { clientId, day } = due;
    await this.database.ensurePartitions('sim_feature_day', [day]);
    const { windowStart, blocked, isDone } = await this.read(due);
    if (isDone) return undefined;
    const buckets = Math.max(1, Math.ceil(due.dialogues / DIALOGUES_AT_ONCE[this.database.kind]));
    let sims = 0;
    let dialogues = 0;
    for (let remainder = 0; remainder < buckets; remainder++) {
      const bucket = { of: buckets, remainder };
      const packed =
        buckets === 1 ? await together.take(clientId) : (await readDialogues(this.database, [due], day, bucket)).get(clientId)!;
      const simIds = packed.sortSims();
      const { words, sims: simOfRow, rows } = packed;
      const features = await this.thread.compute({ words, sims: simOfRow, rows, simCount: simIds.length });
      await this.replace(due, bucket, { simIds, features, blocked, windowStart }, turn);
      sims += simIds.length;
      dialogues += features.dialogues.reduce((sum, count) => sum + count, 0);
    }
    await this.advance(clientId, windowStart, turn);
    await this.write(clientId, turn, (tx) => this.finish(tx, due, sims, dialogues));
    return { clients: 1, sims, dialogues };
  }

  /** The 30-day window ends with the latest day that was ever computed; the SIMs that we blocked; and whether somebody was faster. */
  private read({ clientId, day, changes }: SignalingDay): Promise<{ windowStart: Day; blocked: ReadonlySet<number>; isDone: boolean }> {
    return this.database.transaction({ name: 'features.client', role: 'ingest', clientId, readOnly: true }, async (tx) => {
      const done = await tx.query('SELECT 1 FROM feature_day WHERE client_id = $1 AND day = $2 AND changes >= $3', [
        clientId,
        day,
        changes,
      ]);
      const [latest] = await tx.query<{ day: Day | null }>('SELECT max(day) AS day FROM feature_day WHERE client_id = $1', [clientId]);
      const blocked = await tx.query<{ sim_id: string }>(
        `SELECT sim_id FROM sim WHERE client_id = $1 AND block_state IN ('BLOCKING', 'BLOCKED', 'UNBLOCKING')`,
        [clientId],
      );
      const windowEnd = latest?.day && latest.day > day ? latest.day : day;
      return {
        windowStart: addDays(windowEnd, 1 - MONTH_DAYS),
        blocked: new Set(blocked.map((row) => Number(row.sim_id))),
        isDone: done.length > 0,
      };
    });
  }

  private async replace({ clientId, day }: SignalingDay, bucket: SimBucket, computed: Computed, turn: Turn): Promise<void> {
    const { simIds, features, blocked, windowStart } = computed;
    const computedAt = this.clock.now();
    const size = PAGE_SIMS[this.database.kind];
    let after = '0';
    // One page at least: what an earlier computation stored beyond the last SIM goes with it.
    for (let from = 0; from === 0 || from < simIds.length; from += size) {
      const to = Math.min(simIds.length, from + size);
      const through = to === simIds.length ? LAST_SIM : String(simIds[to - 1]!);
      const page = {
        simIds: Array.from(simIds.subarray(from, to)),
        countries: features.countries.slice(from, to),
        dialogues: features.dialogues.subarray(from, to),
        blockedByUs: Uint8Array.from(simIds.subarray(from, to), (simId) => (blocked.has(simId) ? 1 : 0)),
        values: features.values.subarray(from * FEATURE_COUNT, to * FEATURE_COUNT),
      };
      const range = { after, through };
      await this.write(clientId, turn, (tx) => replacePage(tx, { clientId, day, bucket, ...range, page, windowStart, computedAt }));
      after = through;
    }
  }

  /** SIMs that were silent on the day: what leaves their window is taken out too. */
  private async advance(clientId: number, windowStart: Day, turn: Turn): Promise<void> {
    const limit = MONTH_PAGES[this.database.kind];
    for (let after: number | null = -1; after !== null;) {
      const from: number = after;
      after = await this.write(clientId, turn, (tx) => advanceMonths(tx, clientId, from, windowStart, limit));
    }
  }

  private async finish(tx: Transaction, { clientId, day, changes }: SignalingDay, sims: number, dialogues: number): Promise<void> {
    await tx.query(
      `INSERT INTO feature_day (client_id, day, changes, sims, dialogues, computed_at) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (client_id, day) DO UPDATE SET changes = EXCLUDED.changes, sims = EXCLUDED.sims, dialogues = EXCLUDED.dialogues,
                                                  computed_at = EXCLUDED.computed_at`,
      [clientId, day, changes, sims, dialogues, this.clock.now()],
    );
  }

  private write<T>(clientId: number, turn: Turn, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction(
      { name: 'features.store', role: 'ingest', clientId, statementTimeoutMs: WRITE_MILLISECONDS },
      async (tx) => {
        await turn.mustHold(tx);
        return work(tx);
      },
    );
  }
}

interface Computed {
  readonly simIds: Float64Array;
  readonly features: DayFeatures;
  readonly blocked: ReadonlySet<number>;
  readonly windowStart: Day;
}
