/** The one session of the embedded database: starts its thread, keeps each request within its time, and starts the thread again when it must. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import pg from 'pg';
import { SimwardenError } from '../../errors';
import type { Log } from '../../runtime';

type Request =
  | { readonly kind: 'exchange'; readonly bytes: Uint8Array }
  | { readonly kind: 'copy'; readonly sql: string; readonly bytes: Uint8Array }
  | { readonly kind: 'reset' | 'dump' | 'close' };

interface Reply {
  readonly id?: number;
  readonly answer?: unknown;
  readonly error?: { readonly message: string };
  readonly ready?: true;
  readonly failed?: { readonly message: string };
}

interface Pending {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout | null;
}

export interface SessionOptions {
  /** Where the data lies; null: in memory only. */
  readonly directory: string | null;
  /** Runs before the first start; answers the image of a database to begin a new one with, if any. */
  readonly prepare: () => Promise<string | null>;
  readonly log: Log;
  /** Sees each thread that is started: for tests that end one. */
  readonly onThread?: (thread: Worker) => void;
}

/** A statement that is still running then is not waited for: what was committed is stored. */
const closeBudgetMs = 10_000;

export class EmbeddedSession {
  /** Milliseconds that the holder of the session allows one statement; 0: no bound. */
  statementBudgetMs = 0;
  private worker: Worker | null = null;
  private starting: Promise<Worker> | null = null;
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;
  private starts = 0;
  private closed = false;

  constructor(private readonly options: SessionOptions) {}

  /** Bytes of PostgreSQL's wire protocol in, its answer out. Rejects with STATEMENT_TIMEOUT when the budget is over; the session is a new one then. */
  async exchange(bytes: Uint8Array): Promise<Uint8Array> {
    return (await this.request({ kind: 'exchange', bytes }, this.statementBudgetMs)) as Uint8Array;
  }

  /** Runs a COPY that names '/dev/blob', with these bytes in it; answers the number of rows. */
  async copy(sql: string, bytes: Uint8Array): Promise<number> {
    return (await this.request({ kind: 'copy', sql, bytes }, this.statementBudgetMs)) as number;
  }

  /** Ends whatever the holder before left open. */
  async reset(): Promise<void> {
    await this.request({ kind: 'reset' }, 0);
  }

  /** The whole database as a tar archive. */
  async dump(): Promise<Uint8Array> {
    return (await this.request({ kind: 'dump' }, 0)) as Uint8Array;
  }

  /** Starts it now, which may take longer than anyone would wait for a free session. */
  async open(): Promise<void> {
    if (!this.worker) await this.start();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    const worker = this.worker;
    if (worker) {
      await this.request({ kind: 'close' }, closeBudgetMs).catch((error: unknown) => {
        this.options.log.logger.warn({ err: error }, 'the embedded database was ended without being closed');
      });
    }
    this.closed = true;
    await this.starting?.catch(() => undefined);
    await (worker ?? this.worker)?.terminate();
  }

  private async request(request: Request, budgetMs: number): Promise<unknown> {
    const worker = this.worker ?? (await this.start());
    return new Promise((resolve, reject) => {
      const id = ++this.lastId;
      const timer = budgetMs > 0 ? setTimeout(() => this.overrun(id, budgetMs), budgetMs) : null;
      this.pending.set(id, { resolve, reject, timer });
      worker.ref();
      worker.postMessage({ id, ...request });
    });
  }

  private start(): Promise<Worker> {
    if (this.closed) return Promise.reject(unavailable('the embedded database is closed'));
    if (this.options.directory === null && this.starts > 0) return Promise.reject(unavailable('the in-memory database has ended'));
    this.starting ??= this.launch().finally(() => {
      this.starting = null;
    });
    return this.starting;
  }

  private async launch(): Promise<Worker> {
    // Only a new database begins with the image; afterwards the directory has the data.
    const imagePath = this.starts === 0 ? await this.options.prepare() : null;
    this.starts += 1;
    const workerData = { directory: this.options.directory, imagePath };
    const worker = new Worker(join(__dirname, 'session-worker.js'), { workerData, execArgv: [] });
    this.options.onThread?.(worker);
    return new Promise((resolve, reject) => {
      worker.on('message', (reply: Reply) => {
        if (reply.ready) {
          this.worker = worker;
          resolve(worker);
        } else if (reply.failed) {
          reject(unavailable(`the embedded database did not start: ${reply.failed.message}`));
        } else if (reply.id !== undefined) {
          this.settle(worker, reply.id, reply);
        }
      });
      const end = (reason: string): void => {
        reject(unavailable(reason));
        if (this.worker === worker) this.lose(unavailable(reason));
      };
      worker.on('error', (error) => end(`its thread failed: ${error.message}`));
      worker.on('exit', () => end('its thread has ended'));
    });
  }

  private settle(worker: Worker, id: number, reply: Reply): void {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    if (this.pending.size === 0) worker.unref();
    if (!pending) return;
    if (pending.timer) clearTimeout(pending.timer);
    if (reply.error) pending.reject(Object.assign(new pg.DatabaseError(reply.error.message, 0, 'error'), reply.error));
    else pending.resolve(reply.answer);
  }

  /** A running statement can't be interrupted: its thread is ended, which rolls its transaction back. Data in memory would go with it, so there it runs on unheard. */
  private overrun(id: number, budgetMs: number): void {
    const error = new SimwardenError('STATEMENT_TIMEOUT', { milliseconds: budgetMs });
    if (this.options.directory === null) {
      this.pending.get(id)?.reject(error);
      this.pending.delete(id);
      return;
    }
    this.options.log.logger.warn({ milliseconds: budgetMs }, 'a statement overran its time; the embedded database starts again');
    const worker = this.worker;
    this.lose(error);
    // The directory must not be opened again before the old thread has let go of it.
    if (worker)
      this.starting = worker
        .terminate()
        .then(() => this.launch())
        .finally(() => (this.starting = null));
    this.starting?.catch(() => undefined);
  }

  private lose(error: Error): void {
    this.worker = null;
    const waiting = [...this.pending.values()];
    this.pending.clear();
    for (const { reject, timer } of waiting) {
      if (timer) clearTimeout(timer);
      reject(error);
    }
  }
}

function unavailable(what: string): SimwardenError {
  return new SimwardenError('DATABASE_UNAVAILABLE', { what });
}
