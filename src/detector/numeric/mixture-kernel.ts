/** Where a Gaussian mixture spends its time, block by block: on WebAssembly where it is built, otherwise in plain code with the same bits. */
import { join } from 'node:path';
import { loadKernel, type Kernel } from './kernel';

/** Rows of a block: its columns, two copies and the responsibilities of 30 components stay in the second-level cache. */
export const BLOCK_ROWS = 256;

/** Buffers and the two inner loops for `components` Gaussians of `columns` dimensions. */
export interface MixtureKernel {
  /** columns × BLOCK_ROWS: the block, transposed. */
  readonly points: Float64Array;
  /** components × columns. */
  readonly means: Float64Array;
  /** components × packed lower triangle: inverses of the Cholesky factors. */
  readonly whiteners: Float64Array;
  /** components × BLOCK_ROWS: squared Mahalanobis distances, which the caller turns into responsibilities. */
  readonly weights: Float64Array;
  /** components × packed lower triangle of columns + 1: Σ weight · z zᵀ of z = (x − mean, 1). */
  readonly moments: Float64Array;
  distances(): void;
  accumulate(): void;
}

/** Offsets of the buffers in Float64s, the same in both kernels. */
function layoutOf(components: number, columns: number) {
  const sizes = {
    points: columns * BLOCK_ROWS,
    means: components * columns,
    whiteners: (components * columns * (columns + 1)) / 2,
    weights: components * BLOCK_ROWS,
    moments: (components * (columns + 1) * (columns + 2)) / 2,
    centred: (columns + 2) * BLOCK_ROWS,
  };
  return sizes;
}

const FIRST_BYTE = 4096;

let loaded: Kernel | null | undefined;

/** `plain`: without WebAssembly, whatever is built. */
export function mixtureKernel(components: number, columns: number, plain = false): MixtureKernel {
  if (loaded === undefined) loaded = loadKernel(join(__dirname, 'mixture.wasm')) ?? null;
  return loaded === null || plain ? plainKernel(components, columns) : compiledKernel(loaded, components, columns);
}

function compiledKernel(kernel: Kernel, components: number, columns: number): MixtureKernel {
  const sizes = layoutOf(components, columns);
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  const buffer = kernel.reserve(FIRST_BYTE + 8 * total);
  let next = FIRST_BYTE;
  const take = (size: number) => {
    // each buffer on a cache line of its own
    const view = new Float64Array(buffer, next, size).fill(0);
    next += 8 * size;
    return view;
  };
  const [points, means, whiteners, weights, moments, centred] = [
    take(sizes.points),
    take(sizes.means),
    take(sizes.whiteners),
    take(sizes.weights),
    take(sizes.moments),
    take(sizes.centred),
  ];
  const at = (view: Float64Array) => view.byteOffset;
  const { distances, accumulate } = kernel.call;
  return {
    points,
    means,
    whiteners,
    weights,
    moments,
    distances: () => void distances!(at(points), at(means), at(whiteners), at(centred), at(weights), components, columns, BLOCK_ROWS),
    accumulate: () => void accumulate!(at(points), at(means), at(weights), at(centred), at(moments), components, columns, BLOCK_ROWS),
  };
}

function plainKernel(components: number, columns: number): MixtureKernel {
  const sizes = layoutOf(components, columns);
  const points = new Float64Array(sizes.points);
  const means = new Float64Array(sizes.means);
  const whiteners = new Float64Array(sizes.whiteners);
  const weights = new Float64Array(sizes.weights);
  const moments = new Float64Array(sizes.moments);
  const centred = new Float64Array(sizes.centred);
  const row = new Float64Array(columns);
  const ones = columns * BLOCK_ROWS;
  const weighted = ones + BLOCK_ROWS;
  return { points, means, whiteners, weights, moments, distances, accumulate };

  function distances(): void {
    for (let k = 0; k < components; k++) {
      const whitener = (k * columns * (columns + 1)) / 2;
      for (let place = 0; place < BLOCK_ROWS; place++) {
        for (let j = 0; j < columns; j++) row[j] = points[j * BLOCK_ROWS + place]! - means[k * columns + j]!;
        let distance = 0;
        for (let i = 0, cell = whitener; i < columns; i++) {
          let sum = 0;
          for (let j = 0; j <= i; j++, cell++) sum += whiteners[cell]! * row[j]!;
          distance += sum * sum;
        }
        weights[k * BLOCK_ROWS + place] = distance;
      }
    }
  }

  function accumulate(): void {
    centred.fill(1, ones, weighted);
    for (let k = 0, cell = 0; k < components; k++) {
      for (let j = 0; j < columns; j++) {
        const mean = means[k * columns + j]!;
        const from = j * BLOCK_ROWS;
        for (let place = 0; place < BLOCK_ROWS; place++) centred[from + place] = points[from + place]! - mean;
      }
      for (let i = 0; i <= columns; i++) {
        for (let place = 0; place < BLOCK_ROWS; place++)
          centred[weighted + place] = weights[k * BLOCK_ROWS + place]! * centred[i * BLOCK_ROWS + place]!;
        for (let j = 0; j <= i; j++, cell++) {
          // even and odd rows apart, as the two lanes of the WebAssembly kernel sum them
          let even = 0;
          let odd = 0;
          const from = j * BLOCK_ROWS;
          for (let place = 0; place < BLOCK_ROWS; place += 2) {
            even += centred[weighted + place]! * centred[from + place]!;
            odd += centred[weighted + place + 1]! * centred[from + place + 1]!;
          }
          moments[cell]! += even + odd;
        }
      }
    }
  }
}
