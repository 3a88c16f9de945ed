/** What devices are clustered by: how much they signal, over which radio, and how far they move. Counts by their logarithm, shares as they are. */
import type { FeatureName } from '../../detector';
import { positionOf } from './feature-rows';

/** ANCHOR clusters by a month's statistics of few features; a mean of logarithms keeps one wild day from moving a device to another cluster. */
export const clusterFeatures = [
  'n',
  'pct_map',
  'n_sai',
  'n_ul',
  'n_ul_gprs',
  'n_cl',
  'n_diam_sai',
  'n_diam_ul',
  'n_diam_cl',
  'n_vlr_changes',
  'n_sgsn_changes',
  'n_operator_changes',
  'active_minutes',
] as const satisfies readonly FeatureName[];

export const CLUSTER_WIDTH = clusterFeatures.length;

/** Vectors are whole multiples of 1 / STEPS, so that their sums don't depend on the order of adding. */
const STEPS = 2 ** 24;

const positions = clusterFeatures.map(positionOf);
const isShare = clusterFeatures.map((name) => name.startsWith('pct_'));

/** Adds the clustering vector of the row at `from` to `vector` at `to`. A feature that is undefined counts as 0. */
export function addClusterVector(values: Float32Array, from: number, vector: Float64Array, to: number): void {
  for (let i = 0; i < CLUSTER_WIDTH; i++) {
    const value = values[from + positions[i]!]!;
    if (Number.isNaN(value)) continue;
    // a share of 100 weighs as much as a change of volume by e³
    vector[to + i]! += Math.round(STEPS * (isShare[i] ? (3 * value) / 100 : Math.log1p(Math.max(0, value)))) / STEPS;
  }
}
