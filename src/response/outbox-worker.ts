/** Carries messages out of the process: claims by lease row and commits, sends with no transaction open, records the result in a new one. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database/database';
import { PokedLoop } from '../database/poked-loop';
import type { Clock, Entropy, Log } from '../runtime';
import { backoffMilliseconds } from './backoff';
import type { DeliveryResult, OutboxHandler, OutboxMessage, Settlement } from './outbox';
import { claimHeads, clientsDue, recordEnd, recordRetry } from './outbox-claim';

export interface OutboxWorkerOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly handlers: readonly OutboxHandler[];
  /** After so many attempts a message is DEAD and frees its order key. Default 10: about two and a half hours. */
  readonly maxAttempts?: number;
  /** How long a claim holds before another process may take the message. Default 60,000. */
  readonly leaseMilliseconds?: number;
  /** How long one attempt may take; shorter than the lease, so that an order key stays in order. Default 30,000. */
  readonly attemptMilliseconds?: number;
  /** Messages sent at once by this process. Default 16. */
  readonly slots?: number;
  /** Default 1,000. */
  readonly pollMilliseconds?: number;
}

/** Part of what the lease leaves after an attempt in which its end is waited for; the rest is for recording it. */
const OVERTIME_SHARE = 0.75;

/** The attempt is no longer ours: its lease ended and another worker has it. Rolls the recording back. */
class ClaimLost extends Error {}

export class OutboxWorker {
  private readonly worker: string;
  private readonly handlers: ReadonlyMap<string, OutboxHandler>;
  private readonly inHand = new Map<string, Promise<void>>();
  private readonly loop: PokedLoop;
  private finished = 0;
  private stopping = new AbortController();

  constructor(private readonly options: OutboxWorkerOptions) {
    this.worker = options.entropy.uuid();
    this.handlers = new Map(options.handlers.map((handler) => [handler.topic, handler]));
    this.loop = new PokedLoop({
      name: 'outbox',
      database: options.database,
      channel: 'outbox',
      pollMilliseconds: options.pollMilliseconds ?? 1_000,
      work: () => this.claimAndSend(),
      log: options.log,
    });
  }

  start(): void {
    this.stopping = new AbortController();
    this.loop.start();
  }

  /** Claims nothing more and waits until what is being sent is recorded. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop.stop();
    await Promise.all(this.inHand.values());
  }

  /** Sends all that is due now, and what became due by it. */
  async drain(): Promise<void> {
    for (;;) {
      const finishedBefore = this.finished;
      await this.loop.drain();
      // What was recorded meanwhile may have freed the next of its order key.
      if (this.inHand.size === 0 && this.finished === finishedBefore) return;
      await Promise.all(this.inHand.values());
    }
  }

  private async claimAndSend(): Promise<boolean> {
    const { database, clock, slots = 16, leaseMilliseconds = 60_000 } = this.options;
    const due = await database.transaction({ name: 'outbox.due', role: 'ingest', readOnly: true }, (transaction) =>
      clientsDue(transaction, clock.now()),
    );
    let claimedAny = false;
    for (const clientId of due) {
      const limit = slots - this.inHand.size;
      if (limit <= 0) return false;
      const messages = await database.transaction({ name: 'outbox.claim', role: 'ingest', clientId }, (transaction) => {
        const now = clock.now();
        return claimHeads(transaction, {
          clientId,
          topics: [...this.handlers.keys()],
          worker: this.worker,
          now,
          until: new Date(now.getTime() + leaseMilliseconds),
          // A fair share, so that one client's backlog doesn't take every slot.
          limit: Math.max(1, Math.ceil(limit / due.length)),
          inHand: [...this.inHand.keys()],
        });
      });
      for (const message of messages) this.send(message);
      claimedAny ||= messages.length > 0;
    }
    return claimedAny;
  }

  private send(message: OutboxMessage): void {
    const sent = this.deliverAndRecord(message)
      // The row stays claimed and is sent again when its lease ends.
      .catch((error: unknown) =>
        this.options.log.logger.error({ err: error, message: message.messageId }, 'the result of an outbox message could not be recorded'),
      )
      .finally(() => {
        this.inHand.delete(message.messageId);
        this.finished++;
        this.options.database.poke('outbox');
      });
    this.inHand.set(message.messageId, sent);
  }

