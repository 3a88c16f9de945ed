/** `bench scoring`: an isolation forest scores 100,000 rows of 95 columns, against scikit-learn and ml-isolation-forest. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { averagePathLength, growForest } from '../../plugins/isolation-forest/grow';
import { meanPathLengths } from '../../plugins/isolation-forest/score';
import { quantile, randomStream } from '../../src/detector/numeric';
import { buildKernels } from './kernels';
import { interleave, medianOf, ratio, type Report, type Suite, type SuiteOptions } from './harness';
import { mlIsolationForest } from './ml-isolation-forest';
import { ScikitLearn } from './scikit-learn/peer';

const ROWS = 100_000;
const COLUMNS = 95;
/** Of what is far slower, a tenth is measured and counted ten times. */
const PEER_ROWS = 10_000;
const LEAST_REPEATS = 7;

export const suite: Suite = {
  name: 'scoring',
  summary: `100 trees of 256 rows score ${ROWS} × ${COLUMNS} float32, CPU time of one core: WebAssembly and plain code against scikit-learn's score_samples.`,
  run,
};

async function run(options: SuiteOptions): Promise<Report> {
  await buildKernels();
  const directory = mkdtempSync(join(tmpdir(), 'simwarden-bench-scoring-'));
  try {
    const values = someRows();
    const file = join(directory, 'rows.f32');
    writeFileSync(file, new Uint8Array(values.buffer));
    const sklearn = await ScikitLearn.start('forest.py', [file, String(COLUMNS)]);
    try {
      return await compare(values, sklearn, { ...options, repeats: Math.max(LEAST_REPEATS, options.repeats) });
    } finally {
      sklearn.stop();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function compare(values: Float32Array, sklearn: ScikitLearn, options: SuiteOptions): Promise<Report> {
  const forest = growForest(values, ROWS, COLUMNS, { trees: 100, subsample: 256, seed: 1, scale: 'linear' });
  const median = new Float32Array(COLUMNS);
  let lengths: Float64Array = new Float64Array(0);
  let theirs: Readonly<Record<string, number>> = {};
  const peer = mlIsolationForest(values, COLUMNS, PEER_ROWS);
  const samples = await interleave(
    [
      { name: 'sklearn', run: async () => (theirs = await sklearn.turn()) },
      { name: 'wasm', run: () => void (lengths = meanPathLengths(forest, values, ROWS, median)) },
      { name: 'js', run: () => void (lengths = meanPathLengths(forest, values, ROWS, median, true)) },
      { name: 'ml-isolation-forest', run: () => peer.score() },
    ],
    options,
  );
  const ours = lengths.map((length) => 2 ** (-length / averagePathLength(256)));
  return {
    ratios: {
      wasm_vs_sklearn: ratio(samples, 'wasm', 'sklearn', 'cpuSeconds'),
      js_vs_sklearn: ratio(samples, 'js', 'sklearn', 'cpuSeconds'),
    },
    figures: {
      ml_isolation_forest_vs_sklearn: ratio(samples, 'ml-isolation-forest', 'sklearn', 'cpuSeconds') * (PEER_ROWS / ROWS),
      sklearn_version: sklearn.version,
      sklearn_rows_per_second: ROWS / medianOf(samples, 'sklearn', 'cpuSeconds'),
      wasm_rows_per_second: ROWS / medianOf(samples, 'wasm', 'cpuSeconds'),
      // other random numbers, so equal within noise
      score_low: quantile(ours, 0.05),
      score_low_sklearn: theirs.low!,
      score_middle: quantile(ours, 0.5),
      score_middle_sklearn: theirs.middle!,
      score_high: quantile(ours, 0.95),
      score_high_sklearn: theirs.high!,
    },
  };
}

/** Counts and shares as devices have them: log-normal, half of the columns in step with their neighbour. */
function someRows(): Float32Array {
  const random = randomStream(5, 0);
  const values = new Float32Array(ROWS * COLUMNS);
  for (let cell = 0; cell < values.length; cell++) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const level = Math.exp(0.5 * normal);
    values[cell] = cell % 2 === 1 ? values[cell - 1]! * level : 10 * level;
  }
  return values;
}
