/** Keeps one client's trouble from holding up the others: after a failure it waits, longer each time, and the failure is logged. */
import type { Clock, Log } from '../../runtime';

const FIRST_WAIT_MILLISECONDS = 200;
const LONGEST_WAIT_MILLISECONDS = 60_000;

export class BackOff {
  private readonly waiting = new Map<number, { failures: number; until: number }>();
  private firstFailure: { readonly error: unknown } | null = null;

  constructor(
    private readonly worker: string,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Runs the work unless the client still waits; false too where it failed. `failures`: how often in a row it failed before. */
  async attempt(clientId: number, work: (failures: number) => Promise<boolean>): Promise<boolean> {
    const waits = this.waiting.get(clientId);
    if (waits && waits.until > this.clock.now().getTime()) return false;
    try {
      const worked = await work(waits?.failures ?? 0);
      this.waiting.delete(clientId);
      return worked;
    } catch (error) {
      const failures = (waits?.failures ?? 0) + 1;
      const wait = Math.min(LONGEST_WAIT_MILLISECONDS, FIRST_WAIT_MILLISECONDS * 2 ** (failures - 1));
      this.waiting.set(clientId, { failures, until: this.clock.now().getTime() + wait });
      this.remember(error);
      this.log.logger.error(
        { err: error, worker: this.worker, clientId, failures, retryInMilliseconds: wait },
        'evaluation failed; it is tried again',
      );
      return false;
    }
  }

  /** Nobody waits any more; who failed again and again is still known. */
  letGo(): void {
    for (const client of this.waiting.values()) client.until = 0;
    this.firstFailure = null;
  }

  /** For `throwFirst`. */
  remember(error: unknown): void {
    this.firstFailure ??= { error };
  }

  throwFirst(): void {
    if (this.firstFailure) throw this.firstFailure.error;
  }
}
