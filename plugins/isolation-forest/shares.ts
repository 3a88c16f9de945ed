/** Shares of few dialogues weighed with what is usual: that both of two authentications failed says less than that forty of fifty did. */
import type { Matrix } from 'simwarden/detector/numeric';

/** A share is weighed as if so many more dialogues had been as usual. */
const USUAL_DIALOGUES = 10;
/** No row counts more than this for what is usual. */
const MOST_WEIGHT = 20;

/** Which features add up to the number of dialogues that a share is a share of, each with what it is multiplied by; of the first pattern that fits. */
const wholes: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^pct_\w+_all_sais$/, ['n_sai', 'n_diam_sai']],
  [/^pct_\w+_all_uls$/, ['n_ul', 'n_ul_gprs', 'n_diam_ul']],
  [/^pct_\w+_all_cls$/, ['n_cl', 'n_diam_cl']],
  [/^pct_map_(errors|rejects)$/, ['n_map_success', 'n_map_errors', 'n_map_rejects']],
  [/^pct_diam_(errors|rejects)$/, ['n_diam_success', 'n_diam_errors', 'n_diam_rejects']],
  [/^pct_/, ['n']],
];

/** The columns that are shares, each with the columns of its whole. Shares whose whole isn't among the columns are left as they are. */
export interface Share {
  readonly column: number;
  readonly whole: readonly number[];
}

export function sharesAmong(names: readonly string[]): Share[] {
  return names.flatMap((name, column): Share[] => {
    const parts = wholes.find(([pattern]) => pattern.test(name))?.[1];
    const whole = parts?.map((part) => names.indexOf(part)) ?? [];
    return whole.length === 0 || whole.includes(-1) ? [] : [{ column, whole }];
  });
}

/** What is usual of each share, over rows weighed by their dialogues; 0 where it is known nowhere. */
export function usualShares({ rows, columns, values }: Matrix<Float32Array>, shares: readonly Share[]): Float64Array {
  return Float64Array.from(shares, ({ column, whole }) => {
    let sum = 0;
    let weights = 0;
    for (let row = 0; row < rows; row++) {
      const share = values[row * columns + column]!;
      if (Number.isNaN(share)) continue;
      const weight = Math.min(MOST_WEIGHT, dialoguesOf(values, row * columns, whole));
      sum += weight * share;
      weights += weight;
    }
    return weights > 0 ? sum / weights : 0;
  });
}

/** A copy of the rows with their shares weighed; a share of nothing is as usual. */
export function weighed(values: Float32Array, columns: number, shares: readonly Share[], usual: ArrayLike<number>): Float32Array {
  const copy = values.slice();
  for (let from = 0; from < values.length; from += columns) {
    shares.forEach(({ column, whole }, index) => {
      const share = values[from + column]!;
      const dialogues = Number.isNaN(share) ? 0 : dialoguesOf(values, from, whole);
      copy[from + column] =
        dialogues > 0 ? (dialogues * share + USUAL_DIALOGUES * usual[index]!) / (dialogues + USUAL_DIALOGUES) : usual[index]!;
    });
  }
  return copy;
}

function dialoguesOf(values: Float32Array, from: number, whole: readonly number[]): number {
  let dialogues = 0;
  for (const part of whole) {
    const count = values[from + part]!;
    if (count > 0) dialogues += count;
  }
  // a hostile row may hold anything: beyond this the share is what it is
  return Math.min(dialogues, 1e9);
}
