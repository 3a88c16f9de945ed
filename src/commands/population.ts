/** `simwarden detect` and `simwarden fit`: a population run asked of the server that runs, or where none does, carried out without one. */
import type { Config } from '../config';
import { openDoor, refused, type Door } from './door';
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

export interface Run {
  readonly id: string;
  readonly state: 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  readonly phase: string;
  readonly rowsDone: number;
  readonly rowsTotal: number;
  readonly result: unknown;
  readonly warnings: readonly string[];
  readonly error: string | null;
}

export const RUN = 'id state phase rowsDone rowsTotal result warnings error';

/** Answers the process's exit code. */
export async function detectCommand({ day, seed, json }: DetectOptions, config: Config): Promise<number> {
  const run = await carryOut(config, `detect ${day}`, 'runDetection', { day, seed });
  printRun(run, json, { day });
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
    return await followRun(door, title, run);
  } finally {
    await door.close();
  }
}

export async function followRun(door: Door, title: string, begun: Run): Promise<Run> {
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
  const lines = result as readonly DetectorLine[];
  const isOfDays = lines.some(({ day }) => day !== lines[0]!.day);
  for (const { day, detector, scope, devices, flagged, pairs, anomalous, clearest, failure } of lines) {
    const outcome =
      failure === null
        ? `${flagged} of ${devices} SIMs flagged, ${anomalous} of ${pairs} clients and countries ANOMALOUS`
        : `failed: ${failure}`;
    process.stdout.write(`${isOfDays ? `${day} ` : ''}${detector} (${scope}): ${outcome}\n`);
    for (const pair of clearest)
      process.stdout.write(
        `  ${pair.client ?? `client ${pair.clientId}`} in ${pair.country}: ${pair.flagged} of ${pair.devices} flagged, ${pair.expected.toFixed(1)} expected, z ${pair.zScore.toFixed(1)}\n`,
      );
  }
}

interface DetectorLine {
  readonly day: string;
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

/** What was decided: as one line of JSON with `beside`, or in words. */
export function printRun(run: Run, json: boolean, beside: object): void {
  if (json) process.stdout.write(`${JSON.stringify({ ...beside, ...run })}\n`);
  else if (run.state === 'SUCCEEDED') printDecisions(run);
}

/** Says what is to be known of a run at its end; answers the process's exit code. */
export function ended({ state, error, warnings }: Run): number {
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  if (state === 'FAILED') process.stderr.write(`The run failed: ${error}\n`);
  return state === 'SUCCEEDED' ? 0 : 1;
}
