/** Hands the feature pass to a thread of its own; where none can be started (sources that are not compiled), it runs here. */
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { singleton } from 'tsyringe';
import { computeDayFeatures, type DayFeatures, type PassInput } from './day-features';

interface Reply {
  readonly id: number;
  readonly answer?: DayFeatures;
  readonly error?: string;
}

interface Pending {
  readonly resolve: (answer: DayFeatures) => void;
  readonly reject: (error: Error) => void;
}

@singleton()
export class PassThread {
  private worker: Worker | null = null;
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;

  /** Takes the input's arrays: they can't be read here afterwards. `execArgv` of the thread: by default that of the process. */
  compute(input: PassInput, execArgv?: readonly string[]): Promise<DayFeatures> {
    // A thread starts without the compiler that jest puts between.
    if (extname(__filename) === '.ts' && !(execArgv ?? process.execArgv).includes('-r')) return Promise.resolve(computeDayFeatures(input));
    const worker = (this.worker ??= this.start(execArgv));
    return new Promise((resolve, reject) => {
      const id = ++this.lastId;
      this.pending.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ id, input }, [input.words.buffer as ArrayBuffer, input.sims.buffer as ArrayBuffer]);
    });
  }

  async stop(): Promise<void> {
    const worker = this.worker;
    this.worker = null;
    await worker?.terminate();
  }

  private start(execArgv?: readonly string[]): Worker {
    const file = join(__dirname, `pass-worker${extname(__filename)}`);
    const worker = new Worker(file, execArgv ? { execArgv: [...execArgv] } : {});
    worker.on('message', ({ id, answer, error }: Reply) => {
      const pending = this.pending.get(id);
      this.pending.delete(id);
      if (this.pending.size === 0) worker.unref();
      if (answer) pending?.resolve(answer);
      else pending?.reject(new Error(`the feature pass failed: ${error}`));
    });
    worker.on('error', (error) => this.lose(worker, error));
    worker.on('exit', () => this.lose(worker, new Error('the thread of the feature pass has ended')));
    return worker;
  }

  /** What it was computing fails and is due again; the next computation starts another thread. */
  private lose(worker: Worker, error: Error): void {
    if (this.worker === worker) this.worker = null;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}
