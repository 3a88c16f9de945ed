/**
 * What a SIM did over 30 days in the features that cluster: days, sums and sums of squares, kept by adding the new day and subtracting the one that
 * leaves. They are sums of whole numbers (percentages in thousandths), so that a day that was added and subtracted leaves no trace.
 */
import { featureNames, type FeatureName } from '../../detector';
import type { Day } from '../days';

export const MONTH_DAYS = 30;

/** ANCHOR's context of a device: how much it signals, over which protocol, and how much it moves. */
export const CLUSTERING_FEATURES = [
  'n',
  'pct_map',
  'pct_diam',
  'n_sai',
  'n_ul',
  'n_cl',
  'n_diam_sai',
  'n_diam_ul',
  'n_diam_cl',
  'n_vlr_changes',
  'n_sgsn_changes',
  'n_operator_changes',
  'active_minutes',
] as const satisfies readonly FeatureName[];

const COUNT = CLUSTERING_FEATURES.length;
const places = CLUSTERING_FEATURES.map((name) => featureNames.indexOf(name));
const scales = CLUSTERING_FEATURES.map((name) => (name.startsWith('pct_') ? 1000 : 1));
/** 30 squares of this still fit into the 53 bits of a float64: a SIM with more dialogues a day (190 a second) counts as having this many. */
const LARGEST = 2 ** 24;

/** Days with signaling, then per feature the sum, then per feature the sum of squares, in whole units. */
export const MONTH_WIDTH = 1 + 2 * COUNT;

export class FeatureMonth {
  constructor(
    /** The sums are over the SIM's stored days from this one on. */
    readonly fromDay: Day,
    /** MONTH_WIDTH numbers; by default those of no day. */
    readonly sums = new Float64Array(MONTH_WIDTH),
  ) {}

  get days(): number {
    return this.sums[0]!;
  }

  /** `values`: the 95 of a day. */
  add(values: Float32Array): void {
    changeSums(this.sums, 0, values, 0, 1);
  }

  /** Mean and sample standard deviation per day with signaling, in the feature's own unit; NaN where there are too few days. */
  statistics(): { readonly name: FeatureName; readonly mean: number; readonly deviation: number }[] {
    return CLUSTERING_FEATURES.map((name, index) => {
      const sum = this.sums[1 + index]!;
      const squares = this.sums[1 + COUNT + index]!;
      const variance = this.days < 2 ? NaN : Math.max(0, squares - (sum * sum) / this.days) / (this.days - 1);
      const scale = scales[index]!;
      return { name, mean: this.days === 0 ? NaN : sum / this.days / scale, deviation: Math.sqrt(variance) / scale };
    });
  }
}

/** Adds the day whose 95 values stand in `values` from `from` on to the sums that stand in `sums` from `at` on, or takes it out of them. */
export function changeSums(sums: Float64Array, at: number, values: Float32Array, from: number, sign: 1 | -1): void {
  sums[at]! += sign;
  for (let index = 0; index < COUNT; index++) {
    const value = Math.min(LARGEST, Math.round(values[from + places[index]!]! * scales[index]!));
    sums[at + 1 + index]! += sign * value;
    sums[at + 1 + COUNT + index]! += sign * value * value;
  }
}
