/** The thread that fits clusters and models, so that the process goes on answering meanwhile; it ends with its one answer. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Detector } from '../../detector';
import { ClusterModel } from './clusters';
import { fitPopulation } from './fit';
import type { FitWork, FitWord } from './fit-thread';

const { code, plan, clustersBefore, firstFree, ...rest } = workerData as FitWork;
const say = (word: FitWord) => parentPort?.postMessage(word);

async function answer(): Promise<void> {
  // what the composition root named: the built-in detectors, which only it may import
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const detectors = code === null ? [] : (require(code) as { readonly populationDetectors: readonly Detector[] }).populationDetectors;
  const before = { clusters: clustersBefore && ClusterModel.fromBytes(clustersBefore), firstFree };
  const fitted = await fitPopulation({
    ...rest,
    plan: plan.map(({ id, scope, options }) => ({ detector: detectors.find(({ meta }) => meta.id === id)!, scope, options })),
    before,
    betweenModels: (done, total) => Promise.resolve(say({ progress: [done, total] })),
  });
  say({ fitted: { ...fitted, clusters: fitted.clusters.toBytes() } });
}

answer().catch((error: unknown) => say({ error: error instanceof Error ? error.message : String(error) }));
