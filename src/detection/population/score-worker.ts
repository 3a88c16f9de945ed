/** The thread that scores buckets; it keeps the models that it was given. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Detector } from '../../detector';
import { driftCounts, scoreBucket } from './score-bucket';
import { modelKey, type ScoreJob, type ScoreReply, type ScoreWork, type SentModel } from './score-job';
import type { ModelOf } from './scoring';

// what the composition root named: the built-in detectors, which only it may import
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { populationDetectors } = require((workerData as ScoreWork).code) as { readonly populationDetectors: readonly Detector[] };
const models = new Map<string, SentModel['model']>();

async function answer({ generation, plan, asked: rows, majors, drift, explains, models: sent }: ScoreJob): Promise<ScoreReply['answer']> {
  for (const { key, model } of sent) models.set(key, model);
  const modelOf =
    (detectorId: string): ModelOf =>
    (scope, cluster) => {
      const model = models.get(modelKey(generation, detectorId, scope, cluster))!;
      if ('message' in model) throw Object.assign(new Error(model.message), { name: model.name });
      return model;
    };
  const planned = plan.map(({ id, scope, options }) => ({
    detector: populationDetectors.find(({ meta }) => meta.id === id)!,
    scope,
    options,
  }));
  const asked = { ...rows, majorOf: (country: string) => majors.get(country)! };
  return { detectors: await scoreBucket(planned, asked, modelOf, explains), drift: driftCounts(drift, asked.rows.values) };
}

// one after the other: a bucket would wait for its turn inside the detectors all the same
let turn: Promise<void> = Promise.resolve();

parentPort?.on('message', (job: ScoreJob) => {
  const say = (reply: Omit<ScoreReply, 'id'>) => parentPort?.postMessage({ id: job.id, ...reply });
  turn = turn
    .then(() => answer(job))
    .then(
      (answered) => say({ answer: answered! }),
      (error: unknown) => say({ error: error instanceof Error ? error.message : String(error) }),
    );
});
