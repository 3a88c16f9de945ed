/** Opens the database that the configuration names, brings its schema up to date, and answers the one door to it. */
import type { DataSourceOptions } from 'typeorm';
import type { Log } from '../runtime';
import type { Backend } from './backend';
import type { Database, TransactionOptions } from './database';
import type { DirectoryLock } from './embedded/directory-lock';
import { connectEmbedded } from './embedded/embedded';
import { migrate, readMigrations, type Migration } from './migrations';
import { connectPostgresql } from './postgresql';
import { SqlDatabase } from './sql-database';
import { toCatalogueError } from './sql-error';

export interface OpenDatabaseOptions {
  /** PostgreSQL; absent: the embedded database. */
  readonly url?: string | null;
  /** Directory of the embedded database; held by one process at a time. */
  readonly dataDirectory?: string;
  /** The hold on that directory, where the caller has it already (to serve requests on its socket); it stays the caller's to release. */
  readonly directoryLock?: DirectoryLock;
  /** An embedded database that ends with the process: for tests. */
  readonly inMemory?: boolean;
  /** Entity classes of the slices. */
  readonly entities: NonNullable<DataSourceOptions['entities']>;
  readonly log: Log;
  /** Default 15,000. */
  readonly statementTimeoutMs?: number;
  /** How long to wait for a free session. Default 15,000. */
  readonly leaseTimeoutMs?: number;
  /** Connections to PostgreSQL. Default 10. */
  readonly poolSize?: number;
  /** Sees each statement before it runs; what it throws is the statement's error. For tests that hold statements to the rules of a cluster. */
  readonly onStatement?: (sql: string, options: TransactionOptions) => void;
}

export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const budgets = { statementTimeoutMs: options.statementTimeoutMs ?? 15_000, leaseTimeoutMs: options.leaseTimeoutMs ?? 15_000 };
  const migrations = readMigrations();
  const backend = await connect(options, migrations, budgets.leaseTimeoutMs).catch((error: unknown) => {
    throw toCatalogueError(error, budgets);
  });
  const database = new SqlDatabase(backend, budgets, options.log, options.onStatement);
  try {
    await migrate(database, migrations, options.log);
    await backend.afterMigrations(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

function connect(options: OpenDatabaseOptions, migrations: readonly Migration[], leaseTimeoutMs: number): Promise<Backend> {
  const { url, entities, log } = options;
  if (url) return connectPostgresql({ url, entities, log, leaseTimeoutMs, poolSize: options.poolSize ?? 10 });
  const directory = options.inMemory ? null : (options.dataDirectory ?? '.simwarden');
  return connectEmbedded({ directory, lock: options.directoryLock, entities, log, leaseTimeoutMs, migrations });
}
