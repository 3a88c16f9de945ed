/** A key reaches what its role is for, by no way round: edges lead nowhere that a root field would have refused. */
import { ApiClient } from '../../src/commands/demo/api-client';
import { startTestApp, type TestApp } from '../support/app';

let house: TestApp;
const callers = new Map<string, ApiClient>();
beforeAll(async () => {
  house = await startTestApp();
  await house.operator.ingest(
    'sims',
    'iccid,imsi,msisdn,client,fleet,family,imei,criticality\n8988000000000000001,214070000000001,882000000001,acme,north,meter,490154203237518,NORMAL\n',
    'sims',
  );
  for (const role of ['INGEST', 'EMBED', 'CLIENT_VIEWER', 'CLIENT_ADMIN'])
    callers.set(role, new ApiClient(house.url, await house.keyFor('acme', role)));
  // a row of its own in quarantine, and a source that has delivered
  await callers
    .get('CLIENT_ADMIN')!
    .ingest(
      'usage',
      'record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\nr1,8988000000000000001,2026-11-14T10:00:00Z,2026-11-14T11:00:00Z,1,2\n',
      'good',
    );
  await callers
    .get('CLIENT_ADMIN')!
    .ingest(
      'usage',
      'record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\nr2,8988000000000000001,2026-11-14T10:00:00Z,2026-11-14T11:00:00Z,-1,2\n',
      'bad',
    )
    .catch(() => undefined);
});
afterAll(() => house?.close());

const as = <Data extends object>(role: string, query: string): Promise<Data> => callers.get(role)!.graphql<Data>(query);
const WHOLE = 'client { name sims(first: 1) { nodes { imsi msisdn alerts(first: 1) { nodes { title } } } } }';

test('a key that only ingests sees its sources and its quarantine, and no SIM by way of them or of itself', async () => {
  const seen = await as<{ viewer: object; sourceWatermarks: { nodes: object[] }; quarantine: { nodes: object[] } }>(
    'INGEST',
    `{ viewer { role ${WHOLE} } sourceWatermarks { nodes { source ${WHOLE} } } quarantine { nodes { code ${WHOLE} } } }`,
  );
  expect(seen.viewer).toEqual({ role: 'INGEST', client: null });
  expect(seen.sourceWatermarks.nodes.length).toBeGreaterThan(0);
  expect(seen.quarantine.nodes.length).toBeGreaterThan(0);
  expect(JSON.stringify(seen)).not.toMatch(/21407|882000000001|"name"/);
});

test('an embed key sees SIMs without IMSI and MSISDN, finds none by them, and no settings of the client', async () => {
  const seen = await as(
    'EMBED',
    `{ viewer { ${WHOLE} } sims { nodes { iccid imsi msisdn client { name secondPersonAbove } fleet { name client { name } } } }
       found: sims(filter: { search: "214070" }) { nodes { iccid } } called: sims(filter: { search: "88200" }) { nodes { iccid } } baselines { nodes { client { name } } } }`,
  );
  expect(seen).toEqual({
    viewer: { client: null },
    sims: { nodes: [{ iccid: '8988000000000000001', imsi: null, msisdn: null, client: null, fleet: { name: 'north', client: null } }] },
    found: { nodes: [] },
    called: { nodes: [] },
    baselines: { nodes: [] },
  });
});

test.each(['CLIENT_VIEWER', 'CLIENT_ADMIN'])('%s sees its client from wherever it looks', async (role) => {
  const seen = await as<{ viewer: { client: { sims: { nodes: { imsi: string }[] } } } }>(role, `{ viewer { ${WHOLE} } }`);
  expect(seen.viewer.client.sims.nodes[0]!.imsi).toBe('214070000000001');
});
