import fc from 'fast-check';
import { imputeMedians, median, quantile, randomStream, robustZ, sampleWithoutReplacement, seededRandom, usualOf } from '.';

describe('seeded random numbers', () => {
  it('are the same again for the same seed, and others for another', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it('stay what they were: models fitted yesterday must come out the same tomorrow', () => {
    expect(Array.from({ length: 3 }, seededRandom(1))).toEqual([0.6270739405881613, 0.002735721180215478, 0.5274470399599522]);
  });

  it('fill [0, 1) evenly', () => {
    const random = seededRandom(42);
    const draws = Array.from({ length: 100_000 }, random);
    expect(draws.filter((value) => value < 0 || value >= 1)).toEqual([]);
    const tenths = new Array<number>(10).fill(0);
    for (const value of draws) tenths[Math.floor(value * 10)]! += 1;
    // Chi-squared with 9 degrees of freedom: above 27.9 with probability 0.001.
    expect(tenths.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(27.9);
  });
});

describe('quantiles of type 7', () => {
  it('agree with R and numpy', () => {
    const values = [9, 1, 4, 2, 7];
    expect([0, 0.1, 0.25, 0.5, 0.95, 1].map((probability) => quantile(values, probability))).toEqual([
      1,
      1.4,
      2,
      4,
      expect.closeTo(8.6, 12),
      9,
    ]);
  });

  it('take the middle of an even number of values, ignore what is missing, and know nothing of nothing', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([NaN, 5, NaN])).toBe(5);
    expect(median([])).toBeNaN();
    expect(median([NaN])).toBeNaN();
  });

  it('leave their input as it was, stay between its extremes, and never fall as the probability rises', () => {
    const values = fc.array(fc.double({ min: -1e12, max: 1e12, noNaN: true }), { minLength: 1 });
    const probability = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(values, probability, probability, (given, one, other) => {
        const before = [...given];
        const low = quantile(given, Math.min(one, other));
        const high = quantile(given, Math.max(one, other));
        expect(given).toEqual(before);
        const slack = 1e-9 * Math.max(1, ...given.map(Math.abs));
        expect(low).toBeGreaterThanOrEqual(Math.min(...given) - slack);
        expect(high).toBeLessThanOrEqual(Math.max(...given) + slack);
        expect(low).toBeLessThanOrEqual(high + slack);
      }),
    );
  });
});

describe('streams of random numbers', () => {
  const draw = (seed: number, index: number, count = 4) => Array.from({ length: count }, randomStream(seed, index));

  it('are the same again for the same seed and number, and stay what they were', () => {
    expect(draw(7, 3)).toEqual(draw(7, 3));
    expect(draw(1, 0)).toEqual([0.24621608620509505, 0.7773899503517896, 0.6734998780302703, 0.6740458293352276]);
  });

  it('have nothing to do with their neighbours', () => {
    const firsts = Array.from({ length: 400 }, (_, at) => draw(Math.floor(at / 20), at % 20, 1)[0]!);
    expect(new Set(firsts).size).toBe(400);
    const tenths = new Array<number>(10).fill(0);
    for (const value of firsts) tenths[Math.floor(value * 10)]! += 1;
    expect(tenths.reduce((sum, count) => sum + (count - 40) ** 2 / 40, 0)).toBeLessThan(27.9);
  });

  it('draw samples without replacement in which every row is as likely', () => {
    const times = new Array<number>(10).fill(0);
    for (let index = 0; index < 2_000; index++) {
      const sample = sampleWithoutReplacement(10, 4, randomStream(1, index));
      expect(new Set(sample).size).toBe(4);
      for (const row of sample) times[row]! += 1;
    }
    expect(times.every((count) => Math.abs(count - 800) < 100)).toBe(true);
    expect(Array.from(sampleWithoutReplacement(3, 9, randomStream(1, 0))).sort()).toEqual([0, 1, 2]);
  });
});

describe('what is usual', () => {
  const matrix = { rows: 5, columns: 2, values: Float32Array.of(1, NaN, 2, NaN, 3, NaN, 4, NaN, 100, NaN) };

  it('is told by order, so that one wild row does not move it', () => {
    const usual = usualOf(matrix);
    expect([usual.lowerQuartile[0], usual.median[0], usual.upperQuartile[0], usual.median[1]]).toEqual([2, 3, 4, NaN]);
    expect(robustZ(usual, 0, 3 + 2 / 1.349, 0)).toBeCloseTo(1, 12);
    expect(robustZ(usual, 0, 13, 5)).toBe(2);
    expect(robustZ(usual, 1, 13, 5)).toBe(0);
  });

  it('stands in for what is missing; 0 where nothing is known', () => {
    const copy = { ...matrix, values: Float32Array.of(NaN, NaN, 7, NaN), rows: 2 };
    imputeMedians(copy, Float64Array.of(3, NaN));
    expect(Array.from(copy.values)).toEqual([3, 0, 7, 0]);
  });
});
