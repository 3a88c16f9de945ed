/** The density of the population: imputed, scaled, standardised, brought to principal components, described by a mixture. */
import {
  assign,
  chooseMixture,
  CovarianceAccumulator,
  fitScaler,
  imputeMedians,
  principalComponents,
  projected,
  rowsOf,
  standardised,
  type Assignment,
  type GaussianMixture,
  type Matrix,
  type PrincipalComponents,
  type StandardScaler,
} from 'simwarden/detector/numeric';

export interface Density {
  readonly median: Float64Array;
  readonly scale: Scale;
  readonly scaler: StandardScaler;
  readonly pca: PrincipalComponents;
  readonly mixture: GaussianMixture;
}
export type Scale = 'linear' | 'logarithmic';

interface FitOptions {
  readonly mostComponents: number;
  readonly minimumWeight: number;
  readonly varianceShare: number;
  readonly mostDirections: number;
  readonly scale: Scale;
}

/** Rows on which the mixture's size is chosen and fitted. */
const SAMPLE_ROWS = 20_000;
/** Rows scored together, so that the standardised copies stay small. */
const BLOCK_ROWS = 4_096;
/** Beyond so many standard deviations nothing gets more unlikely: keeps the densities of hostile rows finite. */
const FARTHEST = 1e6;

export function fitDensity(training: Matrix, median: Float64Array, options: FitOptions, seed: number): Density {
  const { scale, varianceShare, mostDirections, mostComponents, minimumWeight } = options;
  const sample = training.rows <= SAMPLE_ROWS ? training : rowsOf(training, evenly(training.rows, SAMPLE_ROWS));
  const known = imputedAndScaled(sample, median, scale);
  const scaler = fitScaler(known);
  const standard = standardised(known, scaler);
  const covariance = new CovarianceAccumulator(standard.columns);
  covariance.add(standard);
  const pca = principalComponents(covariance.mean(), covariance.covariance('population'), {
    varianceShare,
    mostComponents: mostDirections,
  });
  const { fit } = chooseMixture(projected(standard, pca), sizesUpTo(mostComponents), {
    covariance: 'full',
    seed,
    regularisation: 1e-4,
    minimumWeight,
    sampleRows: SAMPLE_ROWS,
  });
  return { median, scale, scaler, pca, mixture: fit.mixture };
}

/** Log likelihood and component of each row. */
export function densityOf(density: Density, matrix: Matrix): Assignment {
  const component = new Int32Array(matrix.rows);
  const logLikelihood = new Float64Array(matrix.rows);
  for (let from = 0; from < matrix.rows; from += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, matrix.rows - from);
    const block = matrix.values.subarray(from * matrix.columns, (from + rows) * matrix.columns);
    const found = assign(density.mixture, projected(standardRows(density, { rows, columns: matrix.columns, values: block }), density.pca));
    component.set(found.component, from);
    logLikelihood.set(found.logLikelihood, from);
  }
  return { component, logLikelihood };
}

/**
 * Per row and column, its part in the row's squared Mahalanobis distance from the component that the row belongs to. With A the whitener after the
 * projection and d the standardised difference, |A d|² = Σ dᵢ (Aᵀ A d)ᵢ: the parts of a row add up to the distance; some may be negative.
 */
export function unlikeliness(density: Density, matrix: Matrix): Float64Array {
  const { pca, mixture } = density;
  const { columns } = matrix;
  const { components: directions } = pca;
  const standard = standardRows(density, matrix);
  const points = projected(standard, pca);
  const { component } = assign(mixture, points);
  const centres = new Map<number, Float64Array>();
  const parts = new Float64Array(matrix.rows * columns);
  for (let row = 0; row < matrix.rows; row++) {
    const k = component[row]!;
    const centre = centres.get(k) ?? centreOf(density, k);
    centres.set(k, centre);
    const gradient = gradientAt(mixture, points.values.subarray(row * directions, (row + 1) * directions), k);
    for (let column = 0, cell = row * columns; column < columns; column++, cell++) {
      let pull = 0;
      for (let i = 0; i < directions; i++) pull += pca.directions[i * columns + column]! * gradient[i]!;
      parts[cell] = (standard.values[cell]! - centre[column]!) * pull;
    }
  }
  return parts;
}

/** A component's mean, among the standardised columns. */
function centreOf({ pca, mixture }: Density, k: number): Float64Array {
  const { components: directions, means } = pca;
  return means.map((mean, column) => {
    let centre = mean;
    for (let i = 0; i < directions; i++) centre += pca.directions[i * means.length + column]! * mixture.means[k * directions + i]!;
    return centre;
  });
}

/** v = Wᵀ W (z − μ), the gradient of half the distance. */
function gradientAt({ columns, means, whiteners }: GaussianMixture, point: Float64Array, k: number): Float64Array {
  const triangle = (columns * (columns + 1)) / 2;
  const whitener = whiteners.subarray(k * triangle, (k + 1) * triangle);
  const away = point.map((value, i) => value - means[k * columns + i]!);
  const white = new Float64Array(columns);
  for (let i = 0, cell = 0; i < columns; i++) for (let j = 0; j <= i; j++, cell++) white[i]! += whitener[cell]! * away[j]!;
  const gradient = new Float64Array(columns);
  for (let i = 0, cell = 0; i < columns; i++) for (let j = 0; j <= i; j++, cell++) gradient[j]! += whitener[cell]! * white[i]!;
  return gradient;
}

/** As `imputedAndScaled`, then standardised: in one pass over the cells, since every SIM of a day goes through it. */
function standardRows({ median, scale, scaler }: Density, { rows, columns, values }: Matrix): Matrix<Float64Array> {
  const { means, deviations } = scaler;
  const standard = new Float64Array(rows * columns);
  const isLogarithmic = scale === 'logarithmic';
  for (let row = 0, cell = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, cell++) {
      let value = values[cell]!;
      // NaN alone differs from itself
      if (value !== value) value = median[column] === median[column] ? median[column]! : 0;
      value = within(value, LARGEST);
      if (isLogarithmic) value = logarithm(value);
      standard[cell] = within((value - means[column]!) / deviations[column]!, FARTHEST);
    }
  }
  return { rows, columns, values: standard };
}

function imputedAndScaled(matrix: Matrix, median: Float64Array, scale: Scale): Matrix<Float64Array> {
  const known = { ...matrix, values: new Float64Array(matrix.values) };
  imputeMedians(known, median);
  const { values } = known;
  for (let cell = 0; cell < values.length; cell++) {
    const value = within(values[cell]!, LARGEST);
    values[cell] = scale === 'logarithmic' ? logarithm(value) : value;
  }
  return known;
}

function within(value: number, most: number): number {
  return value > most ? most : value < -most ? -most : value;
}

function logarithm(value: number): number {
  return Math.sign(value) * Math.log1p(Math.abs(value));
}

/** The largest float32. */
const LARGEST = 3.4028234663852886e38;

function evenly(total: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, place) => Math.floor((place * total) / count));
}

/** 1, 2, 3, 4, 6, 8, 10, 13 …: close together where one more Gaussian matters. */
function sizesUpTo(most: number): number[] {
  const sizes: number[] = [];
  for (let size = 1; size <= most; size += Math.max(1, Math.round(size / 3))) sizes.push(size);
  return sizes.at(-1) === most ? sizes : [...sizes, most];
}
