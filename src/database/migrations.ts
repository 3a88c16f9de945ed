/** Brings the schema up to date: SQL files in the order of their names, each in a transaction of its own, forward only. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SimwardenError } from '../errors';
import type { Log } from '../runtime';
import type { Database, Transaction } from './database';
import { sqlState } from './sql-error';

export interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/** The files beside this one, in src as in dist. */
export function readMigrations(directory = join(__dirname, 'migrations')): Migration[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const sql = readFileSync(join(directory, file), 'utf8');
      return { name: file.slice(0, -'.sql'.length), sql, sha256: createHash('sha256').update(sql).digest('hex') };
    });
}

/** One hash over all of them: the name of a schema's version, for seed images and template databases. */
export function migrationsHash(migrations: readonly Migration[]): string {
  return createHash('sha256')
    .update(migrations.map(({ name, sha256 }) => `${name} ${sha256}\n`).join(''))
    .digest('hex')
    .slice(0, 16);
}

/** Applies what is missing; several processes may do so at once, they wait for each other. Answers the names that were applied here. */
export async function migrate(database: Database, migrations: readonly Migration[], log: Log): Promise<string[]> {
  await createLedger(database);
  const stored = await database.transaction({ name: 'migrate.read', role: 'owner', readOnly: true }, appliedMigrations);
  refuseForeignHistory(stored, migrations);
  const appliedHere: string[] = [];
  for (const migration of migrations.filter(({ name }) => !stored.has(name))) {
    if (await apply(database, migration)) {
      appliedHere.push(migration.name);
      log.logger.info({ migration: migration.name }, 'migration applied');
    }
  }
  return appliedHere;
}

async function createLedger(database: Database): Promise<void> {
  try {
    await database.transaction({ name: 'migrate.ledger', role: 'owner' }, (transaction) =>
      transaction.query(`CREATE TABLE IF NOT EXISTS schema_migration (
        name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT schema_migration_pk PRIMARY KEY (name))`),
    );
  } catch (error) {
    // Two processes that create a table at once: the later one fails although IF NOT EXISTS was said.
    if (!['23505', '42P07', '42710'].includes(sqlState(error) ?? '')) throw error;
  }
}

async function appliedMigrations(transaction: Transaction): Promise<Map<string, string>> {
  const rows = await transaction.query<{ name: string; sha256: string }>('SELECT name, sha256 FROM schema_migration');
  return new Map(rows.map(({ name, sha256 }) => [name, sha256]));
}

function refuseForeignHistory(stored: ReadonlyMap<string, string>, migrations: readonly Migration[]): void {
  for (const [name, sha256] of stored) {
    const migration = migrations.find((known) => known.name === name);
    if (!migration) throw new SimwardenError('SCHEMA_TOO_NEW', { name });
    if (migration.sha256 !== sha256) throw new SimwardenError('MIGRATION_CHANGED', { name });
  }
}

/** False where another process had applied it in the meantime. */
function apply(database: Database, migration: Migration): Promise<boolean> {
  return database.transaction({ name: `migrate.${migration.name}`, role: 'owner' }, async (transaction) => {
    await transaction.query('LOCK TABLE schema_migration IN SHARE ROW EXCLUSIVE MODE');
    const stored = (await appliedMigrations(transaction)).get(migration.name);
    if (stored === migration.sha256) return false;
    if (stored !== undefined) throw new SimwardenError('MIGRATION_CHANGED', { name: migration.name });
    await transaction.query(migration.sql);
    await transaction.query('INSERT INTO schema_migration (name, sha256) VALUES ($1, $2)', [migration.name, migration.sha256]);
    return true;
  });
}
