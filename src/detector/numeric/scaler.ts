/** Brings columns to mean 0 and standard deviation 1. */
import type { Matrix } from './matrix';

export interface StandardScaler {
  readonly means: Float64Array;
  /** Population standard deviations; 1 where a column is constant, which so becomes 0 everywhere. */
  readonly deviations: Float64Array;
}

/** Rows without NaN. Two passes, so that large offsets don't cancel. */
export function fitScaler({ rows, columns, values }: Matrix): StandardScaler {
  const means = new Float64Array(columns);
  const deviations = new Float64Array(columns);
  for (let row = 0, cell = 0; row < rows; row++) for (let i = 0; i < columns; i++, cell++) means[i]! += values[cell]!;
  for (let i = 0; i < columns; i++) means[i]! /= Math.max(1, rows);
  for (let row = 0, cell = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++, cell++) deviations[i]! += (values[cell]! - means[i]!) ** 2;
  }
  for (let i = 0; i < columns; i++) {
    const deviation = Math.sqrt(deviations[i]! / Math.max(1, rows));
    // what is left of a constant column is rounding (scikit-learn's rule: 10 ulps of the mean)
    deviations[i] = deviation > 10 * Number.EPSILON * Math.abs(means[i]!) && deviation > 0 ? deviation : 1;
  }
  return { means, deviations };
}

/** New rows, standardised. */
export function standardised({ rows, columns, values }: Matrix, { means, deviations }: StandardScaler): Matrix<Float64Array> {
  const scaled = new Float64Array(rows * columns);
  for (let row = 0, cell = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++, cell++) scaled[cell] = (values[cell]! - means[i]!) / deviations[i]!;
  }
  return { rows, columns, values: scaled };
}
