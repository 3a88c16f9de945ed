/** A day's packed dialogues in, feature rows out: the part of the daily computation that touches neither database nor clock, and runs in a thread. */
import { FEATURE_COUNT, featureNames } from '../../detector';
import { FeaturePass } from './feature-pass';
import type { PackedDialogues } from './packed-dialogues';
import { sortBySim } from './sorted-dialogues';
import { visitedCountries } from './visited-countries';

/** What a thread is sent: SIMs already numbered in the order of their ids. */
export type PassInput = Pick<PackedDialogues, 'words' | 'sims' | 'rows'> & { readonly simCount: number };

/** One row per SIM, in the order of the SIMs' numbers. */
export interface DayFeatures {
  readonly countries: readonly string[];
  /** Rows × 95. */
  readonly values: Float32Array;
  /** Dialogues of each SIM, without exact repeats. */
  readonly dialogues: Int32Array;
}

const N = featureNames.indexOf('n');

let pass: FeaturePass | undefined;

export function computeDayFeatures({ words, sims, rows, simCount }: PassInput): DayFeatures {
  const sorted = sortBySim({ words, sims, rows }, simCount);
  // First: the pass may number the nodes anew.
  const countries = visitedCountries(sorted);
  const output = new Float64Array(simCount * FEATURE_COUNT);
  (pass ??= new FeaturePass()).run(sorted, output);
  const dialogues = Int32Array.from({ length: simCount }, (_, sim) => output[sim * FEATURE_COUNT + N]!);
  return { countries, values: Float32Array.from(output), dialogues };
}
