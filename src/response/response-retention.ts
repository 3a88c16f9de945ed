/** Forgets messages that left long ago, and the answers kept for repeated requests. */
import { singleton } from 'tsyringe';
import { deleteAged } from '../database/aging';
import { Database } from '../database/database';
import { PokedLoop } from '../database/poked-loop';
import { Clock, Log } from '../runtime';

const DAY_MILLISECONDS = 86_400_000;
const POLL_MILLISECONDS = 3_600_000;

const AGING = [
  // What is still owed has no finished_at, and stays however old it is.
  { table: 'outbox', age: 'finished_at', key: ['message_id'], only: "state <> 'PENDING'", days: 90 },
  // Told to callers in the descriptions of `idempotencyKey`.
  { table: 'idempotency', age: 'created_at', key: ['operation', 'key'], days: 7 },
] as const;

@singleton()
export class ResponseRetention {
  private readonly loop: PokedLoop;
  /** The day on which everything was forgotten, so that a day's work is done once. */
  private done = '';

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.loop = new PokedLoop({
      name: 'response retention',
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

  private async forget(): Promise<boolean> {
    const now = this.clock.now();
    const today = now.toISOString().slice(0, 10);
    if (this.done === today) return false;
    const clients = await this.database.transaction({ name: 'retention.clients', role: 'ingest', readOnly: true }, (tx) =>
      tx.query<{ client_id: number }>('SELECT client_id FROM client ORDER BY client_id'),
    );
    // The operator's own requests are kept under client 0.
    for (const clientId of new Set([0, ...clients.map((row) => row.client_id)]))
      for (const { days, ...aging } of AGING)
        await deleteAged(this.database, clientId, aging, new Date(now.getTime() - days * DAY_MILLISECONDS));
    this.done = today;
    return false;
  }
}
