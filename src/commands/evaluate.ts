/** `simwarden evaluate`: the paper's Table II for our models and scopes, measured now on populations with known truth; nothing is stored. */
import { signalingPopulation, type SignalingOptions } from '../../seeds/signaling';
import { populationDetectors, populationOptions } from '../app';
import { assess, type Assessment } from './evaluate/assess';
import { directoryDays } from './evaluate/directory';
import type { PopulationDays } from './evaluate/population-days';
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

/** Models are fitted with the same seed whatever the population. */
const MODEL_SEED = 1;
const END = new Date('2026-11-15T00:00:00Z');

export async function evaluate(options: EvaluateOptions): Promise<void> {
  const answers: { readonly population: string; readonly results: readonly Assessment[] }[] = [];
  for await (const population of populationsOf(options)) {
    const progress = startProgress(`evaluate ${population.name}`, populationDetectors.length * 3, 'models');
    const results = await assess(population, populationDetectors, MODEL_SEED, (done) => progress.update(done), populationOptions);
    progress.stop();
    answers.push({ population: population.name, results });
    if (!options.json) print(population, results);
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ populations: answers })}\n`);
  else if (answers.length > 1) printSum(answers.map(({ results }) => results));
}

async function* populationsOf({ data, sims, days, seeds }: EvaluateOptions): AsyncGenerator<PopulationDays> {
  if (data !== undefined) {
    const progress = startProgress(`read ${data}`, 0, 'rows');
    const found = await directoryDays(data, (rows) => progress.update(rows));
    progress.stop();
    if (found.passedOver > 0) process.stderr.write(`${found.passedOver} rows passed over: not a dialogue of a SIM in sims.csv\n`);
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

function print({ name, days, clients, controls }: PopulationDays, results: readonly Assessment[]): void {
  const line = (text: string) => process.stdout.write(`${text}\n`);
  line(
    `\n${name}: ${days.length} days (${days[0]} to ${days.at(-1)}), ${clients.length} clients, control ${controls.join(', ') || 'none'}`,
  );
  for (const result of results) {
    line(`\n${result.detector}, ${result.scope}: ${summaryOf(result)}`);
    for (const { client, country, day, kind, devicesHit, recall, zScore, correctedPValue, verdict } of result.incidents) {
      const numbers = `recall ${recall.toFixed(2)}  z ${zScore.toFixed(1).padStart(6)}  p ${correctedPValue.toExponential(1).padStart(8)}`;
      line(`  ${client.padEnd(24)} ${country} ${day}  ${String(devicesHit).padStart(5)} SIMs  ${numbers}  ${verdict.padEnd(9)}  ${kind}`);
    }
    for (const { client, country, day, zScore } of result.controls)
      line(`  control ${client} ${country} ${day} z ${zScore.toFixed(1)} ANOMALOUS`);
  }
}

function summaryOf({ found, clients, controls, falseAlarms, quietPairs }: Assessment): string {
  const control = controls.length === 0 ? 'control clean' : `control ANOMALOUS ${controls.length} times`;
  return `found ${found} of ${clients} clients, ${control}, ${falseAlarms} of ${quietPairs} quiet decisions ANOMALOUS`;
}

/** Over all populations: how often every client was found, and how often the control was clean. */
function printSum(populations: readonly (readonly Assessment[])[]): void {
  process.stdout.write(`\nover ${populations.length} populations\n`);
  for (const [index, { detector, scope }] of populations[0]!.entries()) {
    const all = populations.map((results) => results[index]!);
    const found = all.reduce((sum, each) => sum + each.found, 0);
    const clients = all.reduce((sum, each) => sum + each.clients, 0);
    const clean = all.filter(({ controls }) => controls.length === 0).length;
    const whole = all.filter((each) => each.found === each.clients).length;
    process.stdout.write(
      `  ${detector.padEnd(18)} ${scope.padEnd(14)} clients found ${found} of ${clients}, all of them in ${whole} populations, control clean in ${clean}\n`,
    );
  }
}
