/** The features input: one row per SIM that signaled on the day, as the feature pass stored it. */
import type { Transaction } from '../../database/database';
import { featureNames, FEATURE_COUNT, type ColumnName } from '../../detector';
import type { Observation, ObservationScope } from './observation';

export async function observeFeatures(tx: Transaction, scope: ObservationScope, needs: ReadonlySet<ColumnName>): Promise<Observation> {
  const stored = await tx.query<{ sim_id: string; feature_values: Buffer }>(
    'SELECT sim_id, feature_values FROM sim_feature_day WHERE client_id = $1 AND day = $2 AND sim_id = ANY($3::int8[]) ORDER BY sim_id',
    [scope.clientId, scope.day, scope.sims.map((sim) => sim.simId)],
  );
  const valuesOf = new Map(stored.map((row) => [row.sim_id, row.feature_values]));
  const simOfRow = Int32Array.from(scope.sims.flatMap((sim, index) => (valuesOf.has(sim.simId) ? [index] : [])));
  const rows = Array.from(simOfRow, (sim) => valuesOf.get(scope.sims[sim]!.simId)!);
  const columns = new Map<ColumnName, Float64Array>();
  featureNames.forEach((name, index) => {
    if (needs.has(name))
      columns.set(
        name,
        Float64Array.from(rows, (row) => readFeature(row, index)),
      );
  });
  columns.set(
    'blockedByUs',
    Float64Array.from(simOfRow, (sim) => (scope.sims[sim]!.blockedByUs ? 1 : 0)),
  );
  return { rows: rows.length, columns, simOfRow, networkOfRow: [] };
}

function readFeature(row: Buffer, index: number): number {
  if (row.length !== 4 * FEATURE_COUNT) throw new Error(`expected ${FEATURE_COUNT} features of 4 bytes, got ${row.length} bytes`);
  return row.readFloatLE(4 * index);
}
