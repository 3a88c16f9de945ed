/** Day partitions of the telemetry tables: made before the first record of a day, dropped when their retention is over. */
import type { Database, Transaction } from './database';
import { sqlState } from './sql-error';
import { identifier } from './transaction';

const dayPattern = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

/** `usage_record`, `2026-11-01` → `usage_record_20261101`. */
export function partitionName(table: string, day: string): string {
  if (!dayPattern.test(day)) throw new Error(`"${day}" is not a day; expected YYYY-MM-DD.`);
  return `${table}_${day.replaceAll('-', '')}`;
}

export class Partitions {
  /** Partitions that were seen; only retention removes one, long after its last record was accepted. */
  private readonly known = new Set<string>();

  constructor(private readonly database: Database) {}

  async ensure(table: string, days: readonly string[]): Promise<void> {
    const missing = [...new Set(days)].filter((day) => !this.known.has(partitionName(table, day))).sort();
    if (missing.length === 0) return;
    await this.database.transaction({ name: 'partitions.ensure', role: 'owner' }, async (transaction) => {
      // Makers of partitions take turns; readers and writers of the table go on.
      await transaction.query(`LOCK TABLE ${identifier(table)} IN SHARE UPDATE EXCLUSIVE MODE`);
      const existing = new Set(await partitionsOf(transaction, table));
      for (const day of missing) {
        if (!existing.has(partitionName(table, day))) await createPartition(transaction, table, day);
      }
    });
    for (const day of missing) this.known.add(partitionName(table, day));
  }

  async drop(table: string, before: string): Promise<string[]> {
    const limit = partitionName(table, before);
    const due = await this.database.transaction({ name: 'partitions.list', role: 'owner', readOnly: true }, async (transaction) =>
      (await partitionsOf(transaction, table)).filter((name) => name.length === limit.length && name < limit).sort(),
    );
    const dropped: string[] = [];
    for (const name of due) {
      if (!(await this.dropOne(name))) break;
      this.known.delete(name);
      dropped.push(name);
    }
    return dropped;
  }

  /** Dropping locks the whole table for a moment, so it waits two seconds at most and not with readers queued behind it. */
  private async dropOne(name: string): Promise<boolean> {
    try {
      await this.database.transaction({ name: 'partitions.drop', role: 'owner' }, async (transaction) => {
        await transaction.query(`SET LOCAL lock_timeout = 2000`);
        await transaction.query(`DROP TABLE IF EXISTS ${identifier(name)}`);
      });
      return true;
    } catch (error) {
      if (sqlState(error) === '55P03') return false;
      throw error;
    }
  }
}

async function partitionsOf(transaction: Transaction, table: string): Promise<string[]> {
  const rows = await transaction.query<{ name: string }>(
    `SELECT leaf.relname::text AS name FROM pg_inherits JOIN pg_class leaf ON leaf.oid = inhrelid WHERE inhparent = $1::regclass`,
    [identifier(table)],
  );
  return rows.map((row) => row.name);
}

/**
 * Made on its own and then attached, since CREATE TABLE … PARTITION OF would lock the whole table against readers and writers.
 * A leaf has no row-level security, so only the ingest role may touch it: COPY into a table with row-level security is refused.
 */
async function createPartition(transaction: Transaction, table: string, day: string): Promise<void> {
  const parent = identifier(table);
  const leaf = identifier(partitionName(table, day));
  const next = new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
  await transaction.query(`CREATE TABLE ${leaf} (LIKE ${parent} INCLUDING DEFAULTS INCLUDING STORAGE)`);
  await transaction.query(`ALTER TABLE ${parent} ATTACH PARTITION ${leaf} FOR VALUES FROM ('${day}') TO ('${next}')`);
  await transaction.query(`GRANT SELECT, INSERT ON ${leaf} TO simwarden_ingest`);
}
