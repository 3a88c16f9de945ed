import fc from 'fast-check';
import { assign, bayesianInformation, chooseMixture, fitMixture, randomStream, type GaussianMixture, type Matrix } from '.';

/** Rows of Gaussian groups: `centres[k]` with unit covariance, group after group in turn. */
function groups(centres: readonly (readonly number[])[], rows: number, seed: number): Matrix<Float64Array> {
  const random = randomStream(seed, 0);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const columns = centres[0]!.length;
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) values[row * columns + column] = centres[row % centres.length]![column]! + normal();
  }
  return { rows, columns, values };
}

const three = groups(
  [
    [0, 0],
    [8, 0],
    [0, 8],
  ],
  3_000,
  1,
);
const fitting = { covariance: 'full', seed: 1 } as const;

describe('a Gaussian mixture', () => {
  it('of one component is the mean and covariance of the rows', () => {
    const values = Float64Array.of(0, 0, 2, 0, 0, 4, 2, 4);
    const { mixture, converged } = fitMixture({ rows: 4, columns: 2, values }, { ...fitting, components: 1, regularisation: 0 });
    expect(converged).toBe(true);
    expect(Array.from(mixture.means)).toEqual([1, 2]);
    // variances 1 and 4, so whiteners 1 and ½
    expect(Array.from(mixture.whiteners)).toEqual([1, expect.closeTo(0, 12), 0.5]);
  });

  it('finds the groups, and assigns each row to its own', () => {
    const { mixture } = fitMixture(three, { ...fitting, components: 3 });
    const found = Array.from({ length: 3 }, (_, k) =>
      [mixture.means[2 * k]!, mixture.means[2 * k + 1]!].map((mean) => Math.round(mean) + 0),
    ).sort();
    expect(found).toEqual([
      [0, 0],
      [0, 8],
      [8, 0],
    ]);
    const { component } = assign(mixture, three);
    const whole = Array.from({ length: 3 }, (_, k) => component.filter((_, row) => row % 3 === k));
    expect(whole.map((rows) => rows.filter((each) => each !== rows[0]).length / rows.length).every((share) => share < 0.001)).toBe(true);
  });

  it('knows the density of a row: log of the standard normal at its mean', () => {
    const standard: GaussianMixture = {
      components: 1,
      columns: 1,
      weights: Float64Array.of(1),
      means: Float64Array.of(0),
      whiteners: Float64Array.of(1),
    };
    const { logLikelihood } = assign(standard, { rows: 2, columns: 1, values: Float64Array.of(0, 2) });
    expect(Array.from(logLikelihood)).toEqual([
      expect.closeTo(-0.5 * Math.log(2 * Math.PI), 12),
      expect.closeTo(-0.5 * Math.log(2 * Math.PI) - 2, 12),
    ]);
  });

  it('has a density that sums to 1 over the line', () => {
    const values = Float64Array.from({ length: 500 }, (_, row) => (row % 2 ? row / 50 : -row / 100));
    const { mixture } = fitMixture({ rows: 500, columns: 1, values }, { ...fitting, components: 3 });
    const grid = Float64Array.from({ length: 8_001 }, (_, step) => -40 + step / 100);
    const { logLikelihood } = assign(mixture, { rows: grid.length, columns: 1, values: grid });
    expect(logLikelihood.reduce((sum, value) => sum + Math.exp(value) / 100, 0)).toBeCloseTo(1, 3);
  });

  it('never becomes less likely from one iteration to the next', () => {
    const likelihoods = [1, 2, 3, 5, 8, 13].map(
      (mostIterations) => fitMixture(three, { ...fitting, components: 4, tolerance: 0, mostIterations }).logLikelihood,
    );
    for (const [place, value] of likelihoods.slice(1).entries()) expect(value).toBeGreaterThanOrEqual(likelihoods[place]! - 1e-9);
  });

  it('is the same bits on WebAssembly and in plain code, for any number of rows and columns', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 700 }),
        fc.constantFrom('full', 'diagonal'),
        (columns, rows, covariance) => {
          const matrix = groups([new Array<number>(columns).fill(0), new Array<number>(columns).fill(5)], rows, rows);
          const options = { components: 2, covariance, seed: 3, mostIterations: 4 } as const;
          expect(fitMixture(matrix, options)).toEqual(fitMixture(matrix, { ...options, plain: true }));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('with diagonal covariances leaves the columns of a component apart', () => {
    const { mixture } = fitMixture(three, { components: 3, covariance: 'diagonal', seed: 2 });
    for (let k = 0; k < 3; k++) expect(mixture.whiteners[3 * k + 1]).toBeCloseTo(0, 12);
  });

  it('stands constant columns, equal rows, and more components than rows', () => {
    const equal = { rows: 50, columns: 2, values: new Float64Array(100).fill(3) };
    for (const matrix of [equal, { ...equal, rows: 2 }, { ...equal, rows: 1 }]) {
      const { mixture } = fitMixture(matrix, { ...fitting, components: 5 });
      expect(Array.from(mixture.means).every((mean) => mean === 3)).toBe(true);
      expect(mixture.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    }
  });

  it('gives no component to a few far rows where a minimum weight is asked', () => {
    const values = three.values.slice();
    for (let row = 0; row < 20; row++) values.fill(60 + (row % 5), 2 * row, 2 * row + 2);
    const withAnomalies = { ...three, values };
    const own = (mixture: GaussianMixture) => mixture.weights.some((weight) => weight < 0.02);
    expect(own(fitMixture(withAnomalies, { ...fitting, components: 4 }).mixture)).toBe(true);
    expect(own(fitMixture(withAnomalies, { ...fitting, components: 4, minimumWeight: 0.02 }).mixture)).toBe(false);
  });
});

describe('the number of components', () => {
  it('is the one of least BIC', () => {
    const { fit, tried } = chooseMixture(three, [1, 2, 3, 4, 5], fitting);
    expect(fit.mixture.components).toBe(3);
    expect(tried.map(({ asked }) => asked)).toEqual([1, 2, 3, 4, 5]);
    expect(Math.min(...tried.map(({ bic }) => bic))).toBe(bayesianInformation(fit, three.rows, 'full'));
  });

  it('counts what each costs: 5 numbers for a full Gaussian in the plane, 4 for a diagonal one', () => {
    const { fit } = chooseMixture(three, [1], fitting);
    const cost = (covariance: 'full' | 'diagonal') => bayesianInformation(fit, 3_000, covariance) + 2 * 3_000 * fit.logLikelihood;
    expect(cost('full')).toBeCloseTo(5 * Math.log(3_000), 6);
    expect(cost('diagonal')).toBeCloseTo(4 * Math.log(3_000), 6);
  });
});
