/** `simwarden simulate`: a population with known truth, as the CSV files that the ingest endpoints take. */
import { countryOfClient, makePopulation, simulateToDirectory, storyFleets } from '../../seeds';
import { parseIncidents, signalingPopulation, type SignalingPopulation } from '../../seeds/signaling';
import { SimwardenError } from '../errors';
import { startProgress } from './progress';

export interface SimulateOptions {
  readonly sims: number;
  readonly days: number;
  readonly seed: number;
  readonly end: Date;
  readonly out: string;
  readonly volume?: number;
  readonly incidents?: string;
  readonly mix?: string;
  readonly clients?: number;
  /** Dialogues SIM by SIM instead of in the order of time. */
  readonly bySim?: boolean;
}

/** Fewer SIMs than this are the story fleets alone, unless roaming devices were asked for. */
const FEWEST_WITH_ROAMING = 400;
/** The guide's six fleets together: a quarter of the SIMs, within these. */
const STORY_SIMS = { least: 60, most: 12_000 };

export async function simulate(options: SimulateOptions): Promise<void> {
  const { sims, days, seed, end } = options;
  const storySims = storySimsOf(options);
  const population = makePopulation({ sims: storySims, days, seed, end, stories: options.incidents !== 'none' });
  const signaling = signalingOf(options, sims - population.sims.length, storyFleets(population, countryOfClient));
  const progress = startProgress('simulate', days, 'days');
  try {
    await simulateToDirectory(population, signaling, options.out, options.bySim ? { order: 'sim' } : {}, (done) => progress.update(done));
  } catch (error) {
    throw unwritable(options.out, error as NodeJS.ErrnoException);
  } finally {
    progress.stop();
  }
  const stories = population.stories.length + signaling.incidents.length;
  process.stdout.write(`${signaling.sims} SIMs, ${days} days, ${stories} stories: ${options.out}\n`);
}

/** What the file system says becomes one line; anything else is a bug and stays what it is. */
function unwritable(out: string, error: NodeJS.ErrnoException): Error {
  if (error.syscall === undefined) return error;
  const isFile = error.code === 'EEXIST' || error.code === 'ENOTDIR';
  return new SimwardenError('FILE_UNWRITABLE', {
    file: out,
    what: isFile ? 'there is a file where a directory is needed; name a directory' : error.message,
  });
}

function storySimsOf({ sims, incidents = 'default', mix, clients }: SimulateOptions): number {
  const roaming = sims >= FEWEST_WITH_ROAMING || mix !== undefined || clients !== undefined || !['default', 'none'].includes(incidents);
  if (!roaming) return sims;
  // six fleets of one size
  return Math.min(STORY_SIMS.most, Math.max(STORY_SIMS.least, Math.floor(sims / 24) * 6));
}

function signalingOf(options: SimulateOptions, sims: number, guests: ReturnType<typeof storyFleets>): SignalingPopulation {
  const { days, seed, end, volume, incidents = 'default', mix, clients } = options;
  return signalingPopulation({
    sims,
    days,
    seed,
    end,
    guests,
    incidents: parseIncidents(incidents),
    ...(volume === undefined ? {} : { volume }),
    ...(clients === undefined ? {} : { clients }),
    ...(mix === undefined ? {} : { mix: sharesOf(mix) }),
  });
}

function sharesOf(text: string): number[] {
  const shares = text.split(',').map((share) => (/^\s*\d+(\.\d+)?\s*$/.test(share) ? Number(share) : NaN));
  if (shares.length !== 5 || shares.some(Number.isNaN))
    throw new SimwardenError('BAD_USER_INPUT', {
      what: `expected five shares for the clusters c1 to c5, such as 43,11,23,7,16, got ${text.slice(0, 60)}.`,
    });
  return shares;
}
