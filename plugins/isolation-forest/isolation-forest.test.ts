import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { featureInput, featureNames, validateOptions, type DetectorContext } from 'simwarden/detector';
import { inputOf, quietFeatureDay, refusedAttaches, syntheticFeatures, testDetector } from 'simwarden/detector/testing';
import { seededRandom } from 'simwarden/detector/numeric';
import { expectedPathLength, shortening } from './attribute';
import { averagePathLength, growForest, type Forest } from './grow';
import { sharesAmong, weighed } from './shares';
import { meanPathLengths } from './score';
import isolationForest from '.';

testDetector(isolationForest, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [{ name: 'quiet fleet', rows: syntheticFeatures({ sims: 600, seed: 1 }) }],
  anomalous: [
    {
      name: 'SIMs that a network refuses all day',
      kind: 'ISOLATED',
      planted: [0, 7],
      rows: [refusedAttaches(412), ...syntheticFeatures({ sims: 300, seed: 2 })].toSpliced(7, 0, refusedAttaches(100)),
    },
  ],
});

const { options } = validateOptions(isolationForest.meta.options, {});
const context = { options, random: seededRandom(1), now: 0, signal: new AbortController().signal } as unknown as DetectorContext<never>;

/** Rows of independent normal and log-normal columns, some of them constant. */
function someRows(rows: number, columns: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Float32Array.from({ length: rows * columns }, (_, cell) => {
    const column = cell % columns;
    return column % 5 === 4 ? 7 : column % 2 === 0 ? normal() : Math.exp(normal());
  });
}

const growing = { trees: 50, subsample: 256, seed: 3, scale: 'linear' } as const;

describe('path lengths', () => {
  it('have the mean of an unsuccessful search, c(n)', () => {
    expect([0, 1, 2, 3, 4, 256].map((rows) => Number(averagePathLength(rows).toFixed(3)))).toEqual([0, 0, 1, 1.207, 1.852, 10.245]);
  });

  it('give rows that nothing tells apart a score of 0.5', async () => {
    const matrix = { names: ['a', 'b'], rows: 300, values: new Float32Array(600).fill(3) };
    const input = featureInput(matrix, isolationForest.meta.kinds);
    const model = await isolationForest.fit!(input, context);
    const { scores } = await isolationForest.detect(input, { ...context, model });
    expect(scores.every((score) => Math.abs(score - 0.5) < 1e-7)).toBe(true);
  });

  it('are the same bits on WebAssembly and in plain code, whatever the rows, missing and infinite values among them', () => {
    const numbers = fc.oneof(fc.float(), fc.constantFrom(0, 7, NaN, Infinity, -Infinity));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 150 }),
        fc.array(numbers, { minLength: 1, maxLength: 60 }),
        (columns, rows, some) => {
          const forest = growForest(someRows(300, columns, columns), 300, columns, { ...growing, trees: 7, subsample: 64 });
          const values = Float32Array.from({ length: rows * columns }, (_, cell) => some[cell % some.length]!);
          const median = new Float32Array(columns).fill(1);
          expect(meanPathLengths(forest, values, rows, median)).toEqual(meanPathLengths(forest, values, rows, median, true));
        },
      ),
      { numRuns: 100 },
    );
    expect(() => readFileSync(join(__dirname, 'scorer.wasm'))).not.toThrow();
  });
});

describe('a forest', () => {
  const columns = 10;
  const values = someRows(2_000, columns, 1);
  const forest = growForest(values, 2_000, columns, growing);
  const median = new Float32Array(columns);

  it('keeps to its depth, and never splits on a constant column', () => {
    expect(forest.depth).toBe(8);
    const splits = Array.from(forest.roots, (root) => splitsBelow(forest, root, 0)).flat();
    expect(Math.max(...splits.map(({ depth }) => depth))).toBeLessThan(8);
    expect(splits.filter(({ column }) => column % 5 === 4)).toEqual([]);
    expect(new Set(splits.map(({ column }) => column)).size).toBe(8);
  });

  it('has trees that depend on the rows, the seed and their number alone', () => {
    const fewer = growForest(values, 2_000, columns, { ...growing, trees: 20 });
    expect(forest.nodes.slice(0, fewer.nodes.length)).toEqual(fewer.nodes);
    expect(growForest(values, 2_000, columns, { ...growing, seed: 4 }).nodes).not.toEqual(forest.nodes);
  });

  it('credits each column so that the sum is the expected − the actual path length', () => {
    const lengths = meanPathLengths(forest, values, 2_000, median);
    for (let row = 0; row < 2_000; row += 97) {
      const credits = shortening(forest, values.subarray(row * columns, (row + 1) * columns));
      expect(credits.reduce((sum, credit) => sum + credit, 0)).toBeCloseTo(expectedPathLength(forest) - lengths[row]!, 9);
    }
  });

  it('draws thresholds evenly in the logarithm where asked, and then cuts between small values too', () => {
    const wide = Float32Array.from({ length: 512 }, (_, row) => 10 ** (row % 9));
    const shareBelow = (scale: 'linear' | 'logarithmic') => {
      const { nodes, roots } = growForest(wide, 512, 1, { ...growing, scale });
      const floats = new Float32Array(nodes.buffer);
      return roots.filter((root) => floats[4 * root + 2]! < 1e4).length / roots.length;
    };
    expect(shareBelow('linear')).toBeLessThan(0.1);
    expect(shareBelow('logarithmic')).toBeGreaterThan(0.3);
  });
});

