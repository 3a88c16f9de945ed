/** Gaussian mixtures: what one is, how likely it makes a row, and which component a row belongs to. */
import type { Matrix } from './matrix';
import { BLOCK_ROWS, mixtureKernel, type MixtureKernel } from './mixture-kernel';

export interface GaussianMixture {
  readonly components: number;
  readonly columns: number;
  /** Sum to 1. */
  readonly weights: Float64Array;
  /** components × columns. */
  readonly means: Float64Array;
  /** Per component the packed lower triangle W, the inverse of the covariance's Cholesky factor: W (x − mean) is standard normal. Diagonal covariances have diagonal triangles. */
  readonly whiteners: Float64Array;
}

export interface Assignment {
  /** The component of highest posterior probability of each row; the first of equals. */
  readonly component: Int32Array;
  /** Natural logarithm of the density of each row under the whole mixture. */
  readonly logLikelihood: Float64Array;
}

/** Rows without NaN. `plain`: without WebAssembly (the answer is the same). */
export function assign(mixture: GaussianMixture, matrix: Matrix, plain = false): Assignment {
  const component = new Int32Array(matrix.rows);
  const logLikelihood = new Float64Array(matrix.rows);
  const kernel = loadedKernel(mixture, plain);
  const offsets = logOffsets(mixture);
  forEachBlock(matrix, kernel, (from, rows) => {
    const { most, likelihood } = expect(kernel, offsets);
    component.set(most.subarray(0, rows), from);
    logLikelihood.set(likelihood.subarray(0, rows), from);
  });
  return { component, logLikelihood };
}

/** A kernel that holds the mixture; good until the next one is made. */
export function loadedKernel(mixture: GaussianMixture, plain = false): MixtureKernel {
  const kernel = mixtureKernel(mixture.components, mixture.columns, plain);
  kernel.means.set(mixture.means);
  kernel.whiteners.set(mixture.whiteners);
  return kernel;
}

/** Hands the rows to the kernel block by block; `distances` are computed, rows beyond the last are zeros. */
export function forEachBlock(matrix: Matrix, kernel: MixtureKernel, use: (from: number, rows: number) => void): void {
  const { columns, values } = matrix;
  for (let from = 0; from < matrix.rows; from += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, matrix.rows - from);
    if (rows < BLOCK_ROWS) kernel.points.fill(0);
    for (let row = 0, cell = from * columns; row < rows; row++) {
      for (let column = 0, to = row; column < columns; column++, cell++, to += BLOCK_ROWS) kernel.points[to] = values[cell]!;
    }
    kernel.distances();
    use(from, rows);
  }
}

/** Per component: log weight + log determinant of the whitener − d/2 log 2π. */
export function logOffsets({ components, columns, weights, whiteners }: GaussianMixture): Float64Array {
  const triangle = (columns * (columns + 1)) / 2;
  return Float64Array.from({ length: components }, (_, k) => {
    let offset = Math.log(weights[k]!) - (columns / 2) * Math.log(2 * Math.PI);
    for (let i = 0, cell = k * triangle; i < columns; i++, cell += i + 1) offset += Math.log(whiteners[cell]!);
    return offset;
  });
}

/** Responsibilities below e⁻²⁸ (10⁻¹²) of the largest count as none. */
const NEGLIGIBLE_EXPONENT = -28;

const most = new Int32Array(BLOCK_ROWS);
const highest = new Float64Array(BLOCK_ROWS);
const sums = new Float64Array(BLOCK_ROWS);
const likelihood = new Float64Array(BLOCK_ROWS);

/** Turns the distances of a block into responsibilities (log-sum-exp); the answer is good until the next block. */
export function expect(kernel: MixtureKernel, offsets: Float64Array): { readonly most: Int32Array; readonly likelihood: Float64Array } {
  const { weights } = kernel;
  const components = offsets.length;
  highest.fill(-Infinity);
  most.fill(0);
  for (let k = 0; k < components; k++) {
    const offset = offsets[k]!;
    for (let row = 0, cell = k * BLOCK_ROWS; row < BLOCK_ROWS; row++, cell++) {
      const logDensity = offset - 0.5 * weights[cell]!;
      weights[cell] = logDensity;
      if (logDensity > highest[row]!) {
        highest[row] = logDensity;
        most[row] = k;
      }
    }
  }
  sums.fill(0);
  for (let k = 0; k < components; k++) {
    for (let row = 0, cell = k * BLOCK_ROWS; row < BLOCK_ROWS; row++, cell++) {
      const exponent = weights[cell]! - highest[row]!;
      const share = exponent < NEGLIGIBLE_EXPONENT ? 0 : Math.exp(exponent);
      weights[cell] = share;
      sums[row]! += share;
    }
  }
  for (let row = 0; row < BLOCK_ROWS; row++) {
    likelihood[row] = highest[row]! + Math.log(sums[row]!);
    sums[row] = 1 / sums[row]!;
  }
  for (let k = 0, cell = 0; k < components; k++) for (let row = 0; row < BLOCK_ROWS; row++, cell++) weights[cell]! *= sums[row]!;
  return { most, likelihood };
}
