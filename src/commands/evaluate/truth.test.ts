/** Truths as other people write them: what is understood, what is passed over with a word, and what is refused. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { directoryDays } from './directory';
import { clientsUnseen, incidentRows } from './incident-rows';
import type { PopulationDays } from './population-days';

const SIMS = `iccid,imsi,client
8988307000000000011,901400000000001,Alpha
8988307000000000029,901400000000002,Alpha
8988307000000000037,901400000000003,Alpha
8988307000000000045,901400000000004,Beta
8988307000000000052,901400000000005,Calm
`;
const HEADER = 'imsi,started_at,protocol,procedure,origin,outcome,visited_plmn';
/** SIM 1 and 2 in Germany, 3 in Spain, 4 in Germany, 5 in France. */
const plmnOfSim = ['', '262-01', '262-01', '214-07', '262-01', '208-01'];
const DAYS = ['2026-11-12', '2026-11-13', '2026-11-14'];
const dialogueOf = (sim: number, day: string) => `90140000000000${sim},${day}T08:30:00Z,MAP,UL,VLR,SUCCESS,${plmnOfSim[sim]!}\n`;
const dialogues = (day: string, sims = [1, 2, 3, 4, 5]) => `${HEADER}\n${sims.map((sim) => dialogueOf(sim, day)).join('')}`;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'simwarden-truth-'));
  await write('sims.csv', SIMS);
  for (const day of DAYS) await write(`dialogues-${day}.csv`, dialogues(day));
});
afterEach(() => rm(directory, { recursive: true }));

const write = (name: string, content: string | Buffer) => writeFile(join(directory, name), content);
const read = () => directoryDays(directory, () => undefined);
const readWith = async (truth: unknown) => {
  await write('truth.json', JSON.stringify(truth));
  return read();
};
const simsOf = ({ incidents }: PopulationDays) => incidents.map(({ client, days, simIds }) => [client, days.length, [...(simIds ?? [])]]);

