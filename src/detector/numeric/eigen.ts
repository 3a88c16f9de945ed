/** Eigenvalues and eigenvectors of a symmetric matrix by cyclic Jacobi rotations: short, and accurate to the last digits. */

export interface Eigen {
  /** Descending. */
  readonly values: Float64Array;
  /** One eigenvector per row, of length 1, in the order of `values`; its largest entry is positive, so that the sign is settled. */
  readonly vectors: Float64Array;
}

const MOST_SWEEPS = 60;

/** `matrix`: size × size, symmetric; left as it is. */
export function symmetricEigen(matrix: Float64Array, size: number): Eigen {
  const a = matrix.slice(0, size * size);
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  const scale = a.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < MOST_SWEEPS && offDiagonal(a, size) > Number.EPSILON ** 2 * scale; sweep++) {
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, vectors, size, p, q);
  }
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => a[j * size + j]! - a[i * size + i]! || i - j);
  const sorted = new Float64Array(size * size);
  order.forEach((from, to) => {
    const vector = vectors.subarray(from * size, (from + 1) * size);
    const largest = vector.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    sorted.set(largest < 0 ? vector.map((value) => -value) : vector, to * size);
  });
  return { values: Float64Array.from(order, (i) => a[i * size + i]!), vectors: sorted };
}

function offDiagonal(a: Float64Array, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) sum += 2 * a[i * size + j]! ** 2;
  return sum;
}

/** Turns the plane of p and q so that a[p, q] becomes 0 (Golub and Van Loan, Matrix Computations, 8.5). */
function rotate(a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const between = a[p * size + q]!;
  if (between === 0) return;
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * between);
  const tangent = Math.abs(theta) > 1e150 ? 0.5 / theta : (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  a[p * size + p]! -= tangent * between;
  a[q * size + q]! += tangent * between;
  a[p * size + q] = 0;
  a[q * size + p] = 0;
  for (let i = 0; i < size; i++) {
    if (i === p || i === q) continue;
    const atP = a[p * size + i]!;
    const atQ = a[q * size + i]!;
    const newP = cosine * atP - sine * atQ;
    const newQ = sine * atP + cosine * atQ;
    a[p * size + i] = newP;
    a[i * size + p] = newP;
    a[q * size + i] = newQ;
    a[i * size + q] = newQ;
  }
  for (let i = 0; i < size; i++) {
    const atP = vectors[p * size + i]!;
    const atQ = vectors[q * size + i]!;
    vectors[p * size + i] = cosine * atP - sine * atQ;
    vectors[q * size + i] = sine * atP + cosine * atQ;
  }
}
