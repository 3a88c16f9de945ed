/** Rows of work that fail by themselves: they wait, so that the client's other rows go on, and are tried again and again; the error says so each time. */
import type { Clock, Log } from '../../runtime';

const FIRST_WAIT_MILLISECONDS = 30_000;
const LONGEST_WAIT_MILLISECONDS = 600_000;

export class SetAside {
  private readonly rows = new Map<string, { failures: number; until: number }>();

  constructor(
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  put(clientId: number, queueId: string, error: unknown): void {
    const failures = (this.rows.get(queueId)?.failures ?? 0) + 1;
    const wait = Math.min(LONGEST_WAIT_MILLISECONDS, FIRST_WAIT_MILLISECONDS * 2 ** (failures - 1));
    this.rows.set(queueId, { failures, until: this.clock.now().getTime() + wait });
    this.log.logger.error(
      { err: error, worker: 'evaluation', clientId, queueId, failures, retryInMilliseconds: wait },
      'an evaluation fails by itself; it is set aside for a while, the rest of the client goes on',
    );
  }

  waiting(): string[] {
    const now = this.clock.now().getTime();
    return [...this.rows].filter(([, { until }]) => until > now).map(([queueId]) => queueId);
  }

  /** They are done. */
  remove(queueIds: readonly string[]): void {
    for (const queueId of queueIds) this.rows.delete(queueId);
  }

  /** Nothing waits any more. */
  forget(): void {
    this.rows.clear();
  }
}
