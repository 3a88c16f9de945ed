/** Gives the dialogues of a day their index once the day is over and quiet: kept up while they come in, it would cost most of the rate. */
import { singleton } from 'tsyringe';
import { Database } from '../../database/database';
import { partitionName } from '../../database/partitions';
import { PokedLoop } from '../../database/poked-loop';
import { Clock, Log } from '../../runtime';
import { DAY_MILLISECONDS } from '../record-kind';

const POLL_MILLISECONDS = 600_000;
/** After its end a day has this long for what comes late, as days have that usage closes. */
const LATE_MILLISECONDS = 6 * 3_600_000;
/** Nothing came for this long. */
const QUIET_MILLISECONDS = 1_800_000;
/** A day that is never quiet gets its index at noon. */
const NOON_MILLISECONDS = 12 * 3_600_000;

@singleton()
export class DialogueDayCloser {
  private readonly loop: PokedLoop;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.loop = new PokedLoop({ name: 'dialogue days', database, pollMilliseconds: POLL_MILLISECONDS, work: () => this.closeOne(), log });
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

  /** True where there may be more. */
  private async closeOne(): Promise<boolean> {
    const now = this.clock.now().getTime();
    const day = (await this.openDays()).find(({ day: text, last_received_at: last }) => {
      const overFor = now - (Date.parse(text) + DAY_MILLISECONDS);
      return overFor >= NOON_MILLISECONDS || (overFor >= LATE_MILLISECONDS && now - last.getTime() >= QUIET_MILLISECONDS);
    });
    if (!day) return false;
    await this.index(day.day, new Date(now));
    return true;
  }

  /** Over all clients, so this is one of the few fan-outs. */
  private openDays(): Promise<{ day: string; last_received_at: Date }[]> {
    return this.database.transaction({ name: 'dialogues.openDays', role: 'ingest', readOnly: true }, (tx) =>
      tx.query<{ day: string; last_received_at: Date }>(
        `SELECT day, max(last_received_at) AS last_received_at FROM signaling_day
          WHERE day NOT IN (SELECT day FROM dialogue_indexed_day) GROUP BY day ORDER BY day`,
      ),
    );
  }

  /** Another process that does the same waits at the day's row, and finds it done. */
  private async index(day: string, now: Date): Promise<void> {
    await this.database.ensurePartitions('dialogue', [day]);
    await this.database.transaction({ name: 'dialogues.index', role: 'owner' }, async (tx) => {
      const claimed = await tx.query(
        'INSERT INTO dialogue_indexed_day (day, indexed_at) VALUES ($1, $2) ON CONFLICT (day) DO NOTHING RETURNING day',
        [day, now],
      );
      const leaf = partitionName('dialogue', day);
      if (claimed.length > 0) await tx.query(`CREATE INDEX IF NOT EXISTS ${leaf}_sim ON ${leaf} (client_id, sim_id, started_at)`);
    });
  }
}
