/** Keeps the 30-day sums of a client's SIMs in step with their stored feature rows, within the transaction that changes these. */
import type { Transaction } from '../../database/database';
import { plainArray } from '../../telemetry/array-literal';
import { addDays, type Day } from '../days';
import { FeatureMonth, MONTH_DAYS } from './feature-month';
import { featureValues } from './feature-store';

interface MonthRow {
  sim_id: string;
  from_day: Day;
  days: number;
  sums: Buffer;
}

interface ValueRow {
  sim_id: string;
  day: Day;
  feature_values: Buffer;
}

/** By SIM id. */
export type Months = ReadonlyMap<string, FeatureMonth>;

/** A SIM's stored sums; null where it has none. */
export async function readMonth(tx: Transaction, clientId: number, simId: string): Promise<FeatureMonth | null> {
  const [row] = await tx.query<MonthRow>(
    'SELECT sim_id, from_day, days, sums FROM sim_feature_month WHERE client_id = $1 AND sim_id = $2',
    [clientId, simId],
  );
  return row ? FeatureMonth.read(row.from_day, row.days, row.sums) : null;
}

/** The sums of these SIMs (new ones where there are none) over their stored days from `windowStart` on. */
export async function readMonths(tx: Transaction, clientId: number, simIds: readonly string[], windowStart: Day): Promise<Months> {
  const rows = await tx.query<MonthRow>(
    'SELECT sim_id, from_day, days, sums FROM sim_feature_month WHERE client_id = $1 AND sim_id = ANY($2::int8[])',
    [clientId, plainArray(simIds)],
  );
  const months = new Map(simIds.map((simId) => [simId, new FeatureMonth(windowStart)]));
  for (const row of rows) months.set(row.sim_id, FeatureMonth.read(row.from_day, row.days, row.sums));
  await advance(tx, clientId, months, windowStart);
  return months;
}

/** A page of SIMs whose sums still hold days before `windowStart`; they are brought up to it. Answers the last SIM, null when there are no more. */
export async function advanceMonths(
  tx: Transaction,
  clientId: number,
  after: string,
  windowStart: Day,
  limit: number,
): Promise<string | null> {
  const rows = await tx.query<MonthRow>(
    `SELECT sim_id, from_day, days, sums FROM sim_feature_month
      WHERE client_id = $1 AND sim_id > $2 AND from_day < $3 ORDER BY sim_id LIMIT $4`,
    [clientId, after, windowStart, limit],
  );
  const months = new Map(rows.map((row) => [row.sim_id, FeatureMonth.read(row.from_day, row.days, row.sums)]));
  await advance(tx, clientId, months, windowStart);
  await writeMonths(tx, clientId, months);
  return rows.length < limit ? null : rows.at(-1)!.sim_id;
}

/** Takes the days before the window out of sums that begin before it. */
async function advance(tx: Transaction, clientId: number, months: Months, windowStart: Day): Promise<void> {
  const behind = [...months].filter(([, month]) => month.fromDay < windowStart);
  if (behind.length === 0) return;
  const earliest = behind.map(([, month]) => month.fromDay).sort()[0]!;
  // Of a window that has left as a whole the rows may be gone too: what is in the new one is added up instead.
  const anew = addDays(earliest, MONTH_DAYS) <= windowStart;
  const rows = await tx.query<ValueRow>(
    `SELECT sim_id, day, feature_values FROM sim_feature_day
      WHERE client_id = $1 AND sim_id = ANY($2::int8[]) AND day >= $3 AND day < $4`,
    anew ? [clientId, idArray(behind), windowStart, '9999-12-31'] : [clientId, idArray(behind), earliest, windowStart],
  );
  if (anew) for (const [, month] of behind) month.clear();
  for (const row of rows) {
    const month = months.get(row.sim_id)!;
    if (anew) month.add(featureValues(row.feature_values));
    else if (row.day >= month.fromDay) month.subtract(featureValues(row.feature_values));
  }
  for (const [, month] of behind) month.fromDay = windowStart;
}

export async function writeMonths(tx: Transaction, clientId: number, months: Months): Promise<void> {
  const kept = [...months].filter(([, month]) => month.days > 0).sort(bySim);
  const gone = [...months].filter(([, month]) => month.days === 0);
  if (gone.length > 0)
    await tx.query('DELETE FROM sim_feature_month WHERE client_id = $1 AND sim_id = ANY($2::int8[])', [clientId, idArray(gone)]);
  if (kept.length === 0) return;
  await tx.query(
    `INSERT INTO sim_feature_month (client_id, sim_id, from_day, days, sums)
     SELECT $1, month.sim_id, month.from_day, month.days, substring($5::bytea FROM ((month.place - 1) * ${FeatureMonth.bytes} + 1)::int4 FOR ${FeatureMonth.bytes})
       FROM unnest($2::int8[], $3::date[], $4::int4[]) WITH ORDINALITY AS month (sim_id, from_day, days, place)
     ON CONFLICT (client_id, sim_id) DO UPDATE SET from_day = EXCLUDED.from_day, days = EXCLUDED.days, sums = EXCLUDED.sums
     RETURNING sim_id`,
    [
      clientId,
      idArray(kept),
      plainArray(kept.map(([, month]) => month.fromDay)),
      plainArray(kept.map(([, month]) => month.days)),
      Buffer.concat(kept.map(([, month]) => month.write())),
    ],
  );
}

function bySim([one]: readonly [string, FeatureMonth], [other]: readonly [string, FeatureMonth]): number {
  return Number(one) - Number(other);
}

function idArray(months: readonly (readonly [string, FeatureMonth])[]): string {
  return plainArray(months.map(([simId]) => simId));
}
