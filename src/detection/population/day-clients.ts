/** What a run asks across clients: few, and each of one table. */
import type { Transaction } from '../../database/database';
import { addDays, dayOf, HOUR_MILLISECONDS, type Day } from '../days';

/** SIM-days with features. */
export async function countRows(tx: Transaction, fromDay: Day, toDay: Day): Promise<number> {
  const [row] = await tx.query<{ rows: string }>(
    'SELECT coalesce(sum(sims), 0)::int8 AS rows FROM feature_day WHERE day >= $1 AND day <= $2',
    [fromDay, toDay],
  );
  return Number(row!.rows);
}

/** A day that no client's close names is over by the next noon. */
const NOON_AFTER_MILLISECONDS = 12 * HOUR_MILLISECONDS;

/** Clients whose dialogues of these days were stored; `due`: those of them for whom one of the days is over, so that its features are computed. */
export async function clientsWithDialogues(tx: Transaction, fromDay: Day, toDay: Day, now: Date): Promise<{ all: number; due: number }> {
  const overThrough = addDays(dayOf(now.getTime() - NOON_AFTER_MILLISECONDS), -1);
  const [row] = await tx.query<{ all: number; due: number }>(
    `SELECT count(DISTINCT signaling.client_id)::int4 AS all,
            count(DISTINCT signaling.client_id) FILTER (WHERE signaling.day <= $3 OR closed.day IS NOT NULL)::int4 AS due
       FROM signaling_day signaling LEFT JOIN day_close closed ON closed.client_id = signaling.client_id AND closed.day = signaling.day
      WHERE signaling.day >= $1 AND signaling.day <= $2`,
    [fromDay, toDay, overThrough],
  );
  return row!;
}

/** Clients that were anomalous on one of these days. */
export async function clientsDecidedSince(tx: Transaction, fromDay: Day): Promise<number[]> {
  const rows = await tx.query<{ client_id: number }>(
    `SELECT DISTINCT client_id FROM client_anomaly WHERE day >= $1 AND verdict = 'ANOMALOUS' ORDER BY client_id`,
    [fromDay],
  );
  return rows.map((row) => row.client_id);
}
