/** `simwarden demo`: the story fleets against a real server, through its public doors, at the pace of the simulated clock. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { columns, makePopulation, simsCsv, telemetryBetween, toCsv, type Population, type PopulationOptions } from '../../../seeds';
import { createApp, type App } from '../../app';
import { Config } from '../../config';
import { ManualClock, SystemEntropy } from '../../runtime';
import { startProgress } from '../progress';
import { stopSignal } from '../serve';
import { ApiClient } from './api-client';
import { blockStolenSim } from './block';
import { Portal } from './portal';
import { Scoreboard } from './scoreboard';
import { configureClients } from './settings';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Before this many days from the end nothing is wrong yet: whole days go in at once, to give the baselines their history. */
const STORY_DAYS = 5;

export interface DemoOptions extends PopulationOptions {
  /** End after the report. */
  readonly once: boolean;
}

/** Answers the exit code: 0 when every story was found. */
export async function runDemo(options: DemoOptions, config: Config): Promise<number> {
  const population = makePopulation(options);
  const clock = new ManualClock(population.from);
  const directory = await mkdtemp(join(tmpdir(), 'simwarden-demo-'));
  const operatorKey = config.operatorKey ?? new SystemEntropy().bytes(32).toString('base64url');
  const app = await createApp({
    // whoever only wants the report gets no port of theirs taken
    config: new Config({
      ...config,
      databaseUrl: null,
      dataDirectory: directory,
      operatorKey,
      port: options.once ? 0 : config.port,
      logLevel: 'error',
    }),
    clock,
  });
  try {
    const operator = new ApiClient(app.url, operatorKey);
    const scoreboard = new Scoreboard(population);
    await play(app, operator, population, clock, scoreboard);
    const found = scoreboard.results().every((result) => result.found);
    if (!options.once) await keepServing(app, config.operatorKey === null ? operatorKey : null);
    return found ? 0 : 1;
  } finally {
    await app.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function play(app: App, operator: ApiClient, population: Population, clock: ManualClock, scoreboard: Scoreboard): Promise<void> {
  print(
    `Simwarden at ${app.url}, on the embedded database; ${population.sims.length} SIMs of 6 customers, ${day(population.from)} to ${day(population.to)}.`,
  );
  await operator.ingest('sims', simsCsv(population), 'demo-sims');
  const clients = await configureClients(operator, population);
  const portals = await Promise.all(clients.map((client) => Portal.open(app.url, operator, client, scoreboard)));
  try {
    await sendTelemetry(app, operator, population, clock, portals);
    for (const line of portals.flatMap((portal) => portal.takeLines())) print(line);
    await blockStolenSim(app, operator, population, print);
    await app.settle();
    print(`\n${scoreboard.table()}\n`);
  } finally {
    await Promise.all(portals.map((portal) => portal.close()));
  }
}

async function sendTelemetry(
  app: App,
  operator: ApiClient,
  population: Population,
  clock: ManualClock,
  portals: readonly Portal[],
): Promise<void> {
  const steps = timeSteps(population);
  const progress = startProgress('telemetry', steps.length, 'steps');
  let sent = 0;
  for (const [number, step] of steps.entries()) {
    const { usage, connectionEvents, deviceEvents } = telemetryBetween(population, step.from, step.to);
    clock.set(step.to);
    const batch = `demo-${step.from.toISOString()}`;
    // side by side, as sources do; then what a step brings about a client is mostly judged once
    const answers = await Promise.all(
      [
        { kind: 'usage', rows: usage, header: columns.usage },
        { kind: 'connection-events', rows: connectionEvents, header: columns.connectionEvents },
        { kind: 'device-events', rows: deviceEvents, header: columns.deviceEvents },
      ].map(({ kind, rows, header }) => (rows.length > 0 ? operator.ingest(kind, toCsv(rows, header), batch) : Promise.resolve(0))),
    );
    sent += answers.reduce((sum, accepted) => sum + accepted, 0);
    // the simulated clock must not run away from the detection of what it stands at
    await app.settle();
    const lines = portals.flatMap((portal) => portal.takeLines());
    if (lines.length > 0 && process.stderr.isTTY) process.stderr.write('\n');
    for (const line of lines) print(line);
    progress.update(number + 1, `${sent} records, ${step.to.toISOString().slice(0, 13)}:00`);
  }
  progress.stop();
  await app.settle();
  print(`${sent} records are stored.`);
}

/** Whole days while nothing is wrong, then two hours at a time. */
function timeSteps(population: Population): { from: Date; to: Date }[] {
  const steps: { from: Date; to: Date }[] = [];
  const storiesFrom = population.to.getTime() - STORY_DAYS * DAY;
  for (let at = population.from.getTime(); at < population.to.getTime();) {
    const next = at + (at < storiesFrom ? DAY : 2 * HOUR);
    steps.push({ from: new Date(at), to: new Date(next) });
    at = next;
  }
  return steps;
}

/** `madeKey`: null where the configuration names the key, which may open other doors too. */
async function keepServing(app: App, madeKey: string | null): Promise<void> {
  print(`Still serving: GraphiQL at ${app.url}/ (operator key ${madeKey ?? 'of SIMWARDEN_OPERATOR_KEY'}). Stop with Ctrl-C.`);
  await stopSignal();
}

function day(instant: Date): string {
  return instant.toISOString().slice(0, 10);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
