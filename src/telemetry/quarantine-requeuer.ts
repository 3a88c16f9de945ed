/** Stores the records that were held for SIMs which are registered now: at once when they are registered, and by a worker that makes up for a kill between. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../database/database';
import { PokedLoop } from '../database/poked-loop';
import { SimRegistrationListener, type RegisteredSim } from '../fleet';
import { Clock, Entropy, Log } from '../runtime';
import { plainArray, textArray } from './array-literal';
import { DialogueRequeuer } from './dialogues/dialogue-requeuer';
import { dayOf } from './hours';
import { Owners } from './owners';
import { isRowError, rowError, type RowError } from './parsing/column';
import { readObject } from './parsing/rows';
import { quarantine, unreadable, unstorable, type Quarantined } from './quarantine';
import { recordKinds, type KindName, type RecordKind, type TelemetryRecord } from './record-kind';
import { storeRecords, type OwnedRecord } from './record-store';
import { advanceWatermark } from './watermarks';

/** A held row and what it is now. */
interface Held {
  readonly clientId: number;
  readonly id: string;
  readonly source: string;
  readonly kind: RecordKind;
  readonly batch: string;
  readonly line: number;
  readonly content: TelemetryRecord | RowError;
  readonly given: Readonly<Record<string, string>>;
}

interface HeldRow {
  client_id: number;
  quarantine_id: string;
  source: string;
  kind: KindName;
  batch_key: string;
  line: string;
  record: Record<string, string>;
}

const PAGE_ROWS = 1000;
const PAGE_ICCIDS = 1000;
const POLL_MILLISECONDS = 30_000;

@singleton()
export class QuarantineRequeuer extends SimRegistrationListener {
  private readonly loop: PokedLoop;
  /** Where the worker's walk through the held ICCIDs stands; null: at the beginning. */
  private walkedTo: { readonly clientId: number; readonly iccid: string } | null = null;

  constructor(
    private readonly database: Database,
    private readonly dialogues: DialogueRequeuer,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
    log: Log,
  ) {
    super();
    // Registrations call directly; the channel only has to be one that is seldom used.
    this.loop = new PokedLoop({
      name: 'quarantine',
      database,
      pollMilliseconds: POLL_MILLISECONDS,
      work: async () => {
        const more = await this.walkOn();
        return (await this.dialogues.walkOn()) || more;
      },
      log,
    });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  drain(): Promise<void> {
    return this.loop.drain();
  }

  override async simsRegistered(sims: readonly RegisteredSim[]): Promise<void> {
    // Held by the operator (nobody's SIM then) or by the SIM's own client, whose key sent it too early.
    const clientIds = [...new Set([0, ...sims.map((sim) => sim.clientId)])];
    await this.requeue(
      clientIds,
      sims.map((sim) => sim.iccid),
    );
  }

  /** Stores what is held in these clients' quarantines for these ICCIDs and has an owner now; answers how many rows were settled. */
  async requeue(clientIds: readonly number[], iccids: readonly string[]): Promise<number> {
    let settled = await this.dialogues.requeueSims(clientIds, iccids);
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const rows = await this.heldRows(clientIds, iccids, after);
      if (rows.length === 0) return settled;
      after = rows.at(-1)!.quarantine_id;
      settled += await this.settle(rows.map((row) => this.reread(row)));
    }
  }

  private heldRows(clientIds: readonly number[], iccids: readonly string[], after: string): Promise<HeldRow[]> {
    return this.database.transaction({ name: 'quarantine.held', role: 'ingest', readOnly: true }, (tx) =>
      tx.query<HeldRow>(
        `SELECT client_id, quarantine_id, source, kind, batch_key, line, record FROM quarantine
          WHERE client_id = ANY($1::int4[]) AND iccid = ANY($2::text[]) AND state = 'HELD' AND code = 'UNKNOWN_SIM' AND quarantine_id > $3
          ORDER BY quarantine_id LIMIT ${PAGE_ROWS}`,
        [plainArray(clientIds), textArray(iccids), after],
      ),
    );
  }

  /** What is held reads back as the record that it was, unless it has become too old meanwhile. */
  private reread(row: HeldRow): Held {
    const kind = recordKinds[row.kind];
    const { content, error } = readObject(kind, row.record, this.clock.now().getTime());
    return {
      clientId: row.client_id,
      id: row.quarantine_id,
      source: row.source,
      kind,
      batch: row.batch_key,
      line: Number(row.line),
      content: content ?? error!,
      given: row.record,
    };
  }

