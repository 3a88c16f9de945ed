/** Fits Gaussian mixtures by expectation and maximisation (Dempster, Laird and Rubin, 1977), and chooses their size by BIC (Schwarz, 1978). */
import { cholesky, inverseOfLower } from './cholesky';
import { CovarianceAccumulator } from './covariance';
import { kMeansStart, lloydRounds, nearestCentres } from './k-means';
import { rowsOf, type Matrix } from './matrix';
import { expect, forEachBlock, loadedKernel, logOffsets, type GaussianMixture } from './mixture';
import { BLOCK_ROWS } from './mixture-kernel';
import { randomStream, sampleWithoutReplacement } from './random';

export interface MixtureOptions {
  /** At least 1; fewer come out where components die. */
  readonly components: number;
  readonly covariance: 'full' | 'diagonal';
  readonly seed: number;
  /** Added to every variance, so that no component collapses. Standardise first. Default 1e-6. */
  readonly regularisation?: number;
  /** A component with a smaller share of the rows is seeded again, after that dropped. Default 0: only where fewer than 2 rows are left. */
  readonly minimumWeight?: number;
  /** Ends where the mean log likelihood per row rises by less. Default 1e-3. */
  readonly tolerance?: number;
  /** Default 100. */
  readonly mostIterations?: number;
  /** Means to start at (components × columns) instead of k-means++. */
  readonly start?: Float64Array;
  /** Without WebAssembly; the answer is the same. */
  readonly plain?: boolean;
}

export interface MixtureFit {
  readonly mixture: GaussianMixture;
  /** Mean per row under the mixture before the last maximisation. */
  readonly logLikelihood: number;
  readonly iterations: number;
  readonly converged: boolean;
}

const START_ROWS = 5_000;
const LLOYD_ROUNDS = 5;
/** How often one fit may seed a dead component again before it drops one. */
const SECOND_CHANCES = 2;

/** Rows without NaN, at least one. */
export function fitMixture(matrix: Matrix, options: MixtureOptions): MixtureFit {
  if (matrix.rows < 1 || options.components < 1)
    throw new RangeError(`expected rows and components, got ${matrix.rows} and ${options.components}`);
  const { tolerance = 1e-3, mostIterations = 100 } = options;
  const revival = new Revival(matrix, options);
  let mixture = startOf(matrix, options, revival.spread);
  let logLikelihood = -Infinity;
  for (let iteration = 1; iteration <= mostIterations; iteration++) {
    const kernel = loadedKernel(mixture, options.plain);
    const offsets = logOffsets(mixture);
    let total = 0;
    forEachBlock(matrix, kernel, (_, rows) => {
      const { likelihood } = expect(kernel, offsets);
      for (let row = 0; row < rows; row++) total += likelihood[row]!;
      if (rows < BLOCK_ROWS)
        for (let k = 0; k < mixture.components; k++) kernel.weights.fill(0, k * BLOCK_ROWS + rows, (k + 1) * BLOCK_ROWS);
      kernel.accumulate();
    });
    const before = logLikelihood;
    logLikelihood = total / matrix.rows;
    const next = revival.afterMaximising(maximised(mixture, kernel.moments, matrix.rows, options));
    mixture = next.mixture;
    if (!next.changed && logLikelihood - before < tolerance) return { mixture, logLikelihood, iterations: iteration, converged: true };
  }
  return { mixture, logLikelihood, iterations: mostIterations, converged: false };
}

/** −2 log likelihood + parameters × log rows: the smaller, the better. */
export function bayesianInformation(fit: MixtureFit, rows: number, covariance: MixtureOptions['covariance']): number {
  const { components, columns } = fit.mixture;
  const shape = covariance === 'full' ? (columns * (columns + 1)) / 2 : columns;
  return -2 * fit.logLikelihood * rows + (components * (1 + columns + shape) - 1) * Math.log(rows);
}

export interface MixtureChoice {
  readonly fit: MixtureFit;
  /** What was tried, in the order given; `components` as they came out. */
  readonly tried: readonly { readonly asked: number; readonly components: number; readonly bic: number }[];
}

/** The mixture of least BIC among the sizes asked, each fitted on the same sample of at most `sampleRows` (20,000) rows. */
export function chooseMixture(
  matrix: Matrix,
  sizes: readonly number[],
  options: Omit<MixtureOptions, 'components' | 'start'> & { readonly sampleRows?: number },
): MixtureChoice {
  const { sampleRows = 20_000 } = options;
  const sample =
    matrix.rows <= sampleRows
      ? matrix
      : rowsOf(matrix, sampleWithoutReplacement(matrix.rows, sampleRows, randomStream(options.seed, SAMPLE_STREAM)).sort());
  let best: { fit: MixtureFit; bic: number } | undefined;
  const tried: MixtureChoice['tried'][number][] = [];
  for (const asked of sizes) {
    const fit = fitMixture(sample, { ...options, components: asked });
    const bic = bayesianInformation(fit, sample.rows, options.covariance);
    tried.push({ asked, components: fit.mixture.components, bic });
    if (best === undefined || bic < best.bic) best = { fit, bic };
  }
  if (best === undefined) throw new RangeError('expected at least one size to choose from');
  return { fit: best.fit, tried };
}

const START_STREAM = 0;
const SAMPLE_STREAM = 1;
const REVIVAL_STREAM = 2;

