/** `simwarden detect` and `simwarden fit`: a population run asked of the server that runs, or where none does, carried out without one. */
import type { Config } from '../config';
import { openDoor, refused, type Door } from './door';
import { startProgress } from './progress';
import { exitCodes, stopSignal, type StopSignal } from './serve';

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
  readonly modelsDone: number;
  readonly modelsTotal: number;
  readonly result: unknown;
  readonly warnings: readonly string[];
  readonly error: string | null;
}

export const RUN = 'id state phase rowsDone rowsTotal modelsDone modelsTotal result warnings error';

/** A run as far as the command followed it. */
export interface FollowedRun extends Run {
  /** What stopped the command, and with it a run that nobody else was at. */
  readonly stoppedBy: StopSignal | null;
}

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

async function carryOut(config: Config, title: string, mutation: 'runDetection' | 'fitModels', input: object): Promise<FollowedRun> {
  const door = await openDoor(config);
  try {
    const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`;
    const ask = async () => {
      const asked = await door.ask<Record<string, { run: Run | null; userErrors: { code: string; message: string }[] }>>(
        `mutation Ask($input: ${type}!) { ${mutation}(input: $input) { run { ${RUN} } userErrors { code message } } }`,
        { input },
      );
      return asked[mutation]!;
    };
    let asked = await ask();
    // features may be due that nobody has computed yet
    const isEarly = () => asked.userErrors.some(({ code }) => code === 'NOTHING_TO_JUDGE');
    for (let works = door.works; works && isEarly(); asked = await ask()) works = await door.wait();
    if (asked.run === null) throw refused(asked.userErrors);
    return await followRun(door, title, asked.run);
  } finally {
    await door.close();
  }
}

/** To its end, or where the command works on it, until a signal stops both. */
export async function followRun(door: Door, title: string, begun: Run): Promise<FollowedRun> {
  const progress = startProgress(title, 100, '%');
  const stop = door.works ? stopSignal() : new Promise<never>(() => undefined);
  let run = begun;
  let stoppedBy: StopSignal | null = null;
  while (stoppedBy === null && (run.state === 'WAITING' || run.state === 'RUNNING')) {
    const looked = await Promise.race([door.wait(), stop]);
    if (typeof looked === 'string') stoppedBy = looked;
    else {
      run = (await door.ask<{ populationRun: Run }>(`query Run($id: ID!) { populationRun(id: $id) { ${RUN} } }`, { id: run.id }))
        .populationRun;
      progress.update(percentOf(run), whatHappens(run, looked));
    }
  }
  progress.stop();
  if (stoppedBy) process.stderr.write('Stopping…\n');
  return { ...run, stoppedBy };
}

/** Of the phase that it is in. */
function percentOf({ phase, rowsDone, rowsTotal, modelsDone, modelsTotal }: Run): number {
  const [done, total] = phase === 'FIT' || rowsTotal === 0 ? [modelsDone, modelsTotal] : [rowsDone, rowsTotal];
  return phase === 'DONE' ? 100 : total > 0 ? Math.floor((100 * done) / total) : 0;
}

function whatHappens({ state, phase }: Run, works: boolean): string {
  if (!works && (state === 'WAITING' || state === 'RUNNING')) return 'another process is at a population run';
  if (state === 'WAITING') return 'WAITING for what is due before it';
  return phase === 'WAITING' ? state : phase;
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
export function printRun({ stoppedBy, ...run }: FollowedRun, json: boolean, beside: object): void {
  if (stoppedBy) return;
  if (json) process.stdout.write(`${JSON.stringify({ ...beside, ...run })}\n`);
  else if (run.state === 'SUCCEEDED') printDecisions(run);
}

/** Says what is to be known of a run at its end; answers the process's exit code. */
export function ended({ state, error, warnings, stoppedBy }: FollowedRun): number {
  if (stoppedBy) {
    process.stderr.write('Stopped. The run goes on where it stopped, with the next command or server on this database.\n');
    return exitCodes[stoppedBy];
  }
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  if (state === 'FAILED') process.stderr.write(`The run failed: ${error}\n`);
  return state === 'SUCCEEDED' ? 0 : 1;
}
