/** Composition root: the only file that knows the container and all slices. Everything that a process is made of is bound here. */
import 'reflect-metadata';
import type { IncomingMessage } from 'node:http';
import express from 'express';
import type { GraphQLSchema } from 'graphql';
import { container as root, type DependencyContainer, type InjectionToken } from 'tsyringe';
import { builtInDetectors, populationDetectors, populationOptions } from '../plugins';
import { accessResolvers, authorise, Authenticator, ensureOperatorKey, requirePermission } from './access';
import { AlertChangeListener, AlertFiringHistory, alertResolvers, ResolveMovedSims } from './alerts';
import { Config } from './config';
import { Database } from './database/database';
import { holdDirectory, type DirectoryLock } from './database/embedded/directory-lock';
import { forgetLeases } from './database/lease';
import { openDatabase } from './database/open';
import { deadEnd, unreadable } from './dead-end';
import {
  BacktestWorker,
  DayCloser,
  detectionResolvers,
  DetectorRegistry,
  EvaluationRequests,
  EvaluationWorker,
  FeatureJudge,
  FeatureWorker,
  FiringHistory,
  ServiceWatch,
  PopulationScheduler,
  loadPartners,
  VerdictCommit,
  type Partners,
} from './detection';
import type { Detector } from './detector';
import { fleetResolvers, SettingChangeListener, SimMoveListener, SimRegistrationListener } from './fleet';
import type { Caller } from './graphql/caller';
import { EventTail } from './graphql/event-tail';
import { bodyDeadline } from './graphql/http-guards';
import { NodeResolver } from './graphql/nodes';
import { buildGraphqlSchema } from './graphql/schema';
import { Sequencer } from './graphql/sequencer';
import { createGraphqlServer } from './graphql/server';
import { healthRouter } from './health';
import { Correlator, incidentResolvers } from './incidents';
import { insightsResolvers } from './insights';
import { Listener } from './listener';
import { processLog } from './log';
import { Pipeline } from './pipeline';
import {
  blockHandlers,
  CancelMovedBlocks,
  NetworkConnector,
  OutboxWorker,
  ResponseRetention,
  responseResolvers,
  SimulatedConnector,
} from './response';
import { Clock, Entropy, Log, SystemClock, SystemEntropy } from './runtime';
import {
  DialogueDayCloser,
  Ingest,
  ingestRouter,
  QuarantineRequeuer,
  QuarterMerger,
  TelemetryRetention,
  telemetryResolvers,
} from './telemetry';

/** For commands, which may not import plugins themselves. */
export { populationDetectors, populationOptions } from '../plugins';

export interface AppOptions {
  readonly config: Config;
  readonly clock?: Clock;
  readonly entropy?: Entropy;
  readonly log?: Log;
  /** An open database; it stays the caller's to close. Absent: the one that the configuration names. */
  readonly database?: Database;
  /** Detectors beside the built-ins. */
  readonly detectors?: readonly Detector[];
  /** Who carries blocks to the network. Default: the simulated connector. */
  readonly connector?: NetworkConnector;
  /** False: answers requests, but runs no background work but what `settle` asks for. Default true. */
  readonly workers?: boolean;
}

export interface App {
  /** Where it listens: `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly database: Database;
  readonly schema: GraphQLSchema;
  /** An operator key that was made because none was configured and none existed; shown once. */
  readonly newOperatorKey: string | null;
  /** Does all background work that is due now, in every room. For tests, the demo and one-shot commands. */
  settle(): Promise<void>;
  /** Stops taking requests, ends what runs, and closes what it opened. */
  close(): Promise<void>;
}

/** Something that works in the background. */
interface Worker {
  start(): void;
  stop(): Promise<void>;
  drain(): Promise<void>;
}

/** Time that the database gives to the reads of one operation, however many fields it has. */
const MOST_READ_MILLISECONDS = 5_000;

/** Time that requests in hand get when the process stops. */
const STOP_GRACE_MILLISECONDS = 5_000;

export async function createApp(options: AppOptions): Promise<App> {
  const { config, clock = new SystemClock(), entropy = new SystemEntropy(), log = processLog(config.logLevel) } = options;
  const partners = await loadPartners(config);
  try {
    return await startApp({ ...options, clock, entropy, log }, partners);
  } catch (error) {
    await partners.close();
    throw error;
  }
}

