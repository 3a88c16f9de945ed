import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { featureInput, validateOptions, type DetectorContext } from 'simwarden/detector';
import { refusedAttaches, syntheticFeatures, testDetector } from 'simwarden/detector/testing';
import { seededRandom } from 'simwarden/detector/numeric';
import { unlikeliness } from './density';
import { readModel } from './model';
import gaussianMixture from '.';

testDetector(gaussianMixture, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [{ name: 'quiet fleet', rows: syntheticFeatures({ sims: 400, seed: 1 }) }],
  anomalous: [
    {
      name: 'a SIM that a network refuses all day',
      kind: 'UNLIKELY',
      planted: [0],
      rows: [refusedAttaches(412), ...syntheticFeatures({ sims: 200, seed: 2 })],
    },
  ],
});

describe('the density', () => {
  // all directions, since what is torn apart here lies in the narrowest
  const { options } = validateOptions(gaussianMixture.meta.options, { varianceShare: 1 });
  const context = { options, random: seededRandom(1), now: 0, signal: new AbortController().signal } as unknown as DetectorContext<never>;
  const random = seededRandom(4);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  /** Two groups on a line: b follows a, c is noise. */
  const rows = 1_500;
  const values = Float32Array.from(
    Array.from({ length: rows }, (_, row) => {
      const a = (row % 3 === 0 ? 10 : 0) + normal();
      return [a, a + 0.1 * normal(), normal()];
    }).flat(),
  );
  const inputOf = (given: Float32Array) =>
    featureInput({ names: ['a', 'b', 'c'], rows: given.length / 3, values: given }, gaussianMixture.meta.kinds) as never;
  const fitted = () => gaussianMixture.fit!(inputOf(values), context);

  it('has as many Gaussians as there are groups', async () => {
    const { density } = readModel(await fitted());
    expect(density.mixture.components).toBe(2);
    expect(Array.from(density.mixture.weights).sort()[0]).toBeCloseTo(1 / 3, 1);
  });

  it('ranks what is strange only in combination, or between the groups, above what lies in one', async () => {
    const given = Float32Array.of(0, 0, 0, 10, 10, 0, 2, -2, 0, 5, 5, 0);
    const { scores } = await gaussianMixture.detect(inputOf(given), { ...context, model: await fitted() });
    const [inOne, inOther, torn, between] = Array.from(scores);
    expect(Math.min(torn!, between!)).toBeGreaterThan(Math.max(inOne!, inOther!) + 5);
  });

  it('credits the features that tear a row out of its Gaussian', async () => {
    const { density } = readModel(await fitted());
    const parts = unlikeliness(density, { rows: 2, columns: 3, values: Float32Array.of(0, 0, 0, 2, -2, 0) });
    expect(parts[3]! + parts[4]!).toBeGreaterThan(50 * Math.abs(parts[5]!));
    expect(parts[3]! + parts[4]! + parts[5]!).toBeGreaterThan(50 * (parts[0]! + parts[1]! + parts[2]!));
  });

  it('stays finite for rows as far out as numbers go', async () => {
    const given = Float32Array.of(Infinity, -Infinity, 3e38, NaN, 0, -3e38);
    const { scores } = await gaussianMixture.detect(inputOf(given), { ...context, model: await fitted() });
    expect(Array.from(scores).every(Number.isFinite)).toBe(true);
  });
});
