/** Principal components: the few directions in which rows differ most. */
import { symmetricEigen } from './eigen';
import type { Matrix } from './matrix';

export interface PrincipalComponents {
  readonly means: Float64Array;
  readonly components: number;
  /** components × columns: one direction of length 1 per row, the widest first. */
  readonly directions: Float64Array;
  /** Variance along each direction, descending. */
  readonly variances: Float64Array;
}

export interface PcaOptions {
  /** Share of the variance to keep, 0 to 1. */
  readonly varianceShare: number;
  /** At most so many components. */
  readonly mostComponents: number;
}

/** From means and a square covariance matrix, as `CovarianceAccumulator` gives them. At least one component. */
export function principalComponents(means: Float64Array, covariance: Float64Array, options: PcaOptions): PrincipalComponents {
  const columns = means.length;
  const { values, vectors } = symmetricEigen(covariance, columns);
  const variances = values.map((value) => Math.max(0, value));
  const wanted = options.varianceShare * variances.reduce((sum, value) => sum + value, 0);
  let kept = variances[0] ?? 0;
  let components = 1;
  // directions without variance hold nothing but rounding
  while (components < Math.min(columns, options.mostComponents) && kept < wanted && variances[components]! > 1e-12 * variances[0]!) {
    kept += variances[components]!;
    components += 1;
  }
  return { means, components, directions: vectors.slice(0, components * columns), variances: variances.slice(0, components) };
}

/** Rows in the coordinates of the components. */
export function projected({ rows, columns, values }: Matrix, pca: PrincipalComponents): Matrix<Float64Array> {
  const { components, directions, means } = pca;
  const offsets = new Float64Array(components);
  for (let k = 0; k < components; k++) for (let i = 0; i < columns; i++) offsets[k]! += directions[k * columns + i]! * means[i]!;
  const coordinates = new Float64Array(rows * components);
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const to = row * components;
    let k = 0;
    // four sums side by side, each in its own order: they don't wait for each other
    for (; k + 4 <= components; k += 4) {
      const [d0, d1, d2, d3] = [k * columns, (k + 1) * columns, (k + 2) * columns, (k + 3) * columns];
      let s0 = -offsets[k]!;
      let s1 = -offsets[k + 1]!;
      let s2 = -offsets[k + 2]!;
      let s3 = -offsets[k + 3]!;
      for (let i = 0; i < columns; i++) {
        const value = values[from + i]!;
        s0 += directions[d0 + i]! * value;
        s1 += directions[d1 + i]! * value;
        s2 += directions[d2 + i]! * value;
        s3 += directions[d3 + i]! * value;
      }
      coordinates[to + k] = s0;
      coordinates[to + k + 1] = s1;
      coordinates[to + k + 2] = s2;
      coordinates[to + k + 3] = s3;
    }
    for (; k < components; k++) {
      const direction = k * columns;
      let sum = -offsets[k]!;
      for (let i = 0; i < columns; i++) sum += directions[direction + i]! * values[from + i]!;
      coordinates[to + k] = sum;
    }
  }
  return { rows, columns: components, values: coordinates };
}
