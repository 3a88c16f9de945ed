/** What is usual in each column, told by order statistics, so that a few wild rows don't move it. */
import type { Matrix } from './matrix';
import { quantileOfSorted } from './quantile';

const MOST_ROWS = 20_000;

/** Per column, over the rows where it is known (at most 20,000 of them, evenly spaced); NaN where it is known nowhere. */
export interface Usual {
  /** Quantiles at 0.05, 0.25, 0.5, 0.75 and 0.95 (type 7). */
  readonly low: Float64Array;
  readonly lowerQuartile: Float64Array;
  readonly median: Float64Array;
  readonly upperQuartile: Float64Array;
  readonly high: Float64Array;
}

export function usualOf(matrix: Matrix): Usual {
  const { columns, values } = matrix;
  // evenly spaced rows: enough for quantiles, and the same ones every time
  const rows = Math.min(matrix.rows, MOST_ROWS);
  const rowAt = (place: number) => Math.floor((place * matrix.rows) / rows);
  const usual: Usual = {
    low: new Float64Array(columns),
    lowerQuartile: new Float64Array(columns),
    median: new Float64Array(columns),
    upperQuartile: new Float64Array(columns),
    high: new Float64Array(columns),
  };
  const known = new Float64Array(rows);
  for (let column = 0; column < columns; column++) {
    let count = 0;
    for (let place = 0; place < rows; place++) {
      const value = values[rowAt(place) * columns + column]!;
      if (!Number.isNaN(value)) known[count++] = value;
    }
    const sorted = known.subarray(0, count).sort();
    usual.low[column] = quantileOfSorted(sorted, 0.05);
    usual.lowerQuartile[column] = quantileOfSorted(sorted, 0.25);
    usual.median[column] = quantileOfSorted(sorted, 0.5);
    usual.upperQuartile[column] = quantileOfSorted(sorted, 0.75);
    usual.high[column] = quantileOfSorted(sorted, 0.95);
  }
  return usual;
}

/** Interquartile range of a normal distribution in standard deviations. */
const IQR_OF_NORMAL = 1.349;

/** Distance from the median in robust standard deviations (IQR / 1.349), which count at least `floor`; 0 where nothing is known. */
export function robustZ(usual: Usual, column: number, value: number, floor: number): number {
  const spread = Math.max(floor, (usual.upperQuartile[column]! - usual.lowerQuartile[column]!) / IQR_OF_NORMAL);
  const z = (value - usual.median[column]!) / spread;
  return Number.isFinite(z) ? z : 0;
}

/** Puts the column's median where a value is missing (0 where none is known); in place. */
export function imputeMedians({ rows, columns, values }: Matrix, median: Float64Array): void {
  for (let row = 0, cell = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, cell++) {
      // NaN alone differs from itself: no call in the inner loop
      if (values[cell] !== values[cell]) values[cell] = median[column] === median[column] ? median[column]! : 0;
    }
  }
}
