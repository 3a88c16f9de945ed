/** A bucket scored in a thread: the same numbers, reasons and failures as here, and the process answers meanwhile. */
import { join } from 'node:path';
import { populationDetectors } from '../../../plugins';
import { effectiveOptions } from '../../../src/detection/host/host-options';
import { DetectorRegistry } from '../../../src/detection/host/registry';
import { fitPopulation } from '../../../src/detection/population/fit';
import type { LoadedGeneration } from '../../../src/detection/population/generation-store';
import { readModel } from '../../../src/detection/population/model-file';
import type { PlannedDetector, PopulationScope } from '../../../src/detection/population/plan';
import { driftCounts, scoreBucket } from '../../../src/detection/population/score-bucket';
import { ScoreThread } from '../../../src/detection/population/score-thread';
import type { RowsToScore } from '../../../src/detection/population/scoring';
import { TrainingSample } from '../../../src/detection/population/training-sample';
import type { Detector } from '../../../src/detector';
import { farFromMedian, featureRows } from './feature-town';

const execArgv = ['-r', join(__dirname, '../../support/register-typescript.js')];
const fleets = [
  { country: 'ES', life: 0, devices: 200 },
  { country: 'FR', life: 1, devices: 150 },
];
const registry = new DetectorRegistry();
registry.loadsInThreads(require.resolve('../../../plugins'), populationDetectors);
const thread = new ScoreThread(registry);
afterAll(() => thread.stop());

function planned(detector: Detector, scope?: PopulationScope): PlannedDetector {
  const answer = effectiveOptions(detector, {});
  if ('errors' in answer) throw new Error(answer.errors.join());
  return { detector, scope: scope ?? answer.options.modelScope, options: answer.options.detector };
}

async function generationOf(plan: readonly PlannedDetector[]): Promise<LoadedGeneration> {
  const sample = new TrainingSample(7);
  sample.add(1, '2026-11-01', featureRows(fleets, 1));
  const days = { fromDay: '2026-11-01', toDay: '2026-11-01' };
  const { clusters, models, drift } = await fitPopulation({
    sample: sample.finish(),
    plan,
    seed: 7,
    ...days,
    before: { clusters: null, firstFree: 0 },
  });
  const find = (id: string, scope: string, cluster: number) => {
    const found = models.find((model) => model.detectorId === id && model.scope === scope && model.cluster === cluster);
    return readModel(found?.bytes ?? new Uint8Array(0), id);
  };
  return { generation: 1, ...days, seed: 7, clusters, drift, modelOf: (id) => (scope, cluster) => find(id, scope, cluster) };
}

test('a thread scores like this process, bucket after bucket, partners’ detectors and failures among them', async () => {
  const plan = [
    ...populationDetectors.map((detector, index) => planned(detector, (['GLOBAL', 'PER_CLUSTER', 'MAJOR_CLUSTER'] as const)[index])),
    planned(farFromMedian),
  ];
  const generation = await generationOf(plan);
  const rows = featureRows(fleets, 2);
  const clusters = Int32Array.from(rows.simIds, (_, row) => generation.clusters.numbers[row % generation.clusters.numbers.length]!);
  const asked: RowsToScore = { clientId: 7, day: '2026-11-02', rows, clusters, majorOf: () => generation.clusters.numbers[0]! };
  const here = { detectors: await scoreBucket(plan, asked, generation.modelOf, true), drift: driftCounts(generation.drift, rows.values) };
  expect(here.detectors.some(({ flagged }) => flagged!.rows.length > 0)).toBe(true);

  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  expect(await thread.score({ plan, generation, asked, explains: true }, execArgv)).toEqual(here);
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(10);

  const refit = { ...generation, generation: 2, modelOf: () => () => readModel(new Uint8Array(0), 'of this cluster') };
  const failing = await scoreBucket(plan, asked, refit.modelOf, false);
  const both = [
    thread.score({ plan, generation: refit, asked, explains: false }, execArgv),
    thread.score({ plan, generation, asked, explains: true }, execArgv),
  ];
  const [failed, again] = await Promise.all(both);
  expect(failed!.detectors).toEqual(failing);
  expect(failed!.detectors[0]!.checkpoint.failure).toMatch('is not a population model');
  expect(again).toEqual(here);
});
