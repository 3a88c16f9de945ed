/** Mutual exclusion between processes: whoever holds the row does the job. Advisory locks would never wait in the embedded database's one session. */
import type { Transaction } from './database';

/** True where `holder` has the lease now: it was free, had run out, or was its own already. */
export async function takeLease(transaction: Transaction, name: string, holder: string, until: Date, now: Date): Promise<boolean> {
  const rows = await transaction.query(
    `INSERT INTO lease (name, holder, held_until) VALUES ($1, $2, $3)
     ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, held_until = EXCLUDED.held_until
     WHERE lease.held_until <= $4 OR lease.holder = EXCLUDED.holder
     RETURNING name`,
    [name, holder, until, now],
  );
  return rows.length === 1;
}

/** Extends a lease; false where another holder has taken it, so the job must stop. */
export async function keepLease(transaction: Transaction, name: string, holder: string, until: Date): Promise<boolean> {
  const rows = await transaction.query('UPDATE lease SET held_until = $3 WHERE name = $1 AND holder = $2 RETURNING name', [
    name,
    holder,
    until,
  ]);
  return rows.length === 1;
}

/** Gives a lease back, so that the next holder needn't wait until it runs out. */
export async function releaseLease(transaction: Transaction, name: string, holder: string): Promise<void> {
  await transaction.query('DELETE FROM lease WHERE name = $1 AND holder = $2', [name, holder]);
}

/**
 * Makes those who do the same thing wait for each other, each until the one before has ended its transaction. A row of its own rather than of what is
 * changed: that one may be held for long by somebody outside.
 */
export async function takeTurn(transaction: Transaction, name: string): Promise<void> {
  await transaction.query(
    `INSERT INTO lease (name, held_until) VALUES ($1, 'epoch') ON CONFLICT (name) DO UPDATE SET held_until = EXCLUDED.held_until`,
    [name],
  );
}

/** Forgets what processes before this one held: for a database that nobody else can have open. */
export async function forgetLeases(transaction: Transaction): Promise<void> {
  await transaction.query('DELETE FROM lease');
}