  /** First the records in their owner's transaction, then their rows here in theirs: a kill between stores them again, which changes nothing. */
  private async settle(held: readonly Held[]): Promise<number> {
    const owners = await this.database.transaction({ name: 'quarantine.owners', role: 'ingest', readOnly: true }, (tx) =>
      Owners.of(
        tx,
        held.flatMap(({ content }) => (isRowError(content) ? [] : [content])),
      ),
    );
    const groups = new Map<string, { readonly clientId: number; readonly held: Held[]; readonly records: OwnedRecord[] }>();
    const settled: Held[] = [];
    for (const row of held) {
      const { content } = row;
      if (isRowError(content)) {
        settled.push(row);
        continue;
      }
      const owner = owners.find(content);
      if (!owner || (row.clientId !== 0 && row.clientId !== owner.clientId)) continue;
      const name = `${owner.clientId} ${row.kind.name} ${row.source}`;
      const group = groups.get(name) ?? { clientId: owner.clientId, held: [], records: [] };
      groups.set(name, group);
      group.held.push(row);
      group.records.push({ simId: owner.simId, record: content });
      settled.push(row);
    }
    for (const group of groups.values()) await this.store(group.clientId, group.held, group.records);
    await this.markSettled(settled);
    return settled.length;
  }

  private async store(clientId: number, held: readonly Held[], records: readonly OwnedRecord[]): Promise<void> {
    const { kind, source } = held[0]!;
    await this.database.ensurePartitions(kind.table, [...new Set(records.map(({ record }) => dayOf(record.startedAt)))]);
    await this.database.transaction({ name: 'quarantine.requeue', role: 'ingest', clientId }, async (tx) => {
      const now = this.clock.now();
      const outcomes = await storeRecords(tx, { clientId, source, now, entropy: this.entropy, reason: 'REQUEUE' }, kind, records);
      // While they were held they spoke for nobody's feed.
      await advanceWatermark(tx, { clientId, source, kind: kind.name, now }, Math.max(...records.map(({ record }) => record.endedAt)));
      for (const [batch, conflicts] of groupBy(
        held.filter((_, i) => outcomes[i] === 'CONFLICT'),
        (row) => row.batch,
      )) {
        await quarantine(
          tx,
          { clientId, source, kind: kind.name, batch, now, entropy: this.entropy },
          conflicts.map((row) => unstorable(kind, row.line, row.content as TelemetryRecord, rowError('CONFLICTING_RECORD'))),
        );
      }
    });
  }

  private async markSettled(rows: readonly Held[]): Promise<void> {
    for (const [clientId, own] of groupBy(rows, (row) => row.clientId)) {
      await this.database.transaction({ name: 'quarantine.settled', role: 'ingest', clientId }, async (tx) => {
        const now = this.clock.now();
        await this.holdUnreadable(tx, clientId, own, now);
        await tx.query(
          `UPDATE quarantine SET state = 'REQUEUED', resolved_at = $3 WHERE client_id = $1 AND quarantine_id = ANY($2::uuid[]) AND state = 'HELD'`,
          [clientId, plainArray(own.map((row) => row.id)), now],
        );
      });
    }
  }

  /** What can't be stored any more stays in quarantine under its new reason. */
  private async holdUnreadable(tx: Transaction, clientId: number, rows: readonly Held[], now: Date): Promise<void> {
    for (const row of rows) {
      if (!isRowError(row.content)) continue;
      const bytes = Buffer.from(JSON.stringify(row.given));
      const bad: Quarantined = unreadable({ line: row.line, bytes, given: row.given }, row.content);
      await quarantine(tx, { clientId, source: row.source, kind: row.kind.name, batch: row.batch, now, entropy: this.entropy }, [bad]);
    }
  }

  /** One page of held ICCIDs; true where there are more. */
  private async walkOn(): Promise<boolean> {
    const { clientId, iccid } = this.walkedTo ?? { clientId: -1, iccid: '' };
    const page = await this.database.transaction({ name: 'quarantine.walk', role: 'ingest', readOnly: true }, (tx) =>
      tx.query<{ client_id: number; iccid: string }>(
        `SELECT DISTINCT client_id, iccid FROM quarantine
          WHERE state = 'HELD' AND code = 'UNKNOWN_SIM' AND iccid IS NOT NULL AND (client_id, iccid) > ($1, $2)
          ORDER BY client_id, iccid LIMIT ${PAGE_ICCIDS}`,
        [clientId, iccid],
      ),
    );
    for (const [held, rows] of groupBy(page, (row) => row.client_id))
      await this.requeueKnown(
        held,
        rows.map((row) => row.iccid),
      );
    const last = page.at(-1);
    this.walkedTo = last && page.length === PAGE_ICCIDS ? { clientId: last.client_id, iccid: last.iccid } : null;
    return this.walkedTo !== null;
  }

  private async requeueKnown(clientId: number, iccids: readonly string[]): Promise<void> {
    const known = await this.database.transaction({ name: 'quarantine.known', role: 'ingest', readOnly: true }, (tx) =>
      tx.query<{ value: string }>(
        `SELECT DISTINCT value FROM directory WHERE kind = 'ICCID' AND value = ANY($1::text[]) AND ($2::int4 = 0 OR client_id = $2)`,
        [textArray(iccids), clientId],
      ),
    );
    if (known.length > 0)
      await this.requeue(
        [clientId],
        known.map((row) => row.value),
      );
  }
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