describe('an alarm', () => {
  it('says in words which features stand out, the strongest first', async () => {
    const fleet = inputOf(isolationForest.meta, syntheticFeatures({ sims: 500, seed: 5 }));
    const model = await isolationForest.fit!(fleet, context);
    const [evidence] = await isolationForest.explain!(
      inputOf(isolationForest.meta, [refusedAttaches(412)]),
      [{ row: 0, kind: 'ISOLATED' }],
      { ...context, model },
    );
    expect(evidence!.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^n_sai_reject(_vlr)? 412, usual 0$/));
    expect(evidence!.length).toBeLessThanOrEqual(5);
  });

  it('comes sooner from forty failures of fifty than from two of two where shares are weighed', async () => {
    const usual = (sim: number) => ({ ...quietFeatureDay, n_sai: 4 + (sim % 30), pct_sai_error_all_sais: sim % 5 });
    const failing = (n_sai: number, share: number) => ({ ...usual(0), n_sai, pct_sai_error_all_sais: share });
    const fleet = inputOf(
      isolationForest.meta,
      Array.from({ length: 400 }, (_, sim) => usual(sim)),
    );
    const rows = inputOf(isolationForest.meta, [failing(2, 100), failing(33, 80)]);
    const scoresOf = async (shares: 'plain' | 'weighed') => {
      const asked = { ...context, options: { trees: 100, subsample: 256, scale: 'linear' as const, shares } };
      const model = await isolationForest.fit!(fleet, asked);
      return (await isolationForest.detect(rows, { ...asked, model })).scores;
    };
    const [fewPlain, manyPlain] = await scoresOf('plain');
    const [fewWeighed, manyWeighed] = await scoresOf('weighed');
    expect(fewPlain! - manyPlain!).toBeGreaterThan(fewWeighed! - manyWeighed!);
  });

  it('weighs no share whose whole is not among the columns', () => {
    const shares = sharesAmong(['n', 'pct_map', 'pct_map_errors', 'pct_of_another_table']);
    expect(shares).toEqual([
      { column: 1, whole: [0] },
      { column: 3, whole: [0] },
    ]);
    expect(sharesAmong(['pct_map', 'height'])).toEqual([]);
    const rows = Float32Array.from([10, 100, 7, NaN]);
    expect([...weighed(rows, 4, shares, [50, 20])]).toEqual([10, 75, 7, 20]);
  });

  it('comes neither from a SIM that we blocked nor from one of which nothing is known', async () => {
    const fleet = inputOf(isolationForest.meta, syntheticFeatures({ sims: 100, seed: 5 }));
    const model = await isolationForest.fit!(fleet, context);
    const nothing = Object.fromEntries(featureNames.map((name) => [name, NaN]));
    const rows = [{ ...refusedAttaches(412), blockedByUs: 1 }, { ...quietFeatureDay, ...nothing }, quietFeatureDay];
    const { scores, abstained } = await isolationForest.detect(inputOf(isolationForest.meta, rows), { ...context, model });
    expect(Array.from(scores, Number.isNaN)).toEqual([true, true, false]);
    expect(abstained).toEqual([
      { row: 0, reason: 'we blocked the SIM' },
      { row: 1, reason: 'no feature is known' },
    ]);
  });

  it('is never made by a model of other columns, a cut one or a damaged one', async () => {
    const fleet = inputOf(isolationForest.meta, syntheticFeatures({ sims: 100, seed: 5 }));
    const model = await isolationForest.fit!(fleet, context);
    const other = featureInput({ names: ['a'], rows: 1, values: new Float32Array(1) }, isolationForest.meta.kinds);
    const detecting = (given: typeof other, bytes: Uint8Array) => () => isolationForest.detect(given, { ...context, model: bytes });
    expect(detecting(other, model)).toThrow('the model was fitted on other columns');
    expect(detecting(fleet, model.subarray(0, model.length - 8))).toThrow('cut short');
    expect(detecting(fleet, Uint8Array.of(1, 2, 3))).toThrow('expected a model of isolation-forest/2');
    const damaged = model.slice();
    damaged.fill(0xff, 4000, 6000);
    expect(detecting(fleet, damaged)).toThrow();
  });
});

function splitsBelow(forest: Forest, node: number, depth: number): { column: number; depth: number }[] {
  const left = forest.nodes[4 * node + 1]!;
  if (left === node) return [];
  return [{ column: forest.nodes[4 * node]!, depth }, ...splitsBelow(forest, left, depth + 1), ...splitsBelow(forest, left + 1, depth + 1)];
}