describe('a truth', () => {
  it('may tell stories and incidents, with SIMs under any name, and days, instants or neither', async () => {
    const population = await readWith({
      stories: [
        { client: 'Alpha', iccids: ['8988307000000000011', '901400000000002'], from: '2026-11-13', to: '2026-11-14' },
        { client: 'Alpha', imsis: ['8988307000000000029'], from: '2026-11-13T23:00:00', to: '2026-11-14T00:00:00Z', seenIn: ['DIALOGUES'] },
        { client: 'Beta', iccids: ['nobody'], seenIn: ['USAGE'] },
      ],
      incidents: [
        { kind: 'FRAUD', client: null, sims: [901400000000004], days: ['2026-11-12', '2026-11-14', '2026-12-24'] },
        { sims: ['901400000000005'] },
      ],
    });
    expect(simsOf(population)).toEqual([
      ['Alpha', 2, ['1', '2']],
      ['Alpha', 1, ['2']],
      ['Beta', 2, ['4']],
      ['Calm', 3, ['5']],
    ]);
    expect((await readWith({ stories: [{ client: 'Beta', from: '2026-11-13T18:00:00Z', to: '2026-11-13' }] })).incidents).toMatchObject([
      { days: ['2026-11-13'] },
    ]);
    expect(population.incidents[2]).toMatchObject({ kind: 'FRAUD', days: ['2026-11-12', '2026-11-14'] });
    expect(population.warnings).toEqual([]);
  });

  it('that calls a client otherwise is understood by its SIMs, whosever they are', async () => {
    const population = await readWith({
      stories: [{ client: 'Alpha Holding Ltd', iccids: ['8988307000000000011', '8988307000000000045', '8988307000000000999'] }],
    });
    expect(simsOf(population)).toEqual([
      ['Alpha', 3, ['1']],
      ['Beta', 3, ['4']],
    ]);
    expect(population.warnings).toEqual(['stories[0] (Alpha Holding Ltd): 1 of its 3 SIMs are not in sims.csv']);
  });

  it.each([
    [
      { id: 's1', client: 'Ghost Ltd' },
      'stories[0] (s1, Ghost Ltd) is passed over: there is no client "Ghost Ltd" in sims.csv, and it lists no SIMs',
    ],
    [{ sims: ['1', '2'] }, 'stories[0] is passed over: it names no client, and none of its 2 SIMs is in sims.csv'],
    [{ kind: 'FRAUD' }, 'stories[0] (FRAUD) is passed over: it names no client, and it lists no SIMs'],
  ])('with the story %j goes on without it, saying so in a line', async (story, warning) => {
    const population = await readWith({ stories: [story, { client: 'Beta' }] });
    expect(population.warnings).toEqual([warning]);
    expect(population.incidents.map(({ client }) => client)).toEqual(['Beta']);
  });

  it('that lists no SIMs, or none that anybody knows, means those of the client in its country, or in each country', async () => {
    const population = await readWith({
      incidents: [
        { client: 'Alpha', country: 'de' },
        { client: 'Alpha', iccids: [], sims: 3 },
        { client: 'Alpha', country: 'FR', iccids: ['1', '2'] },
      ],
    });
    expect(population.warnings).toEqual(['incidents[2] (Alpha): none of its 2 SIMs is in sims.csv; those of its client in FR are meant']);
    expect(population.incidents.map((incident) => incidentRows(population, incident, '2026-11-13'))).toEqual([
      [{ clientId: 0, country: 'DE', rows: [0, 1] }],
      [
        { clientId: 0, country: 'DE', rows: [0, 1] },
        { clientId: 0, country: 'ES', rows: [2] },
      ],
      [],
    ]);
  });

  it('with incidents outside the data names the clients where nothing can be found', async () => {
    const population = await readWith({
      incidents: [
        { client: 'Alpha', days: ['2026-11-13'] },
        { client: 'Alpha', days: ['2025-01-01'] },
        { client: 'Beta', days: ['2025-01-01'] },
        { client: 'Calm', country: 'JP' },
      ],
    });
    expect(clientsUnseen(population)).toEqual(['Beta', 'Calm']);
  });

  it.each([
    [{ controls: 'Calm' }, ['Calm']],
    [{ control: 'Calm' }, ['Calm']],
    [{ control: { name: 'Calm' }, controls: [{ client: 'Beta' }, 'Calm'] }, ['Beta', 'Calm']],
    [{ controls: null }, []],
  ])('may name its controls as %j', async (controls, names) => {
    expect(await readWith({ stories: [], ...controls })).toMatchObject({ controls: names, warnings: [] });
  });

  it('with controls that nobody knows says so', async () => {
    expect(await readWith({ stories: [], controls: ['Ghost Ltd', 'Calm'] })).toMatchObject({
      controls: ['Calm'],
      warnings: ['controls that are not clients in sims.csv are passed over: Ghost Ltd'],
    });
  });

  it.each([
    [null, 'the file: expected an object, got null'],
    [[], 'the file: expected an object, got []'],
    ['x', 'the file: expected an object, got "x"'],
    [{ Stories: [] }, 'the file: expected a list "stories" or "incidents", if an empty one, got {"Stories":[]}'],
    [{ stories: {} }, 'stories: expected a list, got {}'],
    [{ stories: [{ client: 'Alpha' }, null] }, 'stories[1]: expected an object, got null'],
    [{ incidents: [{ iccids: '8988307000000000011' }] }, 'incidents[0].iccids: expected a list, got "8988307000000000011"'],
    [{ stories: [{ imsis: [{}] }] }, 'stories[0].imsis[0]: expected a text, got {}'],
    [
      { stories: [{ client: 'Alpha', from: 'soon' }] },
      'stories[0].from: expected a day such as 2026-11-12 or an instant such as 2026-11-12T08:30:00Z, got "soon"',
    ],
    [{ stories: [{ client: 'Alpha', to: '2026-02-30' }] }, 'stories[0].to: expected a day'],
    [{ stories: [{ client: 'Alpha', days: ['12.11.2026'] }] }, 'stories[0].days[0]: expected a day'],
    [
      { stories: [{ client: 'Alpha', from: '2026-11-14', to: '2026-11-13' }] },
      'stories[0].to: expected nothing before its from, 2026-11-14, got "2026-11-13"',
    ],
    [
      { stories: [{ client: 'Alpha', country: 'Germany' }] },
      'stories[0].country: expected two letters of ISO 3166-1 such as DE, got "Germany"',
    ],
    [{ stories: [], controls: [7] }, 'controls[0]: expected the name of a client, or a list of them, got 7'],
    [{ stories: [], controls: [{ id: 'Calm' }] }, 'controls[0]: expected the name of a client'],
  ])('that reads %j is refused, saying where', async (truth, what) => {
    await expect(readWith(truth)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining(`truth.json can't be read: ${what}`),
    });
  });
});

