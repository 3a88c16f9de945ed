/** `simwarden evaluate`: the paper's Table II for our models and scopes, measured now on populations with known truth; nothing is stored. */
import { signalingPopulation, type SignalingOptions } from '../../seeds/signaling';
import { populationDetectors, populationOptions } from '../app';
import type { Day } from '../detection/days';
import { assess, type Assessment, type ControlDecision } from './evaluate/assess';
import { directoryDays } from './evaluate/directory';
import { clientsUnseen } from './evaluate/incident-rows';
import { named, type PopulationDays } from './evaluate/population-days';
import { simulatedDays } from './evaluate/simulated';
import { startProgress } from './progress';

export interface EvaluateOptions {
  /** A directory of CSV files with a truth.json; absent: simulated populations. */
  readonly data?: string;
  readonly sims: number;
  readonly days: number;
  readonly seeds: readonly number[];
  readonly json: boolean;
}

/** What is said of one population; with `--json`, as it stands here. */
interface Evaluation {
  /** Its name. */
  readonly population: string;
  readonly days: readonly Day[];
  /** How many it has. */
  readonly clients: number;
  /** Names of the clients that nothing is wrong with. */
  readonly controls: readonly string[];
  /** Rows that were no dialogue of a known SIM. */
  readonly passedOver: number;
  readonly results: readonly Assessment[];
}

/** Models are fitted with the same seed whatever the population. */
const MODEL_SEED = 1;
const END = new Date('2026-11-15T00:00:00Z');

export async function evaluate(options: EvaluateOptions): Promise<void> {
  const answers: Evaluation[] = [];
  for await (const population of populationsOf(options)) {
    warn(population);
    const progress = startProgress(`evaluate ${population.name}`, populationDetectors.length * 3, 'models');
    const results = await assess(population, populationDetectors, MODEL_SEED, (done) => progress.update(done), populationOptions);
    progress.stop();
    const { name, days, clients, controls, passedOver } = population;
    answers.push({ population: name, days, clients: clients.length, controls, passedOver, results });
    if (!options.json) print(answers.at(-1)!);
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ populations: answers })}\n`);
  else if (answers.length > 1) printSum(answers);
}

/** On standard error, so that output stays clean. */
function warn(population: PopulationDays): void {
  const unseen = clientsUnseen(population);
  const ofUnseen = `no SIM of an incident signals on one of its days, so nothing can be found at ${named(unseen)}`;
  for (const warning of [...population.warnings, ...(unseen.length > 0 ? [ofUnseen] : [])]) process.stderr.write(`${warning}\n`);
}

async function* populationsOf({ data, sims, days, seeds }: EvaluateOptions): AsyncGenerator<PopulationDays> {
  if (data !== undefined) {
    const progress = startProgress(`read ${data}`, 0, 'rows');
    const found = await directoryDays(data, (rows) => progress.update(rows));
    progress.stop();
    yield found;
    return;
  }
  for (const seed of seeds) {
    const population: SignalingOptions = { sims, days, seed, end: END };
    signalingPopulation(population);
    const progress = startProgress(`simulate seed ${seed}`, days, 'days');
    const made = await simulatedDays(population, (done) => progress.update(done));
    progress.stop();
    yield made;
  }
}

function print({ population, days, clients, controls, results }: Evaluation): void {
  const line = (text: string) => process.stdout.write(`${text}\n`);
  line(`\n${population}: ${days.length} days (${days[0]} to ${days.at(-1)}), ${clients} clients, control ${controls.join(', ') || 'none'}`);
  for (const result of results) {
    line(`\n${result.detector}, ${result.scope}: ${summaryOf(result, controls)}`);
    for (const { client, country, day, kind, devicesHit, recall, zScore, correctedPValue, verdict } of result.incidents) {
      const numbers = `recall ${recall.toFixed(2)}  z ${zScore.toFixed(1).padStart(6)}  p ${correctedPValue.toExponential(1).padStart(8)}`;
      line(`  ${client.padEnd(24)} ${country} ${day}  ${String(devicesHit).padStart(5)} SIMs  ${numbers}  ${verdict.padEnd(9)}  ${kind}`);
    }
    for (const { client, country, day, zScore, verdict } of result.controls)
      if (verdict === 'ANOMALOUS') line(`  control ${client} ${country} ${day} z ${zScore.toFixed(1)} ANOMALOUS`);
  }
}

function summaryOf(result: Assessment, controls: readonly string[]): string {
  const { found, clients, falseAlarms, quietPairs } = result;
  return `found ${found} of ${clients} clients, ${controlOf(result, controls)}, ${falseAlarms} of ${quietPairs} quiet decisions ANOMALOUS`;
}

/** A control that was never judged is not clean. */
function controlOf({ controls, controlsAnomalous }: Assessment, names: readonly string[]): string {
  if (names.length === 0) return 'no control';
  const judged = controls.filter(isJudged);
  if (judged.length === 0) return 'control never judged';
  const highest = `highest z ${Math.max(...judged.map(({ zScore }) => zScore)).toFixed(1)}`;
  return controlsAnomalous === 0 ? `control clean (${highest})` : `control ANOMALOUS ${controlsAnomalous} times (${highest})`;
}

function isJudged({ verdict }: ControlDecision): boolean {
  return verdict !== 'ABSTAINED';
}

/** Over all populations: how often every client was found, and how often the control was clean. */
function printSum(populations: readonly Evaluation[]): void {
  process.stdout.write(`\nover ${populations.length} populations\n`);
  for (const [index, { detector, scope }] of populations[0]!.results.entries()) {
    const all = populations.map(({ results }) => results[index]!);
    const found = all.reduce((sum, each) => sum + each.found, 0);
    const clients = all.reduce((sum, each) => sum + each.clients, 0);
    const controlled = all.filter(({ controls }) => controls.some(isJudged));
    const clean = controlled.filter(({ controlsAnomalous }) => controlsAnomalous === 0).length;
    const whole = all.filter((each) => each.found === each.clients).length;
    process.stdout.write(
      `  ${detector.padEnd(18)} ${scope.padEnd(14)} clients found ${found} of ${clients}, all of them in ${whole} populations, control clean in ${clean} of ${controlled.length}\n`,
    );
  }
}
