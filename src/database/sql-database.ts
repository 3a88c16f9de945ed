/** The Database over TypeORM: transactions with roles, retries and after-commit work, the same for both backends. */
import type { ClientBase } from 'pg';
import type { QueryRunner } from 'typeorm';
import { setTimeout as sleep } from 'node:timers/promises';
import { SimwardenError } from '../errors';
import type { Log } from '../runtime';
import type { Backend } from './backend';
import { Database, type PokeChannel, type Transaction, type TransactionOptions } from './database';
import { Partitions } from './partitions';
import { isWorthRetrying, toCatalogueError, type Budgets } from './sql-error';
import { OpenTransaction, openingStatement } from './transaction';

/** Migrations and partitions may wait for other processes' locks. */
const ownerStatementTimeoutMs = 600_000;
const defaultRetries = 3;
const longestCloseMs = 10_000;

/** TypeORM's own idea of whether a transaction is open, which it keeps in fields it doesn't export. */
interface RunnerState {
  isTransactionActive: boolean;
  transactionDepth: number;
  releasePostgresConnection(error?: Error): Promise<void>;
}

export class SqlDatabase extends Database {
  private readonly partitions = new Partitions(this);
  private readonly running = new Set<Promise<unknown>>();
  private closing: Promise<void> | null = null;

  constructor(
    private readonly backend: Backend,
    private readonly budgets: Budgets,
    private readonly log: Log,
    private readonly onStatement?: (sql: string, options: TransactionOptions) => void,
  ) {
    super();
  }

  get kind(): 'postgresql' | 'embedded' {
    return this.backend.kind;
  }

  async transaction<T>(options: TransactionOptions, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.closing) throw new SimwardenError('SHUTTING_DOWN');
    const run = this.runWithRetries(options, work);
    this.running.add(run);
    try {
      return await run;
    } finally {
      this.running.delete(run);
    }
  }

  onPoke(channel: PokeChannel, listener: () => void): () => void {
    return this.backend.pokes.on(channel, listener);
  }

  poke(channel: PokeChannel): void {
    this.backend.pokes.send(channel);
  }

  ensurePartitions(table: string, days: readonly string[]): Promise<void> {
    return this.partitions.ensure(table, days);
  }

  dropPartitions(table: string, before: string): Promise<string[]> {
    return this.partitions.drop(table, before);
  }

  /** Lets running transactions finish, for a while; a new one is refused with SHUTTING_DOWN. */
  close(): Promise<void> {
    this.closing ??= Promise.race([Promise.allSettled(this.running), sleep(longestCloseMs, undefined, { ref: false })]).then(() =>
      this.backend.close(),
    );
    return this.closing;
  }

  private async runWithRetries<T>(options: TransactionOptions, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const statementTimeoutMs =
      options.statementTimeoutMs ?? (options.role === 'owner' ? ownerStatementTimeoutMs : this.budgets.statementTimeoutMs);
    const opening = openingStatement(options, statementTimeoutMs);
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.attempt(options, opening, statementTimeoutMs, work);
      } catch (error) {
        if (!isWorthRetrying(error) || attempt >= (options.retries ?? defaultRetries)) {
          throw toCatalogueError(error, { ...this.budgets, statementTimeoutMs });
        }
        this.log.logger.debug({ transaction: options.name, attempt, err: error }, 'transaction is run again');
        await sleep(5 * 3 ** attempt);
      }
    }
  }

  private async attempt<T>(
    options: TransactionOptions,
    opening: string,
    statementTimeoutMs: number,
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T> {
    const runner = this.backend.dataSource.createQueryRunner('master');
    const connection = (await runner.connect()) as ClientBase;
    const transaction = new OpenTransaction(options, this.backend, runner, connection, this.onStatement);
    let result: T;
    try {
      this.backend.limitStatements(connection, statementTimeoutMs);
      await connection.query(opening);
      markTransaction(runner, true);
      result = await work(transaction);
      transaction.close();
      await commit(connection, options.name);
    } catch (error) {
      transaction.close();
      await this.rollBack(runner, connection);
      throw error;
    }
    await release(runner);
    transaction.announceCommit();
    return result;
  }

  private async rollBack(runner: QueryRunner, connection: ClientBase): Promise<void> {
    try {
      await connection.query('ROLLBACK');
      await release(runner);
    } catch (error) {
      // The connection is gone, and the transaction with it; the pool makes a new one.
      this.log.logger.debug({ err: error }, 'rollback on a lost connection');
      await release(runner, error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** COMMIT of a transaction in which a statement failed answers ROLLBACK without an error: that must not pass for stored. */
async function commit(connection: ClientBase, name: string): Promise<void> {
  const { command } = await connection.query('COMMIT');
  if (command !== 'COMMIT')
    throw new Error(`Transaction "${name}" was rolled back: one of its statements had failed and the error was swallowed.`);
}

/** Tells TypeORM that a transaction is open, so that its manager neither begins nor commits one of its own inside. */
function markTransaction(runner: QueryRunner, open: boolean): void {
  const state = runner as unknown as RunnerState;
  state.isTransactionActive = open;
  state.transactionDepth = open ? 1 : 0;
}

function release(runner: QueryRunner, error?: Error): Promise<void> {
  markTransaction(runner, false);
  return (runner as unknown as RunnerState).releasePostgresConnection(error);
}
