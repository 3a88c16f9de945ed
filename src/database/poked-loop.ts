/** A worker's heart: runs its work when poked and every so often, never twice at once, and backs off while it fails. */
import type { Log } from '../runtime';
import type { Database, PokeChannel } from './database';

export interface PokedLoopOptions {
  /** For the log: `evaluation`. */
  readonly name: string;
  readonly database: Database;
  /** Absent: nothing pokes it, the clock alone wakes it. */
  readonly channel?: PokeChannel;
  /** Pokes may be lost, so work is looked for this often anyway. */
  readonly pollMilliseconds: number;
  /** Does one portion of what is due; true where there may be more. */
  readonly work: () => Promise<boolean>;
  readonly log: Log;
}

const firstBackOffMilliseconds = 100;
const longestBackOffMilliseconds = 30_000;
/** How soon a poke brings the next try after a failure: something may have been mended, but a storm of pokes must not make it spin. */
const pokedBackOffMilliseconds = 1_000;

export class PokedLoop {
  /** Every run waits for the one before it. */
  private tail: Promise<unknown> = Promise.resolve();
  private started = false;
  private stopping = false;
  private waiting = false;
  private failures = 0;
  private timer: NodeJS.Timeout | null = null;
  /** A poke shortened the back-off that runs: the next ones don't put it off again. */
  private hurried = false;
  private unsubscribe: (() => void) | null = null;

  constructor(private readonly options: PokedLoopOptions) {}

  start(): void {
    if (this.started) return;
    this.started = true;
    this.stopping = false;
    const { database, channel } = this.options;
    this.unsubscribe = channel === undefined ? null : database.onPoke(channel, () => this.wake());
    this.wake();
  }

  /** Resolves when the portion at work, if any, is done. */
  async stop(): Promise<void> {
    this.started = false;
    this.stopping = true;
    this.unsubscribe?.();
    this.unsubscribe = null;
    if (this.timer) clearTimeout(this.timer);
    await this.tail;
    this.stopping = false;
  }

  /** Does everything that is due now; a failure of the work is thrown. */
  drain(): Promise<void> {
    return this.afterTail(() => this.workUntilDone());
  }

  private wake(): void {
    // While one run is already waiting for its turn, that one will see the new work.
    if (!this.started || this.waiting) return;
    if (this.failures > 0) return this.hurry();
    this.waiting = true;
    void this.afterTail(() => this.runOnce());
  }

  private async runOnce(): Promise<void> {
    this.waiting = false;
    if (!this.started) return;
    try {
      await this.workUntilDone();
      this.failures = 0;
      this.wakeIn(this.options.pollMilliseconds);
    } catch (error) {
      const delay = Math.min(longestBackOffMilliseconds, firstBackOffMilliseconds * 2 ** this.failures++);
      this.options.log.logger.error(
        { err: error, worker: this.options.name, retryInMilliseconds: delay },
        'work failed; it is tried again',
      );
      this.hurried = delay <= pokedBackOffMilliseconds;
      this.wakeIn(delay);
    }
  }

  private hurry(): void {
    if (this.hurried) return;
    this.hurried = true;
    this.wakeIn(pokedBackOffMilliseconds);
  }

  private wakeIn(milliseconds: number): void {
    if (!this.started) return;
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.waiting = true;
      void this.afterTail(() => this.runOnce());
    }, milliseconds).unref();
  }

  private async workUntilDone(): Promise<void> {
    while (!this.stopping && (await this.options.work()));
  }

  private afterTail(run: () => Promise<void>): Promise<void> {
    const result = this.tail.then(run);
    this.tail = result.catch(() => undefined);
    return result;
  }
}
