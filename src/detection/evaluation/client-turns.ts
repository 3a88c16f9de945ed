/** One evaluation of a client at a time: a lease between processes, a queue within one, and a check at every commit that the turn still stands. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { keepLease, releaseLease, takeLease } from '../../database/lease';
import { Clock, Entropy } from '../../runtime';

/** A turn is kept by each commit; a process that died gives it up after this long. */
const TURN_MILLISECONDS = 60_000;

/** Another process took the turn: what this one computed may be stale and must not be committed. */
export class TurnLostError extends Error {
  constructor(name: string) {
    super(`the lease ${name} was taken by another process; the evaluation is dropped and done by that one`);
    this.name = 'TurnLostError';
  }
}

export class Turn {
  constructor(
    private readonly name: string,
    private readonly holder: string,
    private readonly clock: Clock,
  ) {}

  /** Call first in every transaction that commits verdicts: it prolongs the turn, or throws. */
  async mustHold(tx: Transaction): Promise<void> {
    const until = new Date(this.clock.now().getTime() + TURN_MILLISECONDS);
    if (!(await keepLease(tx, this.name, this.holder, until))) throw new TurnLostError(this.name);
  }
}

@singleton()
export class ClientTurns {
  private readonly tails = new Map<string, Promise<unknown>>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  /** Runs the work when the turn is ours; undefined where another process has it. `job`: `evaluation` or `day-close`. */
  take<T>(job: string, clientId: number, work: (turn: Turn) => Promise<T>): Promise<T | undefined> {
    const name = `${job}:${clientId}`;
    const before = this.tails.get(name) ?? Promise.resolve();
    const result = before.then(() => this.underLease(name, clientId, work));
    const tail = result.catch(() => undefined);
    this.tails.set(name, tail);
    void tail.then(() => {
      if (this.tails.get(name) === tail) this.tails.delete(name);
    });
    return result;
  }

  private async underLease<T>(name: string, clientId: number, work: (turn: Turn) => Promise<T>): Promise<T | undefined> {
    const holder = this.entropy.uuid();
    const options = { role: 'ingest', clientId } as const;
    const now = this.clock.now();
    const taken = await this.database.transaction({ name: 'evaluation.turn', ...options }, (tx) =>
      takeLease(tx, name, holder, new Date(now.getTime() + TURN_MILLISECONDS), now),
    );
    if (!taken) return undefined;
    try {
      return await work(new Turn(name, holder, this.clock));
    } finally {
      await this.database.transaction({ name: 'evaluation.turnOver', ...options }, (tx) => releaseLease(tx, name, holder));
    }
  }
}
