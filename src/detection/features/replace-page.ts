/** Replaces a client's feature rows of a day, range of SIMs by range of SIMs; each range with its 30-day sums is one transaction. */
import type { Transaction } from '../../database/database';
import { partitionName } from '../../database/partitions';
import { FEATURE_COUNT } from '../../detector';
import { plainArray } from '../../telemetry/array-literal';
import type { Day } from '../days';
import { encodeFeaturePage, FEATURE_COLUMNS, type FeaturePage } from './feature-row-copy';
import { featureValues } from './feature-store';
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
  const simIds = page.simIds.map(String);
  // Before anything is removed: days that leave a window are read from the rows.
  const months = await readMonths(tx, clientId, [...new Set([...simIds, ...before.keys()])], windowStart);
  const counts = (simId: string) => day >= months.get(simId)!.fromDay;
  for (const [simId, values] of before) if (counts(simId)) months.get(simId)!.subtract(values);
  simIds.forEach((simId, row) => {
    if (counts(simId)) months.get(simId)!.add(page.values.subarray(row * FEATURE_COUNT, (row + 1) * FEATURE_COUNT));
  });
  if (before.size > 0)
    await tx.query('DELETE FROM sim_feature_day WHERE client_id = $1 AND day = $2 AND sim_id = ANY($3::int8[])', [
      clientId,
      day,
      plainArray([...before.keys()]),
    ]);
  if (simIds.length > 0) {
    const rows = encodeFeaturePage(clientId, day, page, replacement.computedAt);
    await tx.copyBinary(partitionName('sim_feature_day', day), FEATURE_COLUMNS, rows);
  }
  await writeMonths(tx, clientId, months);
}

/** What an earlier computation stored in the range, by SIM. */
async function readOld(tx: Transaction, { clientId, day, after, through, bucket }: Replacement): Promise<Map<string, Float32Array>> {
  const rows = await tx.query<{ sim_id: string; feature_values: Buffer }>(
    `SELECT sim_id, feature_values FROM sim_feature_day
      WHERE client_id = $1 AND day = $2 AND sim_id > $3 AND sim_id <= $4 AND sim_id % $5 = $6`,
    [clientId, day, after, through, bucket.of, bucket.remainder],
  );
  return new Map(rows.map((row) => [row.sim_id, featureValues(row.feature_values)]));
}
