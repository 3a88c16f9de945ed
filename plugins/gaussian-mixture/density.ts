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

/** One row, standardised. */
export function coordinatesOf(density: Density, row: Float32Array | Float64Array): Float64Array {
  return standardRows(density, { rows: 1, columns: row.length, values: row }).values;
}

/**
 * Per column, its part in the row's squared Mahalanobis distance from the component `k` that it belongs to. With A the whitener after the projection
 * and d the standardised difference, |A d|² = Σ dᵢ (Aᵀ A d)ᵢ: the parts add up to the distance; some may be negative.
 */
export function unlikeliness({ pca, mixture }: Density, standard: Float64Array, k: number): Float64Array {
  const columns = standard.length;
  const { components: directions } = pca;
  const point = projected({ rows: 1, columns, values: standard }, pca);
  const triangle = (directions * (directions + 1)) / 2;
  const whitener = mixture.whiteners.subarray(k * triangle, (k + 1) * triangle);
  const away = point.values.map((value, i) => value - mixture.means[k * directions + i]!);
  // v = Wᵀ W (z − μ), the gradient of half the distance
  const white = new Float64Array(directions);
  for (let i = 0, cell = 0; i < directions; i++) for (let j = 0; j <= i; j++, cell++) white[i]! += whitener[cell]! * away[j]!;
  const gradient = new Float64Array(directions);
  for (let i = 0, cell = 0; i < directions; i++) for (let j = 0; j <= i; j++, cell++) gradient[j]! += whitener[cell]! * white[i]!;
  return standard.map((value, column) => {
    let pull = 0;
    let centre = pca.means[column]!;
    for (let i = 0; i < directions; i++) {
      const direction = pca.directions[i * columns + column]!;
      pull += direction * gradient[i]!;
      centre += direction * mixture.means[k * directions + i]!;
    }
    return (value - centre) * pull;
  });
}

function standardRows({ median, scale, scaler }: Density, matrix: Matrix): Matrix<Float64Array> {
  const standard = standardised(imputedAndScaled(matrix, median, scale), scaler);
  const { values } = standard;
  clamp(values, FARTHEST);
  return standard;
}

function imputedAndScaled(matrix: Matrix, median: Float64Array, scale: Scale): Matrix<Float64Array> {
  const known = { ...matrix, values: new Float64Array(matrix.values) };
  imputeMedians(known, median);
  const { values } = known;
  clamp(values, LARGEST);
  if (scale === 'logarithmic') {
    for (let cell = 0; cell < values.length; cell++) values[cell] = Math.sign(values[cell]!) * Math.log1p(Math.abs(values[cell]!));
  }
  return known;
}

function clamp(values: Float64Array, most: number): void {
  for (let cell = 0; cell < values.length; cell++) {
    const value = values[cell]!;
    if (value > most) values[cell] = most;
    else if (value < -most) values[cell] = -most;
  }
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
