/** A transaction that stays open between calls: opened at once, shared by readers, ended when told. */
import type { Database, Transaction, TransactionOptions } from '../database/database';
import { SimwardenError } from '../errors';

/** Thrown into the transaction to roll it back after one of its statements failed; PostgreSQL would refuse every further one. */
class StatementFailed extends Error {}

/** What the statements of one operation may take together: however many fields it has, it gives the session back. */
export class ReadBudget {
  private spent = 0;

  constructor(readonly milliseconds: number) {}

  /** Runs a statement at the budget's expense; throws STATEMENT_TIMEOUT where nothing is left. */
  async spend<T>(statement: () => Promise<T>): Promise<T> {
    this.mustHaveSome();
    const started = performance.now();
    try {
      return await statement();
    } finally {
      this.spent += performance.now() - started;
    }
  }

  mustHaveSome(): void {
    if (this.spent >= this.milliseconds) throw new SimwardenError('STATEMENT_TIMEOUT', { milliseconds: this.milliseconds });
  }
}

export class ReadSession {
  /** A statement failed: the transaction is being rolled back, and readers need another session. */
  broken = false;
  private readonly transaction: Promise<Transaction>;
  private readonly closed: Promise<void>;
  private finish: (failure?: StatementFailed) => void = () => undefined;
  private ending = false;
  private abandoned: SimwardenError | null = null;
  private readers = 0;
  private idle: () => void = () => undefined;
  private tail: Promise<unknown> = Promise.resolve();

  constructor(
    database: Database,
    options: TransactionOptions,
    private readonly budget: ReadBudget,
  ) {
    let opened!: (transaction: Transaction) => void;
    let refused!: (error: unknown) => void;
    this.transaction = new Promise<Transaction>((resolve, reject) => ([opened, refused] = [resolve, reject]));
    this.transaction.catch(() => (this.broken = true));
    this.closed = database.transaction(options, (transaction) => {
      const finished = new Promise<void>((resolve, reject) => {
        this.finish = (failure) => (failure === undefined ? resolve() : reject(failure));
      });
      opened(this.inTurns(transaction));
      return finished;
    });
    this.closed.catch(refused);
  }

  async run<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    this.readers += 1;
    try {
      return await work(await this.transaction);
    } finally {
      this.readers -= 1;
      if (this.readers === 0) this.idle();
    }
  }

  /** Waits for the readers that are at work, then ends the transaction. */
  async end(): Promise<void> {
    this.ending = true;
    if (this.readers > 0 && !this.broken) await new Promise<void>((resolve) => (this.idle = resolve));
    // Opening may still be under way, or may have failed: readers were told of a failure, so it ends here.
    const opened = await this.transaction.then(
      () => true,
      () => false,
    );
    if (!opened) return;
    this.finish();
    await this.closed.catch((error: unknown) => {
      if (!(error instanceof StatementFailed)) throw error;
    });
  }

  /** Statements of concurrent readers take turns on the one connection; readers may therefore nest. */
  private inTurns(transaction: Transaction): Transaction {
    const turn = <T>(statement: () => Promise<T>): Promise<T> => {
      if (this.broken) return Promise.reject(this.abandoned ?? new StatementFailed('the read transaction was rolled back'));
      const result = this.tail.then(() => {
        this.mustBeWanted();
        return this.budget.spend(statement);
      });
      this.tail = result.then(
        () => undefined,
        () => this.breakOff(),
      );
      return result;
    };
    return new Proxy(transaction, {
      get: (target, property) => {
        if (property === 'query') return (sql: string, parameters?: readonly unknown[]) => turn(() => target.query(sql, parameters));
        const value: unknown = Reflect.get(target, property);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  /** Nobody waits for the answer any more: what isn't running yet never runs. */
  abandon(reason: SimwardenError): void {
    this.abandoned = reason;
    this.breakOff();
  }

  private mustBeWanted(): void {
    if (this.abandoned) throw this.abandoned;
  }

  private breakOff(): void {
    this.broken = true;
    this.finish(new StatementFailed('a statement of the read transaction failed'));
    if (this.ending) this.idle();
  }
}
