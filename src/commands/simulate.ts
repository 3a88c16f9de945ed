/** `simwarden simulate`: a population with known truth, as the CSV files that the ingest endpoints take. */
import { makePopulation, simulateToDirectory } from '../../seeds';
import { startProgress } from './progress';

export interface SimulateOptions {
  readonly sims: number;
  readonly days: number;
  readonly seed: number;
  readonly end: Date;
  readonly out: string;
}

export async function simulate(options: SimulateOptions): Promise<void> {
  const population = makePopulation(options);
  const progress = startProgress('simulate', options.days, 'days');
  await simulateToDirectory(population, options.out, (done) => progress.update(done));
  progress.stop();
  process.stdout.write(`${population.sims.length} SIMs, ${options.days} days, ${population.stories.length} stories: ${options.out}\n`);
}
