/** Replaces a client's feature rows of a day, range of SIMs by range of SIMs; each range with its 30-day sums is one transaction. */
import type { Transaction } from '../../database/database';
import { partitionName } from '../../database/partitions';
import { FEATURE_COUNT } from '../../detector';
import { plainArray } from '../../telemetry/array-literal';
import { addDays, type Day } from '../days';
import { encodeFeaturePage, FEATURE_COLUMNS, type FeaturePage } from './feature-row-copy';
import { copyFeatureRows } from './feature-row-reader';
import { pageOf } from './month-page';
import { readMonths, writeMonths } from './month-store';

export interface Replacement {
  readonly clientId: number;
  readonly day: Day;
  /** The range: SIMs with ids above `after`, up to `through`. */
  readonly after: string;
  readonly through: string;
  /** Of a day computed in buckets, only SIMs whose id leaves this remainder are replaced. */
  readonly bucket: { readonly of: number; readonly remainder: number };
  readonly page: FeaturePage;
  /** First day of the 30-day window. */
  readonly windowStart: Day;
  readonly computedAt: Date;
}

export async function replacePage(tx: Transaction, replacement: Replacement): Promise<void> {
  const { clientId, day, page, windowStart } = replacement;
  const before = await readOld(tx, replacement);
  // Before anything is removed: days that leave a window are read from the rows.
  const numbers = new Set([...page.simIds, ...before.keys()].map(pageOf));
  const months = await readMonths(tx, clientId, [...numbers], windowStart);
  const change = (simId: number, values: Float32Array, from: number, sign: 1 | -1): void => {
    const month = months.get(pageOf(simId))!;
    if (day >= month.fromDay) month.change(simId, values, from, sign);
  };
  for (const [simId, values] of before) change(simId, values, 0, -1);
  page.simIds.forEach((simId, row) => change(simId, page.values, row * FEATURE_COUNT, 1));
  if (before.size > 0)
    await tx.query('DELETE FROM sim_feature_day WHERE client_id = $1 AND day = $2 AND sim_id = ANY($3::int8[])', [
      clientId,
      day,
      plainArray([...before.keys()]),
    ]);
  if (page.simIds.length > 0) {
    const rows = encodeFeaturePage(clientId, day, page, replacement.computedAt);
    await tx.copyBinary(partitionName('sim_feature_day', day), FEATURE_COLUMNS, rows);
  }
  await writeMonths(tx, clientId, months.values());
}

/** What an earlier computation stored in the range, by SIM. */
async function readOld(tx: Transaction, { clientId, day, after, through, bucket }: Replacement): Promise<Map<number, Float32Array>> {
  const before = new Map<number, Float32Array>();
  const where = { clientId, fromDay: day, beforeDay: addDays(day, 1), afterSim: after, throughSim: through, bucket };
  await copyFeatureRows(tx, where, (row) => {
    const values = new Float32Array(FEATURE_COUNT);
    row.values(values, 0);
    before.set(row.simId, values);
  });
  return before;
}
