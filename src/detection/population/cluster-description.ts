/** What a cluster is like, in an engineer's words, derived from its means: "stationary, 2G/3G, low volume". */
import { FEATURE_COUNT, type FeatureName } from '../../detector';
import { positionOf } from './feature-rows';

/** What is shown of a cluster; per device and day. */
const shownMeans = [
  'n',
  'pct_map',
  'pct_diam',
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

export type ClusterMeans = Readonly<Record<(typeof shownMeans)[number], number>>;

/** Means over the rows of a cluster; undefined values left out, 0 where there is none. */
export function clusterMeans(values: Float32Array, rows: ArrayLike<number>): ClusterMeans {
  const mean = (name: FeatureName): number => {
    const position = positionOf(name);
    let sum = 0;
    let known = 0;
    for (let index = 0; index < rows.length; index++) {
      const value = values[rows[index]! * FEATURE_COUNT + position]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      known += 1;
    }
    return known === 0 ? 0 : sum / known;
  };
  return Object.fromEntries(shownMeans.map((name) => [name, mean(name)])) as ClusterMeans;
}

export function describeCluster(means: ClusterMeans): string {
  const changes = means.n_vlr_changes + means.n_sgsn_changes + means.n_operator_changes;
  return `${mobilityOf(changes)}, ${radioOf(means.pct_map)}, ${volumeOf(means.n)} volume`;
}

/** By changes of node and network a day. */
function mobilityOf(changes: number): string {
  return changes < 10 ? 'stationary' : changes < 100 ? 'mildly mobile' : 'highly mobile';
}

/** By the share of MAP among the dialogues, in percent. */
function radioOf(percentMap: number): string {
  return percentMap >= 90 ? '2G/3G' : percentMap <= 10 ? '4G' : 'mixed 2G/3G and 4G';
}

/** By dialogues a day. */
function volumeOf(dialogues: number): string {
  return dialogues < 10 ? 'low' : dialogues < 40 ? 'medium' : dialogues < 300 ? 'high' : 'very high';
}
