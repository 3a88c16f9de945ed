/** `simwarden detect` and `simwarden fit`: a population run asked of the server that runs, or where none does, carried out without one. */
import { request, type RequestOptions } from 'node:http';
import { createApp, type App } from '../app';
import { Config } from '../config';
import { findRunningServer } from '../database/embedded/directory-lock';
import { SimwardenError } from '../errors';
import { processLog } from '../log';
import { SystemEntropy } from '../runtime';
import { startProgress } from './progress';

export interface DetectOptions {
  /** YYYY-MM-DD. */
  readonly day: string;
  readonly seed: number;
  readonly json: boolean;
}

export interface FitOptions {
  readonly from: string;
  readonly to: string;
  readonly seed: number;
}

/** Between two looks at a run of another process. */
const LOOK_MILLISECONDS = 500;

/** Where runs are asked for: a server, and its own work where nobody else does it. */
interface Door {
  readonly ask: <Data>(query: string, variables: object) => Promise<Data>;
  /** Lets what is due happen, or waits for it. */
  readonly wait: () => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Run {
  readonly id: string;
  readonly state: 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  readonly phase: string;
  readonly rowsDone: number;
  readonly rowsTotal: number;
  readonly result: unknown;
  readonly warnings: readonly string[];
  readonly error: string | null;
}

const RUN = 'id state phase rowsDone rowsTotal result warnings error';

/** Answers the process's exit code. */
export async function detectCommand({ day, seed, json }: DetectOptions, config: Config): Promise<number> {
  const run = await carryOut(config, `detect ${day}`, 'runDetection', { day, seed });
  if (json) process.stdout.write(`${JSON.stringify({ day, ...run })}\n`);
  else if (run.state === 'SUCCEEDED') printDecisions(run);
  return ended(run);
}

/** Answers the process's exit code. */
export async function fitCommand(options: FitOptions, config: Config): Promise<number> {
  const run = await carryOut(config, `fit ${options.from} to ${options.to}`, 'fitModels', options);
  if (run.state === 'SUCCEEDED') {
    const { generation, trainedRows, clusters } = run.result as { generation: number; trainedRows: number; clusters: string[] };
    process.stdout.write(
      `generation ${generation}, fitted on ${trainedRows} SIM-days\n${clusters.map((each) => `  cluster ${each}\n`).join('')}`,
    );
  }
  return ended(run);
}

async function carryOut(config: Config, title: string, mutation: 'runDetection' | 'fitModels', input: object): Promise<Run> {
  const door = await openDoor(config);
  try {
    const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`;
    const asked = await door.ask<Record<string, { run: Run | null; userErrors: { code: string; message: string }[] }>>(
      `mutation Ask($input: ${type}!) { ${mutation}(input: $input) { run { ${RUN} } userErrors { code message } } }`,
      { input },
    );
    const { run, userErrors } = asked[mutation]!;
    if (run === null) throw refused(userErrors);
    return await follow(door, title, run);
  } finally {
    await door.close();
  }
}

async function follow(door: Door, title: string, begun: Run): Promise<Run> {
  const progress = startProgress(title, 100, '%');
  let run = begun;
  while (run.state === 'WAITING' || run.state === 'RUNNING') {
    await door.wait();
    run = (await door.ask<{ populationRun: Run }>(`query Run($id: ID!) { populationRun(id: $id) { ${RUN} } }`, { id: run.id }))
      .populationRun;
    progress.update(run.rowsTotal > 0 ? Math.floor((100 * run.rowsDone) / run.rowsTotal) : 0, run.phase);
  }
  progress.stop();
  return run;
}

function printDecisions({ result }: Run): void {
  for (const { detector, scope, devices, flagged, pairs, anomalous, clearest, failure } of result as readonly DetectorLine[]) {
    const outcome =
      failure === null
        ? `${flagged} of ${devices} SIMs flagged, ${anomalous} of ${pairs} clients and countries ANOMALOUS`
        : `failed: ${failure}`;
    process.stdout.write(`${detector} (${scope}): ${outcome}\n`);
    for (const pair of clearest)
      process.stdout.write(
        `  ${pair.client ?? `client ${pair.clientId}`} in ${pair.country}: ${pair.flagged} of ${pair.devices} flagged, ${pair.expected.toFixed(1)} expected, z ${pair.zScore.toFixed(1)}\n`,
      );
  }
}

interface DetectorLine {
  readonly detector: string;
  readonly scope: string;
  readonly devices: number;
  readonly flagged: number;
  readonly pairs: number;
  readonly anomalous: number;
  readonly clearest: readonly {
    client: string | null;
    clientId: number;
    country: string;
    devices: number;
    flagged: number;
    expected: number;
    zScore: number;
  }[];
  readonly failure: string | null;
}

function ended({ state, error, warnings }: Run): number {
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  if (state === 'FAILED') process.stderr.write(`The run failed: ${error}\n`);
  return state === 'SUCCEEDED' ? 0 : 1;
}

async function openDoor(config: Config): Promise<Door> {
  const socketPath = config.databaseUrl === null ? await findRunningServer(config.dataDirectory) : null;
  if (socketPath !== null) {
    return {
      ask: (query, variables) => post({ socketPath }, query, variables),
      wait: () => new Promise((look) => setTimeout(look, LOOK_MILLISECONDS)),
      close: () => Promise.resolve(),
    };
  }
  const key = config.operatorKey ?? new SystemEntropy().bytes(32).toString('base64url');
  const app: App = await createApp({
    config: new Config({ ...config, host: '127.0.0.1', port: 0, operatorKey: key }),
    log: processLog(config.logLevel === 'info' ? 'warn' : config.logLevel),
    workers: false,
  });
  const { hostname, port } = new URL(app.url);
  await app.settle();
  return {
    ask: (query, variables) => post({ hostname, port, headers: { authorization: `Bearer ${key}` } }, query, variables),
    wait: () => app.settle(),
    close: () => app.close(),
  };
}

async function post<Data>(target: RequestOptions, query: string, variables: object): Promise<Data> {
  const body = JSON.stringify({ query, variables });
  const text = await new Promise<string>((resolve, reject) => {
    const headers = { ...target.headers, 'content-type': 'application/json' };
    const sent = request({ ...target, path: '/graphql', method: 'POST', headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
      response.on('error', reject);
    });
    sent.on('error', (error) => reject(new SimwardenError('SERVER_UNREACHABLE', { url: 'the running process', what: error.message })));
    sent.end(body);
  });
  const { data, errors } = JSON.parse(text) as { data?: Data; errors?: { message: string; extensions: { code: string } }[] };
  if (errors) throw refused(errors.map(({ message, extensions }) => ({ message, code: extensions.code })));
  if (!data) throw new SimwardenError('BAD_REQUEST', { what: text.slice(0, 200) });
  return data;
}

/** In the server's own words. */
function refused(errors: readonly { code: string; message: string }[]): Error {
  return new Error(errors.map(({ code, message }) => `${code}: ${message}`).join('\n'));
}
