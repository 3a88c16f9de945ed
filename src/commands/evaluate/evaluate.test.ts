/** `simwarden evaluate`: what it reads from files is what the simulator made, and what it says of both is the same. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dialogueCsv, inventoryLines, signalingPopulation, trueStories } from '../../../seeds/signaling';
import { populationDetectors } from '../../app';
import { populationScopes } from '../../detection/population/plan';
import { evaluate } from '../evaluate';
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
  expect(read.incidents[0]!.simIds?.size).toBe(stories[0]!.iccids.length);
});

describe('a small directory', () => {
  const days = ['2026-11-12', '2026-11-13', '2026-11-14'];
  const sims = ['Loud', 'Calm', 'Other', 'Another'].flatMap((client, place) =>
    Array.from({ length: 40 }, (_, sim) => ({ client, imsi: `9014000000${place}${1000 + sim}`, usual: 3 + (sim % 7) })),
  );
  const truth = {
    stories: [
      { kind: 'FRAUD', client: 'Loud', country: 'de', days: ['2026-11-14'] },
      { kind: 'FRAUD', client: 'Ghost' },
      { kind: 'FRAUD', client: 'Other', from: '2025-01-01', to: '2025-02-01' },
    ],
  };
  let small: string;
  let said: { stdout: string; stderr: string };

  beforeAll(async () => {
    small = join(directory, 'small');
    await mkdir(small);
    await writeFile(join(small, 'sims.csv'), `imsi,client\n${sims.map(({ imsi, client }) => `${imsi},${client}\n`).join('')}`);
    for (const day of days) {
      const rows = sims.flatMap(({ client, imsi, usual }) => {
        const [count, outcome] = client === 'Loud' && day === '2026-11-14' ? [40, 'ERROR'] : [usual, 'SUCCESS'];
        return Array.from({ length: count }, (_, n) => `${imsi},${day}T08:${10 + n}:00Z,MAP,UL,VLR,${outcome},262-01\n`);
      });
      const header = 'imsi,started_at,protocol,procedure,origin,outcome,visited_plmn\n';
      await writeFile(join(small, `dialogues-${day}.csv`), header + rows.join(''));
    }
  });
  beforeEach(() => {
    said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      jest.spyOn(process[stream], 'write').mockImplementation((text) => ((said[stream] += String(text)), true));
  });
  afterEach(() => jest.restoreAllMocks());

  const evaluateWith = async (controls: object, json: boolean) => {
    await writeFile(join(small, 'truth.json'), JSON.stringify({ ...truth, ...controls }));
    await evaluate({ data: small, sims: 0, days: 0, seeds: [], json });
  };

  test('is told as JSON with what was decided of the control, day by day', async () => {
    await evaluateWith({ controls: ['Calm', 'Nobody'] }, true);
    const { populations } = JSON.parse(said.stdout) as { populations: { results: Record<string, unknown>[] }[] };
    expect(populations).toMatchObject([{ population: small, days, clients: 4, controls: ['Calm'], passedOver: 0 }]);
    expect(populations[0]!.results.find(({ detector, scope }) => detector === 'tukey-fences' && scope === 'GLOBAL')).toMatchObject({
      found: 1,
      clients: 1,
      incidents: [{ client: 'Loud', country: 'DE', day: '2026-11-14', devicesHit: 40, recall: 1, verdict: 'ANOMALOUS' }],
      controls: days.map((day) => ({
        client: 'Calm',
        country: 'DE',
        day,
        devices: 40,
        flagged: expect.any(Number),
        zScore: expect.any(Number),
        correctedPValue: expect.any(Number),
        verdict: 'NORMAL',
      })),
      controlsAnomalous: 0,
      falseAlarms: 0,
      quietPairs: 11,
    });
    expect(said.stderr.split('\n').filter((line) => !/^(read|evaluate) |^$/.test(line))).toEqual([
      'stories[1] (FRAUD, Ghost) is passed over: there is no client "Ghost" in sims.csv, and it lists no SIMs',
      'controls that are not clients in sims.csv are passed over: Nobody',
      'no SIM of an incident signals on one of its days, so nothing can be found at Other',
    ]);
  });

  test.each([
    [{ controls: 'Calm' }, /^tukey-fences, GLOBAL: found 1 of 1 clients, control clean \(highest z -?\d+\.\d\), 0 of 11 quiet/m],
    // a control with signaling like that isn't clean, whatever it is called
    [
      { stories: [], control: 'Loud' },
      /^tukey-fences, GLOBAL: found 0 of 0 clients, control ANOMALOUS 1 times \(highest z \d+\.\d\), 1 of 12 quiet.*\n {2}control Loud DE 2026-11-14 z /m,
    ],
    [{ controls: ['Nobody'] }, /^tukey-fences, GLOBAL: found 1 of 1 clients, no control, 0 of 11 quiet/m],
    [{}, /, control none\n\n.*, no control, /],
  ])('with %j is told in words', async (controls, words) => {
    await evaluateWith(controls, false);
    expect(said.stdout).toMatch(words);
  });
});

test('a directory that is none says so in one line', async () => {
  await expect(directoryDays(join(directory, 'nowhere'), () => undefined)).rejects.toThrow(/sims\.csv can't be read/);
});
