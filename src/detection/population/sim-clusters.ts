/**
 * Which cluster each SIM is in. A SIM is assigned by its history, not by the day that is judged: what goes wrong today must not change whom it is
 * measured against. It is assigned anew while little is known of it, and by each generation.
 */
import type { Transaction } from '../../database/database';
import { FEATURE_COUNT } from '../../detector';
import { plainArray } from '../../telemetry/array-literal';
import { addDays, type Day } from '../days';
import { readFeatureRows, type FeatureRows } from '../features/feature-store';
import { addClusterVector, CLUSTER_WIDTH } from './cluster-features';
import type { ClusterModel } from './clusters';

const HISTORY_DAYS = 7;
/** Days before are read in pages of their own, since other SIMs may have been active then. */
const HISTORY_PAGE = 20_000;

interface ClusterRow {
  sim_id: string;
  cluster: number;
  history_days: number;
}

export interface AssignedClusters {
  /** Per row. */
  readonly clusters: Int32Array;
  /** Rows that were assigned now, with the days that speak for it; to be written with what they lead to. */
  readonly assigned: readonly { readonly row: number; readonly historyDays: number }[];
}

/** Rows of a page that have a lasting cluster of this generation keep it. */
export async function clustersOf(
  tx: Transaction,
  of: { readonly clientId: number; readonly day: Day; readonly generation: number; readonly model: ClusterModel },
  rows: FeatureRows,
): Promise<AssignedClusters> {
  const known = new Map(
    (
      await tx.query<ClusterRow>(
        'SELECT sim_id, cluster, history_days FROM sim_cluster WHERE client_id = $1 AND generation = $2 AND sim_id = ANY($3::int8[])',
        [of.clientId, of.generation, plainArray(rows.simIds)],
      )
    ).map((row) => [row.sim_id, row]),
  );
  const clusters = new Int32Array(rows.simIds.length).fill(-1);
  const open: number[] = [];
  rows.simIds.forEach((simId, row) => {
    const before = known.get(simId);
    if (before) clusters[row] = before.cluster;
    if (!before || before.history_days < HISTORY_DAYS) open.push(row);
  });
  if (open.length === 0) return { clusters, assigned: [] };
  const history = await readHistory(tx, of.clientId, of.day, rows, open);
  const found = of.model.assign(history.vectors);
  open.forEach((row, index) => (clusters[row] = found[index]!));
  const changed = open.flatMap((row, index) => {
    const before = known.get(rows.simIds[row]!);
    const historyDays = history.days[index]!;
    const same = before !== undefined && before.cluster === clusters[row] && before.history_days === historyDays;
    return same ? [] : [{ row, historyDays }];
  });
  return { clusters, assigned: changed };
}

/** Mean clustering vectors over the days before; of the day itself where there are none. `days`: how many there were. */
async function readHistory(
  tx: Transaction,
  clientId: number,
  day: Day,
  rows: FeatureRows,
  open: readonly number[],
): Promise<{ vectors: Float64Array; days: Int32Array }> {
  const vectors = new Float64Array(open.length * CLUSTER_WIDTH);
  const days = new Int32Array(open.length);
  const indexOf = new Map(open.map((row, index) => [rows.simIds[row]!, index]));
  const add = (values: Float32Array, row: number, index: number): void => {
    addClusterVector(values, row * FEATURE_COUNT, vectors, index * CLUSTER_WIDTH);
    days[index]! += 1;
  };
  const lastSim = BigInt(rows.simIds[open.at(-1)!]!);
  const firstAfter = String(BigInt(rows.simIds[open[0]!]!) - 1n);
  for (let back = 1; back <= HISTORY_DAYS; back++) {
    for (let after: string | null = firstAfter; after !== null;) {
      const page: FeatureRows = await readFeatureRows(tx, { clientId, day: addDays(day, -back), after, limit: HISTORY_PAGE });
      page.simIds.forEach((simId, row) => {
        const index = indexOf.get(simId);
        if (index !== undefined && page.blockedByUs[row] === 0) add(page.values, row, index);
      });
      const last: string | undefined = page.simIds.at(-1);
      after = last === undefined || page.simIds.length < HISTORY_PAGE || BigInt(last) >= lastSim ? null : last;
    }
  }
  open.forEach((row, index) => {
    if (days[index] === 0) {
      add(rows.values, row, index);
      days[index] = 0;
    }
  });
  for (let cell = 0; cell < vectors.length; cell++) vectors[cell]! /= Math.max(1, days[Math.floor(cell / CLUSTER_WIDTH)]!);
  return { vectors, days };
}

export async function writeClusters(
  tx: Transaction,
  of: { readonly clientId: number; readonly day: Day; readonly generation: number },
  rows: FeatureRows,
  { clusters, assigned }: AssignedClusters,
): Promise<void> {
  if (assigned.length === 0) return;
  await tx.query(
    `INSERT INTO sim_cluster (client_id, sim_id, generation, cluster, history_days, assigned_day)
     SELECT $1::int4, sim_id, $2::int4, cluster, history_days, $3::date
       FROM unnest($4::int8[], $5::int4[], $6::int4[]) AS found (sim_id, cluster, history_days)
     ON CONFLICT (client_id, sim_id) DO UPDATE SET generation = EXCLUDED.generation, cluster = EXCLUDED.cluster,
       history_days = EXCLUDED.history_days, assigned_day = EXCLUDED.assigned_day
     RETURNING sim_id`,
    [
      of.clientId,
      of.generation,
      of.day,
      plainArray(assigned.map(({ row }) => rows.simIds[row]!)),
      plainArray(assigned.map(({ row }) => clusters[row]!)),
      plainArray(assigned.map(({ historyDays }) => historyDays)),
    ],
  );
}
