/** Keeps the daily features up to date: at the close of a day, and again when late dialogues arrive; forgets old ones. */
import { singleton } from 'tsyringe';
import { Database } from '../../database/database';
import { PokedLoop } from '../../database/poked-loop';
import { Clock, Log } from '../../runtime';
import { BackOff } from '../evaluation/back-off';
import { addDays, dayOf, endOfDay, HOUR_MILLISECONDS } from '../days';
import { FeatureRun, type SignalingDay } from './feature-run';

const POLL_MILLISECONDS = 60_000;
/** A day that the client's close doesn't name is over by now: the noon at which days close with a source late. */
const NOON_AFTER_MILLISECONDS = 12 * HOUR_MILLISECONDS;
/** A batch under way is waited for, or each of its chunks would have the day computed again. */
const QUIET_MILLISECONDS = 60_000;
/** Clients at once: while one's features are computed, others' are stored. On the embedded database everybody would only wait longer. */
const CLIENTS_AT_ONCE = { postgresql: 3, embedded: 1 } as const;
/** Longer than the raw dialogues (62 days) and the 30 days before the earliest of these, from which sums are corrected. */
const KEPT_DAYS = 93;

@singleton()
export class FeatureWorker {
  private readonly loop: PokedLoop;
  private readonly backOff: BackOff;
  private stopping = false;
  private forgotten = '';

  constructor(
    private readonly database: Database,
    private readonly run: FeatureRun,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.backOff = new BackOff('features', clock, log);
    this.loop = new PokedLoop({ name: 'features', database, pollMilliseconds: POLL_MILLISECONDS, work: () => this.work(true), log });
  }

  start(): void {
    this.stopping = false;
    this.loop.start();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
    await this.run.stop();
  }

  /** Computes every day that is over and whose dialogues changed, without waiting for quiet. Throws the first failure, once the other clients had their turn. */
  async drain(): Promise<void> {
    this.backOff.letGo();
    await this.work(false);
    this.backOff.throwFirst();
  }

  /** Earliest days first, so that sums of 30 days move forward only. Never more to do at once: what came meanwhile is due at the next poll. */
  private async work(waitForQuiet: boolean): Promise<boolean> {
    for (const group of this.run.groupsOf(await this.due(waitForQuiet))) {
      await this.computeGroup(group);
      if (this.stopping) return false;
    }
    await this.forget();
    return false;
  }

  private async computeGroup(group: readonly SignalingDay[]): Promise<void> {
    const dialogues = this.run.together(group);
    const waiting = [...group];
    const computeNext = async (): Promise<void> => {
      for (let due = waiting.shift(); due !== undefined && !this.stopping; due = waiting.shift()) {
        const next = due;
        await this.backOff.attempt(next.clientId, async () => (await this.run.computeClient(next, dialogues)) !== undefined);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS_AT_ONCE[this.database.kind] }, computeNext));
  }

  private async due(waitForQuiet: boolean): Promise<SignalingDay[]> {
    const changed = await this.run.readDue();
    if (changed.length === 0) return changed;
    const now = this.clock.now().getTime();
    const closed = await this.closedDays(changed[0]!.day);
    return changed.filter(({ clientId, day, lastReceivedAt }) => {
      const over = closed.has(`${clientId} ${day}`) || now >= endOfDay(day) + NOON_AFTER_MILLISECONDS;
      return over && (!waitForQuiet || now - lastReceivedAt >= QUIET_MILLISECONDS);
    });
  }

  /** An operator-wide read: one row per client and day. */
  private async closedDays(from: string): Promise<ReadonlySet<string>> {
    const rows = await this.database.transaction({ name: 'features.closed', role: 'ingest', readOnly: true }, (tx) =>
      tx.query<{ client_id: number; day: string }>('SELECT client_id, day FROM day_close WHERE day >= $1', [from]),
    );
    return new Set(rows.map((row) => `${row.client_id} ${row.day}`));
  }

  private async forget(): Promise<void> {
    const today = dayOf(this.clock.now());
    if (this.forgotten === today) return;
    await this.database.dropPartitions('sim_feature_day', addDays(today, -KEPT_DAYS));
    this.forgotten = today;
  }
}
