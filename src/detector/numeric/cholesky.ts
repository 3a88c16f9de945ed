/** Cholesky factors and their inverses, as packed lower triangles: row after row, `(i * (i + 1)) / 2 + j`. */

/** L with L Lᵀ = matrix (a packed lower triangle too); undefined where the matrix is not positive definite. */
export function cholesky(matrix: Float64Array, size: number): Float64Array | undefined {
  const factor = new Float64Array((size * (size + 1)) / 2);
  for (let i = 0, row = 0; i < size; row += ++i) {
    for (let j = 0, other = 0; j <= i; other += ++j) {
      let sum = matrix[row + j]!;
      for (let k = 0; k < j; k++) sum -= factor[row + k]! * factor[other + k]!;
      if (i > j) factor[row + j] = sum / factor[other + j]!;
      else if (sum > 0 && Number.isFinite(sum)) factor[row + j] = Math.sqrt(sum);
      else return undefined;
    }
  }
  return factor;
}

/** The inverse of a packed lower triangle, again one. */
export function inverseOfLower(factor: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(factor.length);
  const at = (i: number, j: number) => (i * (i + 1)) / 2 + j;
  for (let j = 0; j < size; j++) {
    inverse[at(j, j)] = 1 / factor[at(j, j)]!;
    for (let i = j + 1; i < size; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= factor[at(i, k)]! * inverse[at(k, j)]!;
      inverse[at(i, j)] = sum / factor[at(i, i)]!;
    }
  }
  return inverse;
}
