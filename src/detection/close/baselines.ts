/** Baselines: what a SIM of a device model family usually uses in a day or an ISO week; per client, never across. */
import type { Transaction } from '../../database/database';
import { addDays, isoWeekday, weekStart, type Day } from '../days';

const DAYS_BACK = 28;
const WEEKS_BACK = 8;
/** Under these a median says nothing: no row is kept, and detectors abstain. */
const MINIMUM_SIMS = 5;
const MINIMUM_DAYS = 7;

interface BaselineRow {
  family: string;
  median_bytes: number;
  sims: number;
  days: number;
}

/**
 * Computes the baselines that `forDay` is judged by, from the closed days before it. Only SIM-days (SIM-weeks) with usage count: a baseline says what
 * a SIM uses when it is in use, so that a fleet half in store doesn't halve it; silence is another detector's matter.
 */
export async function computeBaselines(tx: Transaction, clientId: number, forDay: Day, firstClosed: Day, now: Date): Promise<void> {
  await replace(tx, clientId, 'DAY', forDay, await dailyMedians(tx, clientId, forDay), now);
  if (isoWeekday(forDay) === 1) await replace(tx, clientId, 'WEEK', forDay, await weeklyMedians(tx, clientId, forDay, firstClosed), now);
  else await replace(tx, clientId, 'WEEK', forDay, await weeklyOfMonday(tx, clientId, forDay), now);
}

function dailyMedians(tx: Transaction, clientId: number, forDay: Day): Promise<BaselineRow[]> {
  return tx.query<BaselineRow>(
    `SELECT device.family, percentile_cont(0.5) WITHIN GROUP (ORDER BY used.total_bytes) AS median_bytes,
            count(DISTINCT used.sim_id)::int4 AS sims, count(DISTINCT used.day)::int4 AS days
       FROM usage_sim_day used JOIN device ON device.client_id = used.client_id AND device.sim_id = used.sim_id
      WHERE used.client_id = $1 AND device.client_id = $1 AND used.day >= $2 AND used.day < $3 AND used.total_bytes > 0
      GROUP BY device.family
     HAVING count(DISTINCT used.sim_id) >= ${MINIMUM_SIMS} AND count(DISTINCT used.day) >= ${MINIMUM_DAYS}`,
    [clientId, addDays(forDay, -DAYS_BACK), forDay],
  );
}

/** Over whole closed weeks only: the first days of a client rarely fill one. */
function weeklyMedians(tx: Transaction, clientId: number, monday: Day, firstClosed: Day): Promise<BaselineRow[]> {
  const firstWholeWeek = isoWeekday(firstClosed) === 1 ? firstClosed : addDays(weekStart(firstClosed), 7);
  const from = [addDays(monday, -7 * WEEKS_BACK), firstWholeWeek].sort()[1]!;
  return tx.query<BaselineRow>(
    `SELECT family, percentile_cont(0.5) WITHIN GROUP (ORDER BY bytes) AS median_bytes,
            count(DISTINCT sim_id)::int4 AS sims, (7 * count(DISTINCT week))::int4 AS days
       FROM (SELECT device.family, used.sim_id, date_trunc('week', used.day::timestamp) AS week, sum(used.total_bytes)::float8 AS bytes
               FROM usage_sim_day used JOIN device ON device.client_id = used.client_id AND device.sim_id = used.sim_id
              WHERE used.client_id = $1 AND device.client_id = $1 AND used.day >= $2 AND used.day < $3 AND used.total_bytes > 0
              GROUP BY device.family, used.sim_id, date_trunc('week', used.day::timestamp)) sim_weeks
      GROUP BY family
     HAVING count(DISTINCT sim_id) >= ${MINIMUM_SIMS}`,
    [clientId, from, monday],
  );
}

/** Within a week the closed weeks before stay the same. */
function weeklyOfMonday(tx: Transaction, clientId: number, forDay: Day): Promise<BaselineRow[]> {
  return tx.query<BaselineRow>(
    `SELECT family, median_bytes, sims, days FROM baseline WHERE client_id = $1 AND period = 'WEEK' AND for_day = $2`,
    [clientId, weekStart(forDay)],
  );
}

async function replace(
  tx: Transaction,
  clientId: number,
  period: 'DAY' | 'WEEK',
  forDay: Day,
  rows: readonly BaselineRow[],
  now: Date,
): Promise<void> {
  await tx.query('DELETE FROM baseline WHERE client_id = $1 AND period = $2 AND for_day = $3', [clientId, period, forDay]);
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO baseline (client_id, family, period, for_day, median_bytes, sims, days, computed_at)
     SELECT $1::int4, family, $2::text, $3::date, median_bytes, sims, days, $8::timestamptz
       FROM unnest($4::text[], $5::float8[], $6::int4[], $7::int4[]) AS computed (family, median_bytes, sims, days)
     RETURNING family`,
    [
      clientId,
      period,
      forDay,
      rows.map((row) => row.family),
      rows.map((row) => row.median_bytes),
      rows.map((row) => row.sims),
      rows.map((row) => row.days),
      now,
    ],
  );
}
