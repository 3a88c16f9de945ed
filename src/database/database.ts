/** The one door to storage: short transactions under a database role, the same on PostgreSQL and on the embedded database. */
import type { EntityManager } from 'typeorm';
import type { TakeRow } from './copy-out';

/**
 * `tenant` sees the rows of one client, `operator` those of all, `ingest` writes telemetry and runs the workers;
 * `owner` is for migrations and partitions only (row-level security is forced on it too).
 */
export type DatabaseRole = 'owner' | 'tenant' | 'operator' | 'ingest';

export interface TransactionOptions {
  /** Dotted name of the step, for logs, metrics and fault tests: `ingest.chunk`, `evaluation.raise`. */
  readonly name: string;
  readonly role: DatabaseRole;
  /** The client that the transaction speaks for. Required for `tenant`; give it whenever the transaction stays in one client. */
  readonly clientId?: number;
  readonly readOnly?: boolean;
  /** How often the work is run again after a serialisation failure or deadlock (40001, 40P01). Default 3. */
  readonly retries?: number;
  /** Milliseconds that a statement may take before it is cancelled with a clear error. Default: the configuration's. */
  readonly statementTimeoutMs?: number;
}

/** Names of the pokes that wake workers in every process. A poke is a hint; polling is the truth. */
export type PokeChannel = 'evaluation' | 'event_pending' | 'event_log' | 'outbox' | 'access' | 'backtest';

export interface Transaction {
  readonly role: DatabaseRole;
  readonly clientId: number | undefined;
  /**
   * Runs one statement and answers its rows. Types are equal on both databases: int8, numeric → string; int4, float8 → number;
   * timestamptz → Date; date → 'YYYY-MM-DD'; jsonb → parsed; bytea → Buffer; uuid, text → string; arrays → arrays of these.
   * Pass int8 as string or bigint, timestamptz as Date, jsonb as JSON.stringify'd text with a ::jsonb cast, arrays as JS arrays with a cast.
   */
  query<Row extends object = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** TypeORM's manager on the same connection and transaction. */
  readonly manager: EntityManager;
  /** Bulk load in PostgreSQL's binary COPY format; answers the number of rows. Of pieces, each may be overwritten when the next is asked for. */
  copyBinary(table: string, columns: readonly string[], data: Uint8Array | Iterable<Uint8Array>): Promise<number>;
  /**
   * Bulk read in PostgreSQL's binary COPY format, a call per row as it arrives; the format's header stands before the first row, its trailer comes in a
   * call of its own. COPY takes no parameters: numbers and days stand in the SELECT itself, checked by the caller. The embedded database holds the
   * whole answer in memory, so ask for a page.
   */
  copyOut(select: string, take: TakeRow): Promise<void>;
  /** Wakes the workers of this channel, here and in other processes, once the transaction has committed. */
  poke(channel: PokeChannel): void;
  /** Runs after the commit, never after a rollback; must not throw. */
  afterCommit(action: () => void): void;
}

export abstract class Database {
  abstract readonly kind: 'postgresql' | 'embedded';
  /** Runs `work` in one transaction; commits when it resolves, rolls back when it throws. Not re-entrant: `work` uses only the transaction it is given. */
  abstract transaction<T>(options: TransactionOptions, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Calls `listener` on every poke of the channel, from any process; answers the function that ends it. */
  abstract onPoke(channel: PokeChannel, listener: () => void): () => void;
  abstract poke(channel: PokeChannel): void;
  /** Creates the day's partitions of the telemetry tables where they are missing. Idempotent, safe under concurrency. */
  abstract ensurePartitions(table: string, days: readonly string[]): Promise<void>;
  /** Drops the partitions of days before this one ('YYYY-MM-DD'); answers their names. What can't be locked soon is left for the next call. */
  abstract dropPartitions(table: string, before: string): Promise<string[]>;
  abstract close(): Promise<void>;
}