describe('the files of a directory', () => {
  const stories = { stories: [] };

  it('may be compressed, have their columns in any order and others beside them', async () => {
    const plain = await readWith(stories);
    await rm(join(directory, 'sims.csv'));
    await write('sims.csv.gz', gzipSync(SIMS));
    await rm(join(directory, `dialogues-${DAYS[0]!}.csv`));
    const rows = dialogues(DAYS[0]!).trimEnd().split('\n');
    const turned = rows.map((row, at) => `${row.split(',').reverse().join(',')},${at === 0 ? 'colour' : 'red'}`);
    await write(`dialogues-${DAYS[0]!}.csv.gz`, gzipSync(`\uFEFF${turned.join('\r\n')}`));
    expect(await read()).toEqual(plain);
  });

  it('are read in UTC whatever the zone of the machine', async () => {
    await write(`dialogues-${DAYS[0]!}.csv`, dialogues(DAYS[0]!).replaceAll('T08:30:00Z', ' 23:59:59.5'));
    await write(`dialogues-${DAYS[1]!}.csv`, dialogues(DAYS[1]!).replaceAll('T08:30:00Z', 'T01:30:00+01:00'));
    expect(await readWith(stories)).toMatchObject({ days: DAYS, passedOver: 0 });
  });

  it('with rows that are none say how many', async () => {
    await write(
      `dialogues-${DAYS[0]!}.csv`,
      `${dialogues(DAYS[0]!)}901409999999999,${DAYS[0]!}T08:30:00Z,MAP,UL,VLR,SUCCESS,262-01\nrubbish\n`,
    );
    await write(`dialogues-${DAYS[1]!}.csv`, '');
    expect(await readWith(stories)).toMatchObject({
      days: [DAYS[0], DAYS[2]],
      passedOver: 2,
      warnings: [`dialogues-${DAYS[1]!}.csv is empty: not even a header`, '2 rows passed over: not a dialogue of a SIM in sims.csv'],
    });
  });

  it.each([
    ['sims.csv', 'iccid;imsi;client\n1;2;Alpha\n', 'its header has no column imsi, client; expected imsi, client, got "iccid;imsi;client"'],
    ['sims.csv', 'imsi,client\n', 'it names no SIM with an imsi and a client'],
    ['sims.csv', '', 'it names no SIM with an imsi and a client'],
    [
      `dialogues-${DAYS[2]!}.csv`,
      'imsi,started_at,protocol,procedure,origin\n',
      'its header has no column outcome; expected imsi, started_at,',
    ],
    [`dialogues-${DAYS[2]!}.csv.gz`, HEADER, 'incorrect header check'],
  ])('are refused with a %s that reads %j', async (file, content, what) => {
    await write(file, content);
    await expect(readWith(stories)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining(`${file} can't be read: ${what}`),
    });
  });

  it('that hold no dialogue of a known SIM are refused', async () => {
    await write('sims.csv', 'imsi,client\n901409999999999,Alpha\n');
    await expect(readWith(stories)).rejects.toThrow(
      /can't be read: it has no dialogue of a known SIM: 15 rows are none, or of none of the 1 SIMs in sims\.csv/,
    );
  });
});
