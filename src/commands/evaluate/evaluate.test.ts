/** `simwarden evaluate`: what it reads from files is what the simulator made, and what it says of both is the same. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dialogueCsv, inventoryLines, signalingPopulation, trueStories } from '../../../seeds/signaling';
import { populationDetectors } from '../../app';
import { populationScopes } from '../../detection/population/plan';
import { assess } from './assess';
import { directoryDays } from './directory';
import { simulatedDays } from './simulated';

const options = { sims: 1_200, days: 3, seed: 5, clients: 12, end: new Date('2026-11-15T00:00:00Z') };
const detectors = populationDetectors.filter(({ meta }) => meta.id === 'isolation-forest');
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'simwarden-evaluate-'));
  const population = signalingPopulation(options);
  const sims = ['iccid,imsi,msisdn,client,fleet,family,imei,criticality\n', ...inventoryLines(population, population.clients)];
  await writeFile(join(directory, 'sims.csv'), sims.join(''));
  for (let day = 0; day < options.days; day++) {
    const blocks: Buffer[] = [];
    // a block is only good until the next
    for (const block of dialogueCsv(population, day)) blocks.push(Buffer.from(block));
    await writeFile(join(directory, `dialogues-2026-11-1${2 + day}.csv`), Buffer.concat(blocks));
  }
  const truth = { stories: trueStories(population), controls: population.controls };
  await writeFile(join(directory, 'truth.json'), JSON.stringify(truth));
});
afterAll(() => rm(directory, { recursive: true }));

test('a directory of files is judged as the population that it was written from', async () => {
  const made = await simulatedDays(options, () => undefined);
  const read = await directoryDays(directory, () => undefined);
  expect(read.passedOver).toBe(0);
  expect(read.days).toEqual(made.days);
  expect(read.controls).toEqual(made.controls);
  const fromFiles = await assess(read, detectors, 1);
  expect(fromFiles).toEqual(await assess(made, detectors, 1));
  // a few devices over three days: enough to read, too few to find everything in
  expect(fromFiles.map(({ scope, clients, quietPairs }) => [scope, clients > 0, quietPairs > 20])).toEqual(
    populationScopes.map((scope) => [scope, true, true]),
  );
});

test('a truth of another make may call its stories incidents, with days', async () => {
  const { stories } = JSON.parse(await readFile(join(directory, 'truth.json'), 'utf8')) as {
    stories: { client: string; iccids: string[] }[];
  };
  const incidents = [{ client: stories[0]!.client, iccids: stories[0]!.iccids, days: ['2026-11-13'] }];
  await writeFile(join(directory, 'truth.json'), JSON.stringify({ incidents, controls: [] }));
  const read = await directoryDays(directory, () => undefined);
  expect(read.incidents).toMatchObject([{ kind: 'INCIDENT', client: stories[0]!.client, days: ['2026-11-13'] }]);
  expect(read.incidents[0]!.simIds.size).toBe(stories[0]!.iccids.length);
});

test('a directory that is none says so in one line', async () => {
  await expect(directoryDays(join(directory, 'nowhere'), () => undefined)).rejects.toThrow(/sims\.csv can't be read/);
});
