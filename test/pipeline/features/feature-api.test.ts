/** What a front-end developer asks about a SIM's signaling, and that a stranger's SIM answers like none. */
import { toGlobalId } from '../../../src/graphql/global-id';
import { ApiClient } from '../../../src/commands/demo/api-client';
import { startTestApp, type TestApp } from '../../support/app';
import { iccidOf } from '../telemetry/house';
import { DAY, noteSignaling, storeDialogues } from './feature-world';

let house: TestApp;
let simId: string;
let clientId: number;
beforeAll(async () => {
  house = await startTestApp({ now: new Date('2026-11-03T13:00:00Z'), workers: false });
  for (const [client, number] of [
    ['Acme', 1],
    ['Globex', 2],
  ] as const)
    await house.operator.graphql(
      `mutation Register($input: RegisterSimsInput!) { registerSims(input: $input) { userErrors { message } } }`,
      { input: { sims: [{ iccid: iccidOf(number), client, fleet: 'meters' }] } },
    );
  const [sim] = await house.app.database.transaction({ name: 'test.sim', role: 'operator' }, (tx) =>
    tx.query<{ client_id: number; sim_id: string }>('SELECT client_id, sim_id FROM sim ORDER BY sim_id LIMIT 1'),
  );
  simId = sim!.sim_id;
  clientId = sim!.client_id;
  const of = Number(simId);
  const seeds = [
    { sim: of, at: 0, plmn: '262-01' },
    { sim: of, at: 3_000, plmn: '262-01', procedure: 'UL', durationMs: 7_000 },
    { sim: of, at: 901_000, plmn: '262-01', protocol: 'DIAMETER', origin: 'MME', outcome: 'TIMEOUT' },
  ] as const;
  await storeDialogues(house.app.database, clientId, seeds);
  await noteSignaling(house.app.database, clientId, seeds.length);
  await house.app.settle();
});
afterAll(() => house.close());

const document = `query Features($sim: ID!) {
  simFeatures(sim: $sim, from: "2026-11-01", to: "2026-11-30") {
    days { day country dialogues blockedByUs features { name group unit description value } }
    month { from days statistics { name unit mean standardDeviation } }
  }
  signalingMatrix(sim: $sim, day: "${DAY}") { day rows { name counts } }
}`;

it('the features of each day come with their definitions, what is undefined is null', async () => {
  const { simFeatures, signalingMatrix } = await house.operator.graphql<any>(document, { sim: toGlobalId('Sim', clientId, simId) });
  const [day] = simFeatures.days;
  expect(day).toMatchObject({ day: DAY, country: 'DE', dialogues: 3, blockedByUs: false });
  expect(day.features).toHaveLength(95);
  const value = (name: string) => day.features.find((feature: { name: string }) => feature.name === name);
  expect(value('n_ul')).toMatchObject({
    value: 1,
    group: 'map-ul',
    unit: 'dialogues',
    description: expect.stringContaining('Location updates'),
  });
  expect(value('pct_cl_error_all_cls').value).toBeNull();
  expect(simFeatures.month).toMatchObject({ from: '2026-10-04', days: 1 });
  expect(simFeatures.month.statistics[0]).toEqual({ name: 'n', unit: 'dialogues', mean: 3, standardDeviation: null });
  const row = (name: string) => signalingMatrix.rows.find((each: { name: string }) => each.name === name).counts;
  expect(signalingMatrix.rows).toHaveLength(55);
  expect(row('MAP_UL_SUCCESS')).toEqual([1, ...new Array<number>(95).fill(0)]);
  expect(row('DIAMETER_SAI_TIMEOUT').slice(0, 3)).toEqual([0, 1, 0]);
  expect(row('DURATION_ABOVE_6000_MS')[0]).toBe(1);
});

it("another customer's SIM answers like one that doesn't exist", async () => {
  const stranger = new ApiClient(house.url, await house.keyFor('Globex', 'CLIENT_VIEWER'));
  try {
    const foreign = await stranger.graphql(document, { sim: toGlobalId('Sim', clientId, simId) });
    const missing = await stranger.graphql(document, { sim: toGlobalId('Sim', clientId, '999999') });
    expect(JSON.stringify(foreign)).toBe(JSON.stringify(missing));
    expect(foreign).toEqual({ simFeatures: null, signalingMatrix: null });
  } finally {
    await stranger.close();
  }
});

it('the catalogue names all 95, and days asked for without end are refused', async () => {
  const { featureCatalogue } = await house.operator.graphql<any>('{ featureCatalogue { name group unit description } }');
  expect(featureCatalogue).toHaveLength(95);
  const endless = `{ simFeatures(sim: "${toGlobalId('Sim', clientId, simId)}", from: "2026-01-01", to: "2026-12-01") { days { day } } }`;
  await expect(house.operator.graphql(endless)).rejects.toThrow(/1 to 31 days/);
});
