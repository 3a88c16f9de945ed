/** Means and covariance in one pass over rows that arrive in blocks, without the cancellation of E[xx] − μμ. */
import type { Matrix } from './matrix';

/** Adds blocks of rows; each block is centred on its own means, then merged (Chan, Golub and LeVeque, 1979). */
export class CovarianceAccumulator {
  private count = 0;
  private readonly means: Float64Array;
  /** Lower triangle, row after row: Σ (x − mean)(y − mean). */
  private readonly products: Float64Array;

  constructor(private readonly columns: number) {
    this.means = new Float64Array(columns);
    this.products = new Float64Array((columns * (columns + 1)) / 2);
  }

  get rows(): number {
    return this.count;
  }

  /** Rows without NaN. */
  add({ rows, columns, values }: Matrix): void {
    if (columns !== this.columns) throw new RangeError(`expected ${this.columns} columns, got ${columns}`);
    for (let from = 0; from < rows; from += BLOCK_ROWS) {
      const to = Math.min(rows, from + BLOCK_ROWS);
      this.addBlock(values.subarray(from * columns, to * columns), to - from);
    }
  }

  mean(): Float64Array {
    return this.means.slice();
  }

  /** Square and symmetric; divided by rows − 1 (`sample`) or by rows (`population`). Zeros for too few rows. */
  covariance(of: 'sample' | 'population' = 'sample'): Float64Array {
    const { columns, products } = this;
    const divisor = of === 'sample' ? this.count - 1 : this.count;
    const square = new Float64Array(columns * columns);
    for (let i = 0, cell = 0; i < columns; i++) {
      for (let j = 0; j <= i; j++, cell++) {
        const value = divisor > 0 ? products[cell]! / divisor : 0;
        square[i * columns + j] = value;
        square[j * columns + i] = value;
      }
    }
    return square;
  }

  private addBlock(values: Float32Array | Float64Array, rows: number): void {
    const { columns, means, products } = this;
    const blockMeans = new Float64Array(columns);
    for (let row = 0, cell = 0; row < rows; row++) for (let i = 0; i < columns; i++, cell++) blockMeans[i]! += values[cell]!;
    for (let i = 0; i < columns; i++) blockMeans[i]! /= rows;
    const centred = new Float64Array(columns);
    for (let row = 0; row < rows; row++) {
      const from = row * columns;
      for (let i = 0; i < columns; i++) centred[i] = values[from + i]! - blockMeans[i]!;
      for (let i = 0, cell = 0; i < columns; i++) {
        const own = centred[i]!;
        for (let j = 0; j <= i; j++, cell++) products[cell]! += own * centred[j]!;
      }
    }
    const total = this.count + rows;
    const shift = blockMeans.map((mean, i) => mean - means[i]!);
    const weight = (this.count * rows) / total;
    for (let i = 0, cell = 0; i < columns; i++) for (let j = 0; j <= i; j++, cell++) products[cell]! += weight * shift[i]! * shift[j]!;
    for (let i = 0; i < columns; i++) means[i]! += (shift[i]! * rows) / total;
    this.count = total;
  }
}

const BLOCK_ROWS = 512;
