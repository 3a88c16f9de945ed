/** A fit in its own thread: the same bytes as here, and the process answers meanwhile. */
import { join } from 'node:path';
import threads from 'node:worker_threads';
import { populationDetectors } from '../../../plugins';
import { fitPopulation, type FitRequest, type FittedPopulation } from '../../../src/detection/population/fit';
import { FitThread } from '../../../src/detection/population/fit-thread';
import { TrainingSample } from '../../../src/detection/population/training-sample';
import { effectiveOptions } from '../../../src/detection/host/host-options';
import { DetectorRegistry } from '../../../src/detection/host/registry';
import type { Detector } from '../../../src/detector';
import { farFromMedian, featureRows } from './feature-town';

const execArgv = ['-r', join(__dirname, '../../support/register-typescript.js')];
const registry = new DetectorRegistry();
registry.loadsInThreads(require.resolve('../../../plugins'), populationDetectors);
const thread = new FitThread(registry);

const planned = (detector: Detector) => {
  const answer = effectiveOptions(detector, {});
  if ('errors' in answer) throw new Error(answer.errors.join());
  return { detector, scope: answer.options.modelScope, options: answer.options.detector };
};

function request(): FitRequest {
  const sample = new TrainingSample(7);
  for (const day of [1, 2]) {
    const fleets = [
      { country: 'ES', life: 0, devices: 200 },
      { country: 'FR', life: 1, devices: 150 },
    ];
    sample.add(1, `2026-11-0${day}`, featureRows(fleets, day));
  }
  return {
    sample: sample.finish(),
    plan: [...populationDetectors, farFromMedian as Detector].map(planned),
    seed: 7,
    fromDay: '2026-11-01',
    toDay: '2026-11-02',
    before: { clusters: null, firstFree: 0 },
  };
}

const bytesOf = ({ clusters, models, ...rest }: FittedPopulation) => ({
  ...rest,
  clusters: Buffer.from(clusters.toBytes()).toString('hex'),
  models: models.map(({ bytes, ...of }) => ({ ...of, bytes: Buffer.from(bytes).toString('hex') })),
});

test('a thread fits the same bytes, a detector that only this process has among them, and the event loop goes on', async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  const steps: number[] = [];
  const fitted = await thread.fit({ ...request(), betweenModels: (done) => Promise.resolve(void steps.push(done)) }, execArgv);
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(10);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect([steps[0], steps.at(-1)]).toEqual([0, fitted.models.length]);
  expect(new Set(fitted.models.map(({ detectorId }) => detectorId))).toContain('far-from-median');
  expect(bytesOf(fitted)).toEqual(bytesOf(await fitPopulation(request())));
  // clusters of before keep their numbers across the thread
  const again = await thread.fit({ ...request(), before: { clusters: fitted.clusters, firstFree: 40 } }, execArgv);
  expect(again.shown.every(({ continues }) => continues)).toBe(true);
});

test('who lost the run ends the thread, and hears why', async () => {
  const lost = thread.fit({ ...request(), betweenModels: () => Promise.reject(new Error('the lease is lost')) }, execArgv);
  await expect(lost).rejects.toThrow('the lease is lost');
});

test('progress that is stored only when the thread has long ended fails no fit', async () => {
  const { Worker } = threads;
  const ended = new Promise((resolve) => {
    jest.spyOn(threads, 'Worker').mockImplementationOnce((...of) => new Worker(...of).once('exit', resolve));
  });
  const fitted = await thread.fit({ ...request(), betweenModels: () => ended.then(() => undefined) }, execArgv);
  expect(fitted.models.length).toBeGreaterThan(0);
});
