/** One operation's view of storage: a lazily opened read transaction, writes of their own, loaders; all ended with the operation. */
import type { Database, Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import type { Clock, Entropy, Log } from '../runtime';
import { isOperator, type Caller } from './caller';
import { LoaderCache, type GraphqlContext, type LoaderDefinition } from './context';
import { ReadBudget, ReadSession } from './read-session';

/** What every operation of a process shares. */
export interface OperationServices {
  readonly database: Database;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Milliseconds that all statements of one operation's reads may take together; default 5,000. */
  readonly readBudgetMilliseconds?: number;
}

const READ_BUDGET_MILLISECONDS = 5_000;

interface OpenWrite {
  readonly transaction: Promise<Transaction>;
}

export class OperationContext implements GraphqlContext {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly requestId: string;
  private loaders = new LoaderCache();
  private session: ReadSession | null = null;
  private openWrite: OpenWrite | null = null;
  private ended = false;
  private abandoned: SimwardenError | null = null;
  private readonly budget: ReadBudget;

  /** `name`: dotted name of its transactions, for logs and metrics. */
  constructor(
    private readonly services: OperationServices,
    readonly caller: Caller,
    private readonly name: string,
  ) {
    this.clock = services.clock;
    this.entropy = services.entropy;
    this.requestId = services.entropy.uuid();
    this.budget = new ReadBudget(services.readBudgetMilliseconds ?? READ_BUDGET_MILLISECONDS);
  }

  /** While a write is open, reads run inside it: they see it, and the embedded database has no second session. */
  async read<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.openWrite) return work(await this.openWrite.transaction);
    if (this.abandoned) throw this.abandoned;
    if (this.ended) throw new Error(`read after the end of operation ${this.requestId}`);
    if (this.session?.broken) {
      const broken = this.session;
      this.session = null;
      await this.endSession(broken);
      return this.read(work);
    }
    this.budget.mustHaveSome();
    this.session ??= this.openSession();
    return this.session.run(work);
  }

  async write<T>(name: string, clientId: number, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.openWrite) throw new Error(`${name}: a write is open in this operation already`);
    if (!isOperator(this.caller) && clientId !== this.caller.clientId) {
      throw new Error(`${name}: a caller of client ${this.caller.clientId} may not write for client ${clientId}`);
    }
    let opened!: (transaction: Transaction) => void;
    let refused!: (error: unknown) => void;
    const transaction = new Promise<Transaction>((resolve, reject) => ([opened, refused] = [resolve, reject]));
    transaction.catch(() => undefined); // nobody may be waiting for it; the write itself throws the error
    this.openWrite = { transaction };
    try {
      await this.endReads();
      return await this.services.database.transaction({ name, role: this.databaseRole(), clientId }, (current) => {
        opened(current);
        this.openWrite = { transaction: Promise.resolve(current) };
        return work(current);
      });
    } catch (error) {
      refused(error);
      throw error;
    } finally {
      this.openWrite = null;
      this.loaders = new LoaderCache();
    }
  }

  load<Key, Value>(loader: LoaderDefinition<Key, Value>, key: Key): Promise<Value | null> {
    return this.loaders.load(loader, key, this);
  }

  /** Ends the read transaction and refuses further reads. Safe to call twice. */
  async end(): Promise<void> {
    this.ended = true;
    await this.endReads();
  }

  /** The client hung up: nothing more is read for it. A write that has begun goes on. Safe to call at any time. */
  async abandon(): Promise<void> {
    if (this.ended) return;
    this.abandoned = new SimwardenError('BAD_REQUEST', { what: 'The client hung up before it was answered.' });
    this.session?.abandon(this.abandoned);
    await this.end();
  }

  private openSession(): ReadSession {
    const { caller } = this;
    const options = {
      name: `${this.name}.read`,
      role: this.databaseRole(),
      ...(isOperator(caller) ? {} : { clientId: caller.clientId }),
      readOnly: true,
      retries: 0,
      statementTimeoutMs: this.budget.milliseconds,
    };
    return new ReadSession(this.services.database, options, this.budget);
  }

  private async endReads(): Promise<void> {
    const session = this.session;
    this.session = null;
    if (session) await this.endSession(session);
  }

  /** A read transaction that can't be closed cleanly has answered its reads all the same: log it, no more. */
  private async endSession(session: ReadSession): Promise<void> {
    try {
      await session.end();
    } catch (error) {
      this.services.log.logger.warn({ err: error, requestId: this.requestId }, 'a read transaction did not close cleanly');
    }
  }

  private databaseRole(): 'operator' | 'tenant' {
    return isOperator(this.caller) ? 'operator' : 'tenant';
  }
}
