/** A migrated database of its own for each test file: on PostgreSQL a copy of a template, else an embedded one in memory. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import pino from 'pino';
import type { Database } from '../../src/database/database';
import { migrationsHash, readMigrations } from '../../src/database/migrations';
import { openDatabase, type OpenDatabaseOptions } from '../../src/database/open';
import { Log } from '../../src/runtime';
import { refuseBrokenRules } from './statement-rules';

export interface TestDatabase {
  readonly database: Database;
  /** Connection URL on PostgreSQL, null on the embedded database. For tests that need a second process or an outside connection. */
  readonly url: string | null;
  close(): Promise<void>;
}

/** Says only what must not happen in a test: warnings go nowhere unless SIMWARDEN_TEST_LOG names a level. */
export const testLog: Log = new (class extends Log {
  readonly logger = pino({ level: process.env['SIMWARDEN_TEST_LOG'] ?? 'silent' }, pino.destination(2));
})();

export const testServerUrl = process.env['TEST_DATABASE_URL'] ?? null;

/** Its statements must keep to the rules of a cluster; a test about the database itself passes `onStatement: undefined`. */
export async function openTestDatabase(options: Partial<OpenDatabaseOptions> = {}): Promise<TestDatabase> {
  const common = {
    entities: [],
    log: testLog,
    statementTimeoutMs: 30_000,
    leaseTimeoutMs: 30_000,
    poolSize: 5,
    onStatement: refuseBrokenRules,
    ...options,
  };
  if (testServerUrl === null) {
    const database = await openDatabase({ inMemory: true, ...common });
    return { database, url: null, close: () => database.close() };
  }
  const { url, drop } = await createTestDatabase(testServerUrl);
  const database = await openDatabase({ ...common, url });
  return {
    database,
    url,
    close: async () => {
      await database.close();
      await drop();
    },
  };
}

/** A migrated PostgreSQL database without rows; the caller drops it. */
export async function createTestDatabase(serverUrl: string): Promise<{ url: string; drop: () => Promise<void> }> {
  return createEmptyDatabase(serverUrl, await ensureTemplate(serverUrl));
}

/** A PostgreSQL database that is a copy of the template: by default one without any schema. */
export async function createEmptyDatabase(serverUrl: string, template = 'template1'): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `simwarden_test_${Math.trunc(Date.now() / 1000)}_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  return {
    url: databaseUrl(serverUrl, name),
    drop: () => onServer(serverUrl, async (client) => void (await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))),
  };
}

/** The template of this version of the schema, made by whichever test process comes first. */
async function ensureTemplate(serverUrl: string): Promise<string> {
  const name = `simwarden_template_${migrationsHash(readMigrations())}`;
  await onServer(serverUrl, async (client) => {
    // Released with the connection, so a killed test run leaves no lock behind.
    await client.query('SELECT pg_advisory_lock(hashtext($1))', ['simwarden test template']);
    await dropForgotten(client);
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount) return;
    // Built under another name and renamed when whole: a template that exists is complete.
    const draft = `${name}_draft`;
    await client.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${draft}`);
    const database = await openDatabase({ url: databaseUrl(serverUrl, draft), entities: [], log: testLog, poolSize: 2 });
    await database.close();
    await client.query(`ALTER DATABASE ${draft} RENAME TO ${name}`);
  });
  return name;
}

/** Databases of test runs that were killed more than an hour ago. */
async function dropForgotten(client: Client): Promise<void> {
  const { rows } = await client.query<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname ~ '^simwarden_test_\\d+_' AND split_part(datname, '_', 3)::int8 < extract(epoch FROM now()) - 3600
     AND NOT EXISTS (SELECT 1 FROM pg_stat_activity activity WHERE activity.datname = pg_database.datname)`,
  );
  for (const { datname } of rows) await client.query(`DROP DATABASE IF EXISTS ${datname}`);
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.toString();
}

async function onServer<T>(serverUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
