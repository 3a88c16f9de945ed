/** What every new connection gets before its first use, on both databases. */
import type { ClientBase } from 'pg';
import type { Log } from '../runtime';

/** A connection that is held open in a transaction by a mistake is given up after this long. */
const idleInTransactionMs = 120_000;

export async function prepareConnection(connection: ClientBase, log: Log): Promise<void> {
  // A connection that is checked out has no listener of the pool's: without this one a database restart ends the process.
  connection.on('error', (error) => log.logger.warn({ err: error }, 'a database connection was lost'));
  await connection.query(
    `SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET idle_in_transaction_session_timeout = ${idleInTransactionMs}`,
  );
}
