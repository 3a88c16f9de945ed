/** What a run asks across clients: few, and each of one table. */
import type { Transaction } from '../../database/database';
import type { Day } from '../days';

/** SIM-days with features. */
export async function countRows(tx: Transaction, fromDay: Day, toDay: Day): Promise<number> {
  const [row] = await tx.query<{ rows: string }>(
    'SELECT coalesce(sum(sims), 0)::int8 AS rows FROM feature_day WHERE day >= $1 AND day <= $2',
    [fromDay, toDay],
  );
  return Number(row!.rows);
}

/** Clients whose dialogues of these days were stored. */
export async function clientsWithDialogues(tx: Transaction, fromDay: Day, toDay: Day): Promise<number> {
  const [row] = await tx.query<{ clients: string }>(
    'SELECT count(DISTINCT client_id) AS clients FROM signaling_day WHERE day >= $1 AND day <= $2',
    [fromDay, toDay],
  );
  return Number(row!.clients);
}

/** Clients that were anomalous on one of these days. */
export async function clientsDecidedSince(tx: Transaction, fromDay: Day): Promise<number[]> {
  const rows = await tx.query<{ client_id: number }>(
    `SELECT DISTINCT client_id FROM client_anomaly WHERE day >= $1 AND verdict = 'ANOMALOUS' ORDER BY client_id`,
    [fromDay],
  );
  return rows.map((row) => row.client_id);
}