type Equipped = AppOptions & Required<Pick<AppOptions, 'clock' | 'entropy' | 'log'>>;

async function startApp(options: Equipped, partners: Partners): Promise<App> {
  const { config, clock, entropy, log } = options;
  const storage = options.database ? { database: options.database, lock: null } : await openStorage(config, log);
  const { database } = storage;
  const container = bind({ config, clock, entropy, log, database, connector: options.connector ?? new SimulatedConnector() });
  const registry = container.resolve(DetectorRegistry);
  registry.loadsInThreads(require.resolve('../plugins'), populationDetectors);
  registry.setPopulationOptions(populationOptions);
  for (const detector of [...builtInDetectors, ...populationDetectors, ...(options.detectors ?? [])]) registry.register(detector);
  for (const detector of partners.detectors) {
    registry.registerOnTrial(detector);
    const { id, version } = detector.meta;
    log.logger.info(
      { detector: id, version },
      "a partner's detector is loaded; where nobody configured it, it judges in shadow and raises nothing",
    );
  }
  const newOperatorKey = await ensureOperatorKey(config, database, clock, entropy);
  const authenticator = container.resolve(Authenticator);
  const workers = workersOf(container, { database, clock, entropy, log });
  const schema = await buildAppSchema(container);

  const http = express().disable('x-powered-by').set('query parser', 'simple');
  const listener = new Listener(http);
  const callerOf = async (authorization: string | undefined, incoming?: IncomingMessage): Promise<Caller | null> =>
    (incoming && listener.callerByDoor(incoming)) ?? authenticator.authenticate(authorization);
  let accepting = true;
  const { ingestsPerCredential } = config;
  http.use(
    ingestRouter({
      ingest: container.resolve(Ingest),
      authenticate: (request) => callerOf(request.headers.authorization, request),
      entropy,
      log,
      ingestsPerCredential,
    }),
  );
  // Only a body of /ingest may take its time.
  http.use(bodyDeadline());
  http.use(healthRouter({ database, clock, accepting: () => accepting }));
  const graphql = await createGraphqlServer({
    schema,
    services: {
      database,
      clock,
      entropy,
      log,
      readBudgetMilliseconds: Math.min(MOST_READ_MILLISECONDS, config.statementTimeoutMilliseconds),
    },
    tail: workers.tail,
    requestsPerMinute: config.requestsPerMinute,
    socketsPerCredential: config.socketsPerCredential,
    authenticate: ({ authorization, incoming }) => callerOf(authorization, incoming),
    authorize: requirePermission,
    onRevoked: (told) => authenticator.onRevoked(told),
    corsOrigins: config.corsOrigins,
    graphiql: config.environment !== 'production',
  });
  http.use(graphql.router);
  http.use(deadEnd, unreadable(log, entropy));
  graphql.attach(listener.server);

  if (options.workers !== false) for (const worker of workers.all) worker.start();
  const url = await listener.listen(config.host, config.port);
  if (storage.lock) listener.serveLocally(storage.lock);
  return {
    url,
    database,
    schema,
    newOperatorKey,
    settle: () => settle(workers.all, () => !accepting),
    close: async () => {
      accepting = false;
      await graphql.stop();
      if (await listener.close(STOP_GRACE_MILLISECONDS))
        log.logger.warn({ milliseconds: STOP_GRACE_MILLISECONDS }, 'requests that did not end in time were cut off');
      await Promise.all(workers.all.map((worker) => worker.stop()));
      await partners.close();
      if (!options.database) await database.close();
      await storage.lock?.release();
    },
  };
}

/** The API's schema without a running server: for `schema.graphql`. */
export async function printableSchema(): Promise<GraphQLSchema> {
  return buildAppSchema(root.createChildContainer());
}

