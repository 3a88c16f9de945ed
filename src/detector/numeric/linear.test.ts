import fc from 'fast-check';
import { CovarianceAccumulator, fitScaler, principalComponents, projected, randomStream, rowsOf, standardised, symmetricEigen } from '.';
import { cholesky, inverseOfLower } from './cholesky';

const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 60 });

describe('covariance', () => {
  it('is that of the textbook', () => {
    const sums = new CovarianceAccumulator(2);
    sums.add({ rows: 3, columns: 2, values: Float64Array.of(1, 2, 3, 6, 5, 10) });
    expect(Array.from(sums.mean())).toEqual([3, 6]);
    expect(Array.from(sums.covariance())).toEqual([4, 8, 8, 16]);
    expect(sums.covariance('population')[0]).toBeCloseTo(8 / 3, 12);
  });

  it('is the same however the rows are cut into blocks, and keeps its digits far from zero', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 59 }), (given, cut) => {
        const far = Float64Array.from(given, (value) => value + 1e6);
        const whole = new CovarianceAccumulator(1);
        whole.add({ rows: far.length, columns: 1, values: far });
        const parts = new CovarianceAccumulator(1);
        const at = Math.min(cut, far.length);
        parts.add({ rows: at, columns: 1, values: far.subarray(0, at) });
        parts.add({ rows: far.length - at, columns: 1, values: far.subarray(at) });
        expect(parts.covariance()[0]).toBeCloseTo(whole.covariance()[0]!, 5);
        const mean = given.reduce((sum, value) => sum + value, 0) / given.length;
        const variance = given.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (given.length - 1);
        expect(Math.abs(whole.covariance()[0]! - variance)).toBeLessThan(1e-5 * Math.max(1, variance));
      }),
    );
  });
});

describe('eigenvectors', () => {
  it('of a known matrix', () => {
    const { values: found, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
    expect(Array.from(found)).toEqual([expect.closeTo(3, 12), expect.closeTo(1, 12)]);
    expect(Array.from(vectors, (value) => Math.abs(value))).toEqual(new Array(4).fill(expect.closeTo(Math.SQRT1_2, 12)));
  });

  it('of any symmetric matrix are orthonormal, and put it together again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer(), (size, seed) => {
        const random = randomStream(seed, 0);
        const matrix = new Float64Array(size * size);
        for (let i = 0; i < size; i++)
          for (let j = 0; j <= i; j++) matrix[i * size + j] = matrix[j * size + i] = (random() - 0.5) * 10 ** Math.floor(4 * random());
        const { values: found, vectors } = symmetricEigen(matrix, size);
        const scale = Math.max(1, ...matrix.map(Math.abs));
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) {
            let product = 0;
            let again = 0;
            for (let k = 0; k < size; k++) {
              product += vectors[i * size + k]! * vectors[j * size + k]!;
              again += found[k]! * vectors[k * size + i]! * vectors[k * size + j]!;
            }
            expect(product).toBeCloseTo(i === j ? 1 : 0, 10);
            expect(Math.abs(again - matrix[i * size + j]!)).toBeLessThan(1e-10 * scale);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('principal components', () => {
  it('keep the share of variance asked for, the widest direction first', () => {
    const options = { varianceShare: 0.9, mostComponents: 10 };
    const pca = principalComponents(Float64Array.of(1, 1, 1), Float64Array.of(1, 0, 0, 0, 90, 0, 0, 0, 9), options);
    expect(pca.components).toBe(1);
    expect(Array.from(pca.directions, Math.abs)).toEqual([0, 1, 0]);
    expect(
      principalComponents(pca.means, Float64Array.of(1, 0, 0, 0, 90, 0, 0, 0, 9), { ...options, varianceShare: 0.99 }).components,
    ).toBe(2);
    expect(Array.from(projected({ rows: 1, columns: 3, values: Float64Array.of(5, 4, 5) }, pca).values, Math.abs)).toEqual([3]);
  });

  it('of rows without variance are one direction, in which all stand at 0', () => {
    const pca = principalComponents(Float64Array.of(2, 2), new Float64Array(4), { varianceShare: 0.95, mostComponents: 2 });
    expect(pca.components).toBe(1);
    expect(Array.from(projected({ rows: 1, columns: 2, values: Float64Array.of(2, 2) }, pca).values)).toEqual([0]);
  });
});

describe('standardising', () => {
  it('brings columns to mean 0 and deviation 1, constant ones to 0', () => {
    const matrix = { rows: 4, columns: 2, values: Float64Array.of(1, 0.1, 3, 0.1, 5, 0.1, 7, 0.1) };
    const { values: scaled } = standardised(matrix, fitScaler(matrix));
    const first = Array.from(rowsOf({ rows: 4, columns: 2, values: scaled }, [0, 3]).values);
    expect(first).toEqual([
      expect.closeTo(-3 / Math.sqrt(5), 12),
      expect.closeTo(0, 12),
      expect.closeTo(3 / Math.sqrt(5), 12),
      expect.closeTo(0, 12),
    ]);
  });
});

describe('Cholesky factors', () => {
  it('and their inverses of a known matrix', () => {
    const factor = cholesky(Float64Array.of(4, 2, 5), 2)!;
    expect(Array.from(factor)).toEqual([2, 1, 2]);
    expect(Array.from(inverseOfLower(factor, 2))).toEqual([0.5, -0.25, 0.5]);
  });

  it('do not exist where the matrix is not positive definite', () => {
    expect(cholesky(Float64Array.of(1, 2, 1), 2)).toBeUndefined();
    expect(cholesky(Float64Array.of(NaN), 1)).toBeUndefined();
  });
});