  private async deliverAndRecord(message: OutboxMessage): Promise<void> {
    const result = await this.attempt(message);
    try {
      await this.record(message, result);
    } catch (error) {
      if (error instanceof ClaimLost) {
        this.options.log.logger.warn({ message: message.messageId }, 'an outbox message took longer than its lease; another worker has it');
        return;
      }
      this.options.log.logger.error(
        { err: error, message: message.messageId, topic: message.topic },
        'an outbox message was sent, but its handler failed to settle it',
      );
      await this.recordUnsettled(message, error);
    }
  }

  /**
   * An attempt whose time is over is told so by its signal. A handler that doesn't listen may still carry the message out: nothing else of the order
   * key may overtake it, so its end is waited for while the lease lasts. What it answers then is as good as an answer in time.
   */
  private async attempt(message: OutboxMessage): Promise<DeliveryResult> {
    const { attemptMilliseconds = 30_000, leaseMilliseconds = 60_000 } = this.options;
    const overtime = Math.max(0, (leaseMilliseconds - attemptMilliseconds) * OVERTIME_SHARE);
    const signal = AbortSignal.timeout(attemptMilliseconds);
    const ended = new AbortController();
    const tooLate = sleep(attemptMilliseconds + overtime, undefined, { signal: ended.signal, ref: false });
    const stopped = new Promise<void>((resolve) => {
      const stop = this.stopping.signal;
      // The process ends, and with it an attempt whose time was over anyway.
      const giveUp = (): void => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }));
      if (stop.aborted) giveUp();
      else stop.addEventListener('abort', giveUp, { once: true, signal: ended.signal });
    });
    const unanswered: DeliveryResult = { outcome: 'RETRY', error: 'no answer in time' };
    const delivered = async (): Promise<DeliveryResult> => this.handlers.get(message.topic)!.deliver(message, signal);
    try {
      return await Promise.race([delivered(), Promise.race([tooLate, stopped]).then(() => unanswered)]);
    } catch (error) {
      if (signal.aborted) return unanswered;
      return { outcome: 'RETRY', error: error instanceof Error ? error.message : String(error) };
    } finally {
      ended.abort();
      tooLate.catch(() => undefined);
    }
  }

  private async record(message: OutboxMessage, result: DeliveryResult): Promise<void> {
    const { database, clock, entropy, maxAttempts = 10 } = this.options;
    await database.transaction({ name: 'outbox.settle', role: 'ingest', clientId: message.clientId }, async (transaction) => {
      const now = clock.now();
      if (result.outcome === 'RETRY' && message.attempts < maxAttempts) {
        await recordRetry(
          transaction,
          message,
          this.worker,
          result.error,
          new Date(now.getTime() + backoffMilliseconds(message.attempts, entropy)),
        );
        return;
      }
      const settlement: Settlement =
        result.outcome === 'DELIVERED'
          ? { state: 'SENT', detail: result.detail ?? null }
          : { state: 'DEAD', error: result.error, refused: result.outcome === 'REFUSED' };
      // The handler's subject is locked before the outbox row, as in every other transaction: no deadlock between a result and a release.
      await this.handlers.get(message.topic)!.settled(transaction, message, settlement);
      const error = result.outcome === 'DELIVERED' ? null : result.error;
      if (!(await recordEnd(transaction, message, this.worker, settlement.state, error, now))) throw new ClaimLost();
    });
  }

  /** The handler could not take the result: counts as a failed attempt, so that it neither spins nor holds its key for ever. */
  private async recordUnsettled(message: OutboxMessage, error: unknown): Promise<void> {
    const { database, clock, entropy, maxAttempts = 10 } = this.options;
    const reason = `could not be settled: ${error instanceof Error ? error.message : String(error)}`;
    await database.transaction({ name: 'outbox.unsettled', role: 'ingest', clientId: message.clientId }, async (transaction) => {
      const now = clock.now();
      if (message.attempts >= maxAttempts) await recordEnd(transaction, message, this.worker, 'DEAD', reason, now);
      else
        await recordRetry(
          transaction,
          message,
          this.worker,
          reason,
          new Date(now.getTime() + backoffMilliseconds(message.attempts, entropy)),
        );
    });
  }
}
