import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { featureInput, validateOptions, type DetectorContext } from 'simwarden/detector';
import { refusedAttaches, syntheticFeatures, testDetector } from 'simwarden/detector/testing';
import { seededRandom } from 'simwarden/detector/numeric';
import tukeyFences from '.';

testDetector(tukeyFences, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [{ name: 'quiet fleet', rows: syntheticFeatures({ sims: 400, seed: 1 }) }],
  anomalous: [
    {
      name: 'a SIM that a network refuses all day',
      kind: 'BEYOND_FENCES',
      planted: [0],
      rows: [refusedAttaches(412), ...syntheticFeatures({ sims: 200, seed: 2 })],
    },
  ],
});

describe('fences', () => {
  const { options } = validateOptions(tukeyFences.meta.options, {});
  const context = { options, random: seededRandom(1), now: 0, signal: new AbortController().signal } as unknown as DetectorContext<never>;
  /** Two columns: 0 … 100, and a constant. */
  const training = { names: ['a', 'b'], rows: 101, values: Float32Array.from({ length: 202 }, (_, cell) => (cell % 2 ? 5 : cell / 2)) };
  const scoresOf = async (values: number[], more: object = {}) => {
    const model = await tukeyFences.fit!(featureInput(training, tukeyFences.meta.kinds), context);
    const input = featureInput({ names: ['a', 'b'], rows: values.length / 2, values: Float32Array.from(values) }, tukeyFences.meta.kinds);
    return tukeyFences.detect(input, { ...context, options: { ...options, ...more } as never, model });
  };

  it('stand 1.5 interquartile ranges outside the quartiles', async () => {
    // quartiles 25 and 75: fences at −50 and 150; one range beyond is log₂ 2
    const { scores } = await scoresOf([0, 5, 150, 5, 200, 5, -100, 5, 300, 5]);
    expect(Array.from(scores)).toEqual([0, 0, 1, 1, 2]);
    expect(Array.from((await scoresOf([200, 5], { reach: 2.5 })).scores)).toEqual([0]);
  });

  it('measure a column that was always the same by what it was fitted on, and count nothing for what is missing', async () => {
    const { scores } = await scoresOf([50, 9, NaN, 5, 50, NaN]);
    expect(scores[0]).toBeGreaterThan(1);
    expect(Array.from(scores.subarray(1))).toEqual([0, 0]);
  });
});
