/** Drift: how far a day's features have moved from those that the models were fitted on, by the population stability index of each feature. */
import { FEATURE_COUNT, featureNames } from '../../detector';
import { quantileOfSorted } from '../../detector/numeric';

const BINS = 10;
/** One bin more for what is undefined. */
export const DRIFT_WIDTH = FEATURE_COUNT * (BINS + 1);
/** Above 0.25 a population counts as changed (Siddiqi, Credit Risk Scorecards, 2006). */
export const PSI_STALE = 0.25;
/** A bin that is empty on one side would make the index infinite. */
const LEAST_SHARE = 1e-4;

export interface DriftReference {
  /** 95 × 9 inner edges: deciles of the training rows. */
  readonly edges: readonly number[];
  /** 95 × 11 shares of the training rows. */
  readonly shares: readonly number[];
}

export function driftReference(values: Float32Array): DriftReference {
  const rows = values.length / FEATURE_COUNT;
  const edges: number[] = [];
  const column = new Float32Array(rows);
  for (let feature = 0; feature < FEATURE_COUNT; feature++) {
    for (let row = 0; row < rows; row++) column[row] = values[row * FEATURE_COUNT + feature]!;
    const sorted = column.filter((value) => !Number.isNaN(value)).sort();
    for (let bin = 1; bin < BINS; bin++) edges.push(sorted.length === 0 ? 0 : quantileOfSorted(sorted, bin / BINS));
  }
  const counts = new Float64Array(DRIFT_WIDTH);
  countBins({ edges, shares: [] }, values, counts);
  return { edges, shares: Array.from(counts, (count) => count / Math.max(1, rows)) };
}

/** Adds the rows to `counts`, 95 × 11. */
export function countBins({ edges }: DriftReference, values: Float32Array, counts: Float64Array): void {
  for (let cell = 0; cell < values.length; cell++) {
    const feature = cell % FEATURE_COUNT;
    const value = values[cell]!;
    let bin = BINS;
    if (!Number.isNaN(value)) {
      const first = feature * (BINS - 1);
      for (bin = 0; bin < BINS - 1 && value > edges[first + bin]!;) bin += 1;
    }
    counts[feature * (BINS + 1) + bin]! += 1;
  }
}

/** PSI of each feature, Σ (p − q) ln (p / q) over its bins; 0 = as trained. */
export function stabilityIndex({ shares }: DriftReference, counts: ArrayLike<number>): { feature: string; psi: number }[] {
  return featureNames.map((feature, index) => {
    const from = index * (BINS + 1);
    let rows = 0;
    for (let bin = 0; bin <= BINS; bin++) rows += counts[from + bin]!;
    let psi = 0;
    for (let bin = 0; bin <= BINS && rows > 0; bin++) {
      const now = Math.max(LEAST_SHARE, counts[from + bin]! / rows);
      const then = Math.max(LEAST_SHARE, shares[from + bin]!);
      psi += (now - then) * Math.log(now / then);
    }
    return { feature, psi };
  });
}
