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

const READY_TIMEOUT_MILLISECONDS = 2_000;
/** Anybody may ask, as often as they like: the database is asked this often at most. */
const FRESH_MILLISECONDS = 1_000;

export function healthRouter(sources: HealthSources): Router {
  const router = express.Router();
  const metrics = metricsOf(sources);
  const ping = shared(() => pingDatabase(sources.database));
  const figures = shared(() => metrics.metrics());
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });
  router.get('/readyz', async (_request, response) => {
    const database = sources.accepting() ? await ping() : 'stopping';
    response.status(database === 'ready' ? 200 : 503).json({
      status: database === 'ready' ? 'ready' : 'not ready',
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

async function pingDatabase(database: Database): Promise<'ready' | 'busy' | 'unreachable'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'busy'>((resolve) => {
    timer = setTimeout(() => resolve('busy'), READY_TIMEOUT_MILLISECONDS);
  });
  const ping = database
    .transaction({ name: 'health.ping', role: 'ingest', readOnly: true, retries: 0 }, (transaction) => transaction.query('SELECT 1'))
    .then(
      () => 'ready' as const,
      () => 'unreachable' as const,
    );
  return Promise.race([ping, late]).finally(() => clearTimeout(timer));
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
  return registry;
}
