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

export class FeatureMonth {
  constructor(
    /** The sums are over the SIM's stored days from this one on. */
    public fromDay: Day,
    public days = 0,
    /** Per feature the sum, then per feature the sum of squares, in whole units. */
    private readonly sums = new Float64Array(2 * COUNT),
  ) {}

  static read(fromDay: Day, days: number, bytes: Buffer): FeatureMonth {
    const aligned = new Uint8Array(bytes);
    return new FeatureMonth(fromDay, days, new Float64Array(aligned.buffer, 0, 2 * COUNT));
  }

  static readonly bytes = 2 * COUNT * 8;

  write(): Uint8Array {
    return new Uint8Array(this.sums.buffer, this.sums.byteOffset, FeatureMonth.bytes);
  }

  add(values: Float32Array): void {
    this.change(values, 1);
  }

  subtract(values: Float32Array): void {
    this.change(values, -1);
  }

  clear(): void {
    this.days = 0;
    this.sums.fill(0);
  }

  /** Mean and sample standard deviation per day with signaling, in the feature's own unit; NaN where there are too few days. */
  statistics(): { readonly name: FeatureName; readonly mean: number; readonly deviation: number }[] {
    return CLUSTERING_FEATURES.map((name, index) => {
      const sum = this.sums[index]!;
      const squares = this.sums[COUNT + index]!;
      const variance = this.days < 2 ? NaN : Math.max(0, squares - (sum * sum) / this.days) / (this.days - 1);
      const scale = scales[index]!;
      return { name, mean: this.days === 0 ? NaN : sum / this.days / scale, deviation: Math.sqrt(variance) / scale };
    });
  }

  private change(values: Float32Array, sign: 1 | -1): void {
    this.days += sign;
    for (let index = 0; index < COUNT; index++) {
      const value = Math.min(LARGEST, Math.round(values[places[index]!]! * scales[index]!));
      this.sums[index]! += sign * value;
      this.sums[COUNT + index]! += sign * value * value;
    }
  }
}