/** k-means++ and Lloyd's rounds on a sample; its groups' weights, means and covariances. */
function startOf(matrix: Matrix, options: MixtureOptions, spread: Float64Array): GaussianMixture {
  const random = randomStream(options.seed, START_STREAM);
  const sample = matrix.rows <= START_ROWS ? matrix : rowsOf(matrix, sampleWithoutReplacement(matrix.rows, START_ROWS, random));
  const { columns, values } = sample;
  const components = Math.min(options.components, sample.rows);
  const centres = options.start ?? lloydRounds(sample, kMeansStart(sample, components, random), LLOYD_ROUNDS);
  const nearest = nearestCentres(sample, centres);
  const parts = Array.from({ length: components }, (_, k) => {
    const group = new CovarianceAccumulator(columns);
    const own = Array.from(nearest.keys()).filter((row) => nearest[row] === k);
    if (own.length > 0) group.add(rowsOf({ rows: sample.rows, columns, values }, own));
    return own.length > columns
      ? { weight: own.length, mean: group.mean(), covariance: packed(group.covariance('population'), columns) }
      : { weight: Math.max(1, own.length), mean: centres.subarray(k * columns, (k + 1) * columns), covariance: spread };
  });
  return assembled(parts, columns, options);
}

interface Part {
  /** Relative; `assembled` brings the sum to 1. */
  readonly weight: number;
  readonly mean: Float64Array;
  /** Packed lower triangle, without regularisation. */
  readonly covariance: Float64Array;
}

/** Means, covariances and weights from the moments about the means before. */
function maximised(
  mixture: GaussianMixture,
  moments: Float64Array,
  rows: number,
  options: MixtureOptions,
): { parts: Part[]; columns: number; rows: number; options: MixtureOptions } {
  const { components, columns } = mixture;
  const triangle = (columns * (columns + 1)) / 2;
  const width = ((columns + 1) * (columns + 2)) / 2;
  const parts = Array.from({ length: components }, (_, k) => {
    const own = moments.subarray(k * width, (k + 1) * width);
    const weight = own[width - 1]!;
    const shift = own.subarray(triangle, triangle + columns);
    const mean = new Float64Array(columns);
    const covariance = new Float64Array(triangle);
    for (let i = 0, cell = 0; i < columns; i++) {
      mean[i] = mixture.means[k * columns + i]! + (weight > 0 ? shift[i]! / weight : 0);
      for (let j = 0; j <= i; j++, cell++)
        covariance[cell] = weight > 0 ? own[cell]! / weight - (shift[i]! / weight) * (shift[j]! / weight) : 0;
    }
    return { weight, mean, covariance };
  });
  return { parts, columns, rows, options };
}

/** What becomes of components that hold too few rows: another chance elsewhere, then none. */
class Revival {
  /** Packed covariance of all rows. */
  readonly spread: Float64Array;
  private readonly random: () => number;
  private chances = SECOND_CHANCES;

  constructor(
    private readonly matrix: Matrix,
    options: MixtureOptions,
  ) {
    const all = new CovarianceAccumulator(matrix.columns);
    const some = matrix.rows <= 4 * START_ROWS ? matrix : { ...matrix, rows: 4 * START_ROWS };
    all.add(some);
    this.spread = packed(all.covariance('population'), matrix.columns);
    this.random = randomStream(options.seed, REVIVAL_STREAM);
  }

  afterMaximising({ parts, columns, rows, options }: ReturnType<typeof maximised>): { mixture: GaussianMixture; changed: boolean } {
    const least = Math.max(2, (options.minimumWeight ?? 0) * rows);
    const weakest = parts.reduce((found, part, k) => (part.weight < parts[found]!.weight ? k : found), 0);
    // one at a time: what it held may keep another alive
    if (parts.length === 1 || parts[weakest]!.weight >= least) return { mixture: assembled(parts, columns, options), changed: false };
    const others = parts.filter((_, k) => k !== weakest);
    if (this.chances > 0) {
      this.chances -= 1;
      others.push(this.newcomer(rows / parts.length));
    }
    return { mixture: assembled(others, columns, options), changed: true };
  }

  private newcomer(weight: number): Part {
    const { columns, rows, values } = this.matrix;
    const row = Math.floor(this.random() * rows);
    return { weight, mean: Float64Array.from(values.subarray(row * columns, (row + 1) * columns)), covariance: this.spread };
  }
}

function assembled(parts: readonly Part[], columns: number, options: MixtureOptions): GaussianMixture {
  const triangle = (columns * (columns + 1)) / 2;
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const means = new Float64Array(parts.length * columns);
  const whiteners = new Float64Array(parts.length * triangle);
  parts.forEach((part, k) => {
    means.set(part.mean, k * columns);
    whiteners.set(whitenerOf(part.covariance, columns, options), k * triangle);
  });
  return { components: parts.length, columns, weights: Float64Array.from(parts, ({ weight }) => weight / total), means, whiteners };
}

function whitenerOf(covariance: Float64Array, columns: number, { covariance: shape, regularisation = 1e-6 }: MixtureOptions): Float64Array {
  for (let added = regularisation; ; added = Math.max(1e-12, added * 10)) {
    const regular = covariance.slice();
    for (let i = 0, cell = 0; i < columns; i++) {
      for (let j = 0; j < i; j++, cell++) if (shape === 'diagonal') regular[cell] = 0;
      regular[cell++]! += added;
    }
    const factor = cholesky(regular, columns);
    if (factor !== undefined) return inverseOfLower(factor, columns);
    if (!(added < 1e300)) throw new RangeError('the covariance of a component is not finite: scale the columns first');
  }
}

function packed(square: Float64Array, columns: number): Float64Array {
  const triangle = new Float64Array((columns * (columns + 1)) / 2);
  for (let i = 0, cell = 0; i < columns; i++) for (let j = 0; j <= i; j++, cell++) triangle[cell] = square[i * columns + j]!;
  return triangle;
}
