import fc from 'fast-check';
import { median, quantile, seededRandom } from '.';

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
    const tenths = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 100_000; draw++) {
      const value = random();
      expect(value >= 0 && value < 1).toBe(true);
      tenths[Math.floor(value * 10)]! += 1;
    }
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
