/** `bench mixture`: one iteration of expectation and maximisation, 30 full Gaussians on 100,000 rows of 10 columns, against scikit-learn. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fitMixture, randomStream, type Matrix } from '../../src/detector/numeric';
import { buildKernels } from './kernels';
import { interleave, medianOf, ratio, type Report, type Sample, type Suite, type SuiteOptions } from './harness';
import { ScikitLearn } from './scikit-learn/peer';

const ROWS = 100_000;
const COLUMNS = 10;
const COMPONENTS = 30;
const ITERATIONS = 8;

export const suite: Suite = {
  name: 'mixture',
  summary: `${COMPONENTS} full Gaussians on ${ROWS} × ${COLUMNS}, from the same starting means: CPU time per iteration of one core, against scikit-learn.`,
  run,
};

async function run(options: SuiteOptions): Promise<Report> {
  await buildKernels();
  const directory = mkdtempSync(join(tmpdir(), 'simwarden-bench-mixture-'));
  try {
    const matrix = someRows();
    const file = join(directory, 'rows.f64');
    writeFileSync(file, new Uint8Array(matrix.values.buffer));
    const sklearn = await ScikitLearn.start('mixture.py', [file, COLUMNS, COMPONENTS, ITERATIONS].map(String));
    try {
      const samples = await interleave(
        [
          { name: 'sklearn', run: () => sklearn.turn() },
          { name: 'wasm', run: () => perIteration(matrix, false) },
          { name: 'js', run: () => perIteration(matrix, true) },
        ],
        options,
      );
      return {
        ratios: {
          vs_sklearn: ratio(samples, 'wasm', 'sklearn', 'cpuSeconds'),
          js_vs_sklearn: ratio(samples, 'js', 'sklearn', 'cpuSeconds'),
        },
        figures: {
          sklearn_version: sklearn.version,
          sklearn_seconds_per_iteration: medianOf(samples, 'sklearn', 'cpuSeconds'),
          wasm_seconds_per_iteration: medianOf(samples, 'wasm', 'cpuSeconds'),
        },
      };
    } finally {
      sklearn.stop();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Start and all: what it takes beyond the iterations counts against us. */
function perIteration(matrix: Matrix<Float64Array>, plain: boolean): Sample {
  const cpu = process.cpuUsage();
  const started = process.hrtime.bigint();
  const { iterations } = fitMixture(matrix, {
    components: COMPONENTS,
    covariance: 'full',
    seed: 1,
    start: matrix.values.slice(0, COMPONENTS * COLUMNS),
    tolerance: -Infinity,
    mostIterations: ITERATIONS,
    plain,
  });
  const { user, system } = process.cpuUsage(cpu);
  return { cpuSeconds: (user + system) / 1e6 / iterations, wallSeconds: Number(process.hrtime.bigint() - started) / 1e9 / iterations };
}

/** Thirty overlapping groups whose neighbouring columns go together. */
function someRows(): Matrix<Float64Array> {
  const random = randomStream(5, 0);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const centres = Float64Array.from({ length: COMPONENTS * COLUMNS }, () => 2 * normal());
  const values = new Float64Array(ROWS * COLUMNS);
  for (let row = 0, cell = 0; row < ROWS; row++) {
    const group = Math.floor(random() * COMPONENTS);
    let before = 0;
    for (let column = 0; column < COLUMNS; column++, cell++) {
      const own = normal();
      values[cell] = centres[group * COLUMNS + column]! + own + 0.5 * before;
      before = own;
    }
  }
  return { rows: ROWS, columns: COLUMNS, values };
}
