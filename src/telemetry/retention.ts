/** Forgets what is older than it is kept: partitions of records, hour roll-ups, quarantined rows, ledger rows. */
import { singleton } from 'tsyringe';
import { deleteAged } from '../database/aging';
import { Database } from '../database/database';
import { PokedLoop } from '../database/poked-loop';
import { Clock, Log } from '../runtime';
import { plainArray } from './array-literal';
import { DIALOGUE_RETAINED_DAYS } from './dialogues/dialogue-kind';
import { dayOf } from './hours';
import { DAY_MILLISECONDS, RETAINED_DAYS, recordKinds } from './record-kind';

/** Quarantine and the ledger: a batch can be repeated, and a bad row looked at, for this long. */
const QUARANTINED_DAYS = 30;
const POLL_MILLISECONDS = 3_600_000;
const PORTION_SIMS = 1_000;

/** Tables of tenants whose old rows are deleted: the column that tells their age, and their key. */
const AGING = [
  { table: 'quarantine', age: 'received_at', key: ['quarantine_id'], days: QUARANTINED_DAYS },
  { table: 'ingest_chunk', age: 'committed_at', key: ['source', 'kind', 'batch_key', 'chunk'], days: QUARANTINED_DAYS },
  { table: 'signaling_day', age: 'day', key: ['day'], days: DIALOGUE_RETAINED_DAYS },
  {
    table: 'signaling_quarter_hour',
    age: 'quarter',
    key: ['quarter', 'plmn', 'procedure', 'origin', 'outcome', 'protocol'],
    days: DIALOGUE_RETAINED_DAYS,
  },
] as const;
const DIALOGUE_TABLES = ['dialogue', 'dialogue_cell', 'dialogue_segment'] as const;

/** The client's hours go last: every hour of a fleet or a SIM is one of its client, so they tell whether the others have anything old. */
const AGING_HOURS = [
  { table: 'usage_fleet_hour', age: 'hour', key: ['fleet_id', 'hour'], days: RETAINED_DAYS },
  { table: 'usage_client_hour', age: 'hour', key: ['hour'], days: RETAINED_DAYS },
] as const;

@singleton()
export class TelemetryRetention {
  private readonly loop: PokedLoop;
  /** The day up to which everything was forgotten, so that a day's work is done once. */
  private done = '';

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.loop = new PokedLoop({
      name: 'retention',
      database,
      pollMilliseconds: POLL_MILLISECONDS,
      work: () => this.forget(),
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

  /** Several processes may do this at once: each deletes what it finds. */
  private async forget(): Promise<boolean> {
    const now = this.clock.now().getTime();
    const today = dayOf(now);
    if (this.done === today) return false;
    // The day in which the limit falls stays: records of its later hours are still taken.
    for (const kind of Object.values(recordKinds))
      await this.database.dropPartitions(kind.table, dayOf(now - RETAINED_DAYS * DAY_MILLISECONDS));
    for (const table of DIALOGUE_TABLES) await this.database.dropPartitions(table, dayOf(now - DIALOGUE_RETAINED_DAYS * DAY_MILLISECONDS));
    for (const clientId of await this.clientIds()) {
      for (const aging of AGING) await deleteAged(this.database, clientId, aging, new Date(now - aging.days * DAY_MILLISECONDS));
      await this.forgetHours(clientId, new Date(now - RETAINED_DAYS * DAY_MILLISECONDS));
    }
    this.done = today;
    return false;
  }

  private async clientIds(): Promise<number[]> {
    const rows = await this.database.transaction({ name: 'retention.clients', role: 'ingest', readOnly: true }, (tx) =>
      tx.query<{ client_id: number }>('SELECT client_id FROM client ORDER BY client_id'),
    );
    return rows.map((row) => row.client_id);
  }

  private async forgetHours(clientId: number, before: Date): Promise<void> {
    const [old] = await this.database.transaction({ name: 'retention.oldest', role: 'ingest', clientId, readOnly: true }, (tx) =>
      tx.query('SELECT hour FROM usage_client_hour WHERE client_id = $1 AND hour < $2 ORDER BY hour LIMIT 1', [clientId, before]),
    );
    if (!old) return;
    await this.deleteSimHours(clientId, before);
    for (const aging of AGING_HOURS) await deleteAged(this.database, clientId, aging, before);
  }

  /** By SIM, since a look for old hours would read all hours of all SIMs: nine thousand of each. */
  private async deleteSimHours(clientId: number, before: Date): Promise<void> {
    for (let after: string | null = '0'; after !== null;) {
      const from: string = after;
      after = await this.database.transaction({ name: 'retention.delete', role: 'ingest', clientId }, async (tx) => {
        const sims = await tx.query<{ sim_id: string }>(
          `SELECT sim_id FROM sim WHERE client_id = $1 AND sim_id > $2 ORDER BY sim_id LIMIT ${PORTION_SIMS}`,
          [clientId, from],
        );
        await tx.query('DELETE FROM usage_sim_hour WHERE client_id = $1 AND sim_id = ANY($2::int8[]) AND hour < $3', [
          clientId,
          plainArray(sims.map((sim) => sim.sim_id)),
          before,
        ]);
        return sims.length === PORTION_SIMS ? sims.at(-1)!.sim_id : null;
      });
    }
  }
}
