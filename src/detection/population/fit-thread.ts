/** Hands a fit to a thread of its own; what only this process can run, partners' detectors, is fitted from here with the same clusters. */
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { singleton } from 'tsyringe';
import { DetectorRegistry } from '../host/registry';
import { ClusterModel } from './clusters';
import { fitModels, fitPopulation, type FitRequest, type FittedPopulation } from './fit';
import { storedPlan, type PlannedDetector, type StoredPlan } from './plan';

/** What the thread is given. */
export interface FitWork extends Omit<FitRequest, 'plan' | 'before' | 'betweenModels'> {
  /** The module that exports `populationDetectors`; null: none of them is needed. */
  readonly code: string | null;
  readonly plan: readonly StoredPlan[];
  readonly clustersBefore: Uint8Array | null;
  readonly firstFree: number;
}

/** What the thread says: how far it is, and at last what it fitted or why it couldn't. */
export type FitWord =
  | { readonly progress: readonly [done: number, total: number] }
  | { readonly fitted: Omit<FittedPopulation, 'clusters'> & { readonly clusters: Uint8Array } }
  | { readonly error: string };

@singleton()
export class FitThread {
  constructor(private readonly registry: DetectorRegistry) {}

  /** The same bytes as `fitPopulation`. `execArgv` of the thread: by default that of the process. */
  async fit(request: FitRequest, execArgv?: readonly string[]): Promise<FittedPopulation> {
    // A thread starts without the compiler that jest puts between.
    if (extname(__filename) === '.ts' && !(execArgv ?? process.execArgv).includes('-r')) return fitPopulation(request);
    const inThread = (planned: PlannedDetector) => this.registry.isInPopulationCode(planned.detector);
    const fitted = await this.runThread({ ...request, plan: request.plan.filter(inThread) }, execArgv);
    const before = fitted.models.length;
    const here = await fitModels(
      {
        ...request,
        plan: request.plan.filter((planned) => !inThread(planned)),
        betweenModels: async (done, total) => request.betweenModels?.(before + done, before + total),
      },
      fitted.clusters,
    );
    return { ...fitted, models: [...fitted.models, ...here.models], failures: new Map([...fitted.failures, ...here.failures]) };
  }

  /** What `betweenModels` throws ends the thread. */
  private async runThread({ plan, before, betweenModels, ...rest }: FitRequest, execArgv?: readonly string[]): Promise<FittedPopulation> {
    const work: FitWork = {
      ...rest,
      code: plan.length === 0 ? null : this.registry.populationCode,
      plan: storedPlan(plan),
      clustersBefore: before.clusters?.toBytes() ?? null,
      firstFree: before.firstFree,
    };
    const file = join(__dirname, `fit-worker${extname(__filename)}`);
    // The process's own flags are inherited where none are given: given, those of V8, such as --max-old-space-size, are refused.
    const worker = new Worker(file, { workerData: work, ...(execArgv ? { execArgv: [...execArgv] } : {}) });
    try {
      const fitted = await answerOf(worker, (done, total) => betweenModels?.(done, total) ?? Promise.resolve());
      return { ...fitted, clusters: ClusterModel.fromBytes(fitted.clusters) };
    } finally {
      await worker.terminate();
    }
  }
}

function answerOf(
  worker: Worker,
  progress: (done: number, total: number) => Promise<void>,
): Promise<Extract<FitWord, { fitted: unknown }>['fitted']> {
  return new Promise((resolve, reject) => {
    let told = Promise.resolve();
    let answered = false;
    worker.on('message', (word: FitWord) => {
      if ('progress' in word) {
        told = told.then(() => progress(...word.progress));
        told.catch(reject);
        return;
      }
      answered = true;
      if ('fitted' in word) void told.then(() => resolve(word.fitted), reject);
      else reject(new Error(word.error));
    });
    worker.on('error', reject);
    // A thread that has answered ends by itself, perhaps before its last progress is stored.
    worker.on('exit', (code) => {
      if (!answered) reject(new Error(`the thread of the fit ended with code ${code}`));
    });
  });
}
