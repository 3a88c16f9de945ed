/** What an orchestrator and a monitor ask: is the process alive, may it take traffic, what is it doing. None needs a credential; none says anything of a customer. */
import express, { type Router } from 'express';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Database } from './database/database';
import type { Clock } from './runtime';

export interface HealthSources {
  readonly database: Database;
  readonly clock: Clock;
  /** False once the process is stopping. */
  readonly accepting: () => boolean;
}

/** How long whoever asks is kept waiting for a database that hasn't answered yet since the start. */
const FIRST_WAIT_MILLISECONDS = 2_000;
/** And for one that has: it is busy, most likely. The embedded database does one thing at a time, so a question waits behind whatever runs. */
const BUSY_WAIT_MILLISECONDS = 100;
/**
 * A database that answered so lately is merely busy: taking traffic away from the process would help nobody. Longer than a request's statement may
 * take; on the embedded database longer than the index of a day's dialogues.
 */
const BUSY_MILLISECONDS = { postgresql: 15_000, embedded: 60_000 } as const;
/** Anybody may ask, as often as they like: the database is asked this often at most. */
const FRESH_MILLISECONDS = 1_000;

export function healthRouter(sources: HealthSources): Router {
  const router = express.Router();
  const metrics = metricsOf(sources);
  const ask = databaseState(sources.database);
  const figures = shared(() => metrics.metrics());
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });
  router.get('/readyz', async (_request, response) => {
    const database = sources.accepting() ? await ask() : 'stopping';
    const isReady = database === 'ready' || database === 'busy';
    response.status(isReady ? 200 : 503).json({
      status: isReady ? 'ready' : 'not ready',
      database: { kind: sources.database.kind, state: database, durability: durability(sources.database) },
    });
  });
  router.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await figures());
  });
  return router;
}

/** One answer for all who ask at once, or shortly after each other. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let latest: { readonly answer: Promise<T>; readonly since: number } | null = null;
  return () => {
    const now = performance.now();
    if (latest === null || now - latest.since > FRESH_MILLISECONDS) latest = { answer: ask(), since: now };
    return latest.answer;
  };
}

/** The embedded database runs without fsync: say so wherever somebody decides whether to rely on it. */
export function durability(database: Database): string {
  return database.kind === 'embedded' ? 'safe against a killed process, not against a power cut' : 'as the PostgreSQL server is configured';
}

type DatabaseState = 'ready' | 'busy' | 'silent' | 'unreachable';

/** `busy`: it answered of late, but keeps this question waiting; `silent`: for too long. At most one question is open, whoever asks. */
function databaseState(database: Database): () => Promise<DatabaseState> {
  let lastAnswer = -Infinity;
  let ping: { readonly answer: Promise<DatabaseState>; readonly since: number; done: boolean } | null = null;
  const begin = (since: number) => {
    const answer = pingDatabase(database).then((state) => {
      begun.done = true;
      if (state === 'ready') lastAnswer = performance.now();
      return state;
    });
    const begun = { answer, since, done: false };
    return begun;
  };
  return async () => {
    const now = performance.now();
    if (ping === null || (ping.done && now - ping.since > FRESH_MILLISECONDS)) ping = begin(now);
    const waited = wait(lastAnswer === -Infinity ? FIRST_WAIT_MILLISECONDS : BUSY_WAIT_MILLISECONDS);
    const state = await Promise.race([ping.answer, waited.over.then(() => null)]);
    waited.end();
    return state ?? (performance.now() - lastAnswer < BUSY_MILLISECONDS[database.kind] ? 'busy' : 'silent');
  };
}

function wait(milliseconds: number): { readonly over: Promise<void>; readonly end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
  return { over, end: () => clearTimeout(timer) };
}

function pingDatabase(database: Database): Promise<'ready' | 'unreachable'> {
  return database
    .transaction({ name: 'health.ping', role: 'ingest', readOnly: true, retries: 0 }, (transaction) => transaction.query('SELECT 1'))
    .then(
      () => 'ready' as const,
      () => 'unreachable' as const,
    );
}

function metricsOf({ database }: HealthSources): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const backlog = async (table: 'evaluation_queue' | 'event_pending' | 'outbox', gauge: Gauge) => {
    const where = table === 'outbox' ? "WHERE state = 'PENDING'" : '';
    const [row] = await database.transaction({ name: 'health.metrics', role: 'ingest', readOnly: true, retries: 0 }, (transaction) =>
      transaction.query<{ waiting: number }>(`SELECT count(*)::int4 AS waiting FROM ${table} ${where}`),
    );
    gauge.set(row?.waiting ?? 0);
  };
  for (const [name, table, help] of [
    ['simwarden_evaluation_backlog', 'evaluation_queue', 'Evaluations that are owed.'],
    ['simwarden_event_backlog', 'event_pending', 'Events that have no position yet.'],
    ['simwarden_outbox_backlog', 'outbox', 'Messages that have not left yet.'],
  ] as const) {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        await backlog(table, this).catch(() => this.set(NaN));
      },
    });
  }
  new Gauge({
    name: 'simwarden_population_runs',
    help: 'Population runs of the last 93 days, by why they ran and how they stand or ended.',
    labelNames: ['trigger', 'state'],
    registers: [registry],
    async collect() {
      const counted = await populationRuns(database).catch(() => null);
      this.reset();
      if (counted === null) return;
      for (const trigger of ['SCHEDULE', 'ON_DEMAND', 'BACKTEST', 'FIT'])
        for (const state of ['WAITING', 'RUNNING', 'SUCCEEDED', 'FAILED']) {
          const row = counted.find((each) => each.trigger === trigger && each.state === state);
          this.set({ trigger, state }, row?.runs ?? 0);
        }
    },
  });
  return registry;
}

function populationRuns(database: Database): Promise<{ trigger: string; state: string; runs: number }[]> {
  return database.transaction({ name: 'health.metrics', role: 'ingest', clientId: 0, readOnly: true, retries: 0 }, (transaction) =>
    transaction.query(
      'SELECT trigger, state, count(*)::int4 AS runs FROM population_run WHERE client_id = $1 GROUP BY trigger, state',
      [0],
    ),
  );
}
