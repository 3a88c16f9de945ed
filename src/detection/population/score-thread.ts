/** Hands buckets to a thread that scores them, so that the process goes on reading, storing and answering; partners' detectors score here. */
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { singleton } from 'tsyringe';
import { DetectorRegistry } from '../host/registry';
import type { LoadedGeneration } from './generation-store';
import { modelScopeOf, storedPlan, type PlannedDetector } from './plan';
import { driftCounts, scoreBucket } from './score-bucket';
import { modelKey, type BucketScores, type ScoreJob, type ScoreReply, type ScoreWork, type SentModel } from './score-job';
import { modelsNeeded, type RowsToScore } from './scoring';

export interface BucketToScore {
  readonly plan: readonly PlannedDetector[];
  readonly generation: LoadedGeneration;
  readonly asked: RowsToScore;
  readonly explains: boolean;
}

interface Pending {
  readonly resolve: (answer: BucketScores) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  /** Keys of the models that it has. */
  readonly has: Set<string>;
  readonly pending: Map<number, Pending>;
}

@singleton()
export class ScoreThread {
  private thread: Thread | null = null;
  private lastId = 0;

  constructor(private readonly registry: DetectorRegistry) {}

  /** The same numbers as `scoreBucket`. `execArgv` of the thread: by default that of the process. */
  async score(bucket: BucketToScore, execArgv?: readonly string[]): Promise<BucketScores> {
    const { plan, generation, asked, explains } = bucket;
    const code = this.registry.populationCode;
    // A thread starts without the compiler that jest puts between.
    const hasThread = code !== null && (extname(__filename) !== '.ts' || (execArgv ?? process.execArgv).includes('-r'));
    const there = hasThread ? plan.filter(({ detector }) => this.registry.isInPopulationCode(detector)) : [];
    const here = scoreBucket(
      plan.filter((planned) => !there.includes(planned)),
      asked,
      generation.modelOf,
      explains,
    );
    if (there.length === 0) return { detectors: await here, drift: driftCounts(generation.drift, asked.rows.values) };
    const [own, threaded] = await Promise.all([here, this.ask({ ...bucket, plan: there }, code!, execArgv)]);
    const all = [...own, ...threaded.detectors];
    return { detectors: plan.map(({ detector }) => all.find(({ detectorId }) => detectorId === detector.meta.id)!), drift: threaded.drift };
  }

  /** Ends the thread, with whatever it is at; the next bucket starts another. */
  async stop(): Promise<void> {
    const { thread } = this;
    this.thread = null;
    await thread?.worker.terminate();
  }

  private ask({ plan, generation, asked, explains }: BucketToScore, code: string, execArgv?: readonly string[]): Promise<BucketScores> {
    const thread = (this.thread ??= this.start(code, execArgv));
    const id = ++this.lastId;
    const models = plan.flatMap((planned) => this.newModels(thread, generation, planned, asked));
    const { majorOf, ...rows } = asked;
    const majors = new Map(Array.from(new Set(asked.rows.countries), (country) => [country, majorOf(country)]));
    const of = { generation: generation.generation, plan: storedPlan(plan), drift: generation.drift };
    const job: ScoreJob = { id, ...of, asked: rows, majors, explains, models };
    return new Promise((resolve, reject) => {
      thread.pending.set(id, { resolve, reject });
      thread.worker.ref();
      thread.worker.postMessage(job);
    });
  }

  private newModels(thread: Thread, generation: LoadedGeneration, planned: PlannedDetector, asked: RowsToScore): SentModel[] {
    const { id } = planned.detector.meta;
    const scope = modelScopeOf(planned.scope);
    return modelsNeeded(planned, asked).flatMap((cluster): SentModel[] => {
      const key = modelKey(generation.generation, id, scope, cluster);
      if (thread.has.has(key)) return [];
      thread.has.add(key);
      try {
        return [{ key, model: generation.modelOf(id)(scope, cluster) }];
      } catch (error) {
        const { name, message } = error as Error;
        return [{ key, model: { name, message } }];
      }
    });
  }

  private start(code: string, execArgv?: readonly string[]): Thread {
    const work: ScoreWork = { code };
    const file = join(__dirname, `score-worker${extname(__filename)}`);
    // The process's own flags are inherited where none are given: given, those of V8, such as --max-old-space-size, are refused.
    const worker = new Worker(file, { workerData: work, ...(execArgv ? { execArgv: [...execArgv] } : {}) });
    const thread: Thread = { worker, has: new Set(), pending: new Map() };
    worker.on('message', ({ id, answer, error }: ScoreReply) => {
      const pending = thread.pending.get(id);
      thread.pending.delete(id);
      if (thread.pending.size === 0) worker.unref();
      if (answer) pending?.resolve(answer);
      else pending?.reject(new Error(`the scoring failed: ${error}`));
    });
    worker.on('error', (error) => this.lose(thread, error));
    worker.on('exit', () => this.lose(thread, new Error('the thread of the scoring has ended')));
    return thread;
  }

  /** What it was scoring fails, and is scored again by the run's next attempt. */
  private lose(thread: Thread, error: Error): void {
    if (this.thread === thread) this.thread = null;
    for (const { reject } of thread.pending.values()) reject(error);
    thread.pending.clear();
  }
}