async function openStorage(config: Config, log: Log): Promise<{ database: Database; lock: DirectoryLock | null }> {
  const lock = config.databaseUrl === null ? await holdDirectory(config.dataDirectory) : null;
  try {
    const database = await openDatabase({
      url: config.databaseUrl,
      dataDirectory: config.dataDirectory,
      ...(lock ? { directoryLock: lock } : {}),
      entities: [],
      log,
      statementTimeoutMs: config.statementTimeoutMilliseconds,
      leaseTimeoutMs: config.leaseTimeoutMilliseconds,
      poolSize: config.databasePoolSize,
    });
    // Nobody else has the directory open, so what a killed process held needn't run out first.
    if (lock) await database.transaction({ name: 'embedded.forgetLeases', role: 'ingest' }, forgetLeases);
    return { database, lock };
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

interface Outside {
  readonly config: Config;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly database: Database;
  readonly connector: NetworkConnector;
}

/** A container of this app alone: several apps may live in one process (tests do), and none may see another's singletons. */
function bind(outside: Outside): DependencyContainer {
  const container = root.createChildContainer();
  for (const [token, registrations] of registrationsOf(root)) {
    // a class marked @singleton() is registered globally; registered here again, it is made here
    for (const { provider } of registrations)
      if (provider.useClass) container.registerSingleton(token as InjectionToken<object>, provider.useClass);
  }
  container.registerInstance(Config, outside.config);
  container.registerInstance(Clock as never, outside.clock);
  container.registerInstance(Entropy as never, outside.entropy);
  container.registerInstance(Log as never, outside.log);
  container.registerInstance(Database as never, outside.database);
  container.registerInstance(NetworkConnector as never, outside.connector);
  // ports: what a slice on the left tells one on the right
  const port = (token: unknown, implementation: InjectionToken<object>) =>
    container.register(token as never, { useFactory: (from) => from.resolve(implementation) as never });
  port(SimRegistrationListener, QuarantineRequeuer);
  port(SettingChangeListener, EvaluationRequests);
  port(SimMoveListener, ResolveMovedSims);
  port(SimMoveListener, CancelMovedBlocks);
  port(FiringHistory, AlertFiringHistory);
  port(AlertChangeListener, Correlator);
  port(VerdictCommit, Pipeline);
  return container;
}

interface Registration {
  readonly provider: { readonly useClass?: new (...parts: unknown[]) => object };
}

/** tsyringe has no public way to list what is registered. */
function registrationsOf(container: DependencyContainer): Iterable<[unknown, Registration[]]> {
  return (container as unknown as { _registry: { entries(): Iterable<[unknown, Registration[]]> } })._registry.entries();
}

async function buildAppSchema(container: DependencyContainer): Promise<GraphQLSchema> {
  return buildGraphqlSchema({
    container,
    globalMiddlewares: [authorise],
    resolvers: [
      NodeResolver,
      ...accessResolvers,
      ...fleetResolvers,
      ...telemetryResolvers,
      ...detectionResolvers,
      ...alertResolvers,
      ...incidentResolvers,
      ...responseResolvers,
      ...insightsResolvers,
    ],
  });
}

/** In the order of the flow, so that settling once carries a record all the way. */
function workersOf(
  container: DependencyContainer,
  parts: Pick<Outside, 'database' | 'clock' | 'entropy' | 'log'>,
): { all: Worker[]; tail: EventTail } {
  const { database, clock, entropy, log } = parts;
  const tail = new EventTail(database, log);
  const outbox = new OutboxWorker({
    database,
    clock,
    entropy,
    log,
    handlers: blockHandlers({ database, clock, entropy, connector: container.resolve<NetworkConnector>(NetworkConnector as never) }),
  });
  const all: Worker[] = [
    container.resolve(Authenticator),
    container.resolve(QuarantineRequeuer),
    container.resolve(QuarterMerger),
    container.resolve(EvaluationWorker),
    container.resolve(ServiceWatch),
    container.resolve(DayCloser),
    container.resolve(FeatureWorker),
    container.resolve(FeatureJudge),
    container.resolve(PopulationScheduler),
    container.resolve(BacktestWorker),
    outbox,
    new Sequencer(database, clock, log),
    tail,
    container.resolve(DialogueDayCloser),
    container.resolve(TelemetryRetention),
    container.resolve(ResponseRetention),
  ];
  return { all, tail };
}

/** Twice, since what a later worker did may have made work for an earlier one. A process that stops leaves the rest. */
async function settle(workers: readonly Worker[], isStopping: () => boolean): Promise<void> {
  for (let round = 0; round < 2; round++) for (const worker of workers) if (!isStopping()) await worker.drain();
}
