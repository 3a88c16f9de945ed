/** Deletes a client's rows that are older than they are kept, in portions, so that no transaction holds many of them for long. */
import type { Database } from './database';

export interface Aging {
  readonly table: string;
  /** The column that tells a row's age. */
  readonly age: string;
  /** The rest of its primary key, after the client. */
  readonly key: readonly string[];
  /** A condition of rows that may go at all; default: every one. */
  readonly only?: string;
}

const PORTION_ROWS = 10_000;

/** Several processes may do this at once: each deletes what it finds. Names come from the program, never from outside. */
export async function deleteAged(
  database: Database,
  clientId: number,
  { table, age, key, only = 'true' }: Aging,
  before: Date,
): Promise<void> {
  const keys = key.join(', ');
  for (let deleted = PORTION_ROWS; deleted === PORTION_ROWS;) {
    deleted = await database.transaction({ name: 'retention.delete', role: 'ingest', clientId }, async (tx) => {
      const rows = await tx.query(
        `WITH old AS MATERIALIZED (
           SELECT ${keys} FROM ${table} WHERE client_id = $1 AND ${age} < $2 AND ${only} LIMIT ${PORTION_ROWS} FOR UPDATE SKIP LOCKED)
         DELETE FROM ${table} WHERE client_id = $1 AND (${keys}) IN (SELECT ${keys} FROM old) RETURNING 1 AS deleted`,
        [clientId, before],
      );
      return rows.length;
    });
  }
}
