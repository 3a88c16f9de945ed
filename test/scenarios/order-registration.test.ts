/** A SIM is known when its registration is whole: what comes for it before is held, not stored as if it were nowhere. */
import { claim } from '../../src/fleet/directory';
import { OPERATOR_KEY, startTestApp, type TestApp } from '../support/app';

const ICCID = '8988307000000000012';
const SIMS = `iccid,client,fleet,family\n${ICCID},River Research,Mississippi,river-sensor-2\n`;
const USAGE = `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\nu1,${ICCID},2026-11-14T10:00:00Z,2026-11-14T11:00:00Z,600,1200\n`;

let house: TestApp;
beforeEach(async () => {
  house = await startTestApp({ workers: false });
});
afterEach(() => house.close());

async function send(kind: string, body: string): Promise<{ accepted: number; rejected: number; errors: { code: string }[] }> {
  const headers = { 'content-type': 'text/csv', authorization: `Bearer ${OPERATOR_KEY}` };
  return (await (await fetch(new URL(`/ingest/${kind}`, house.url), { method: 'POST', headers, body })).json()) as never;
}

/** What a registration leaves that was killed after its first commit: the names are taken, the SIM is not there. */
async function registrationKilledHalfway(): Promise<void> {
  await house.app.database.transaction({ name: 'test.claim', role: 'operator' }, async (tx) => {
    const [client] = await tx.query<{ id: number }>(`SELECT nextval('client_client_id_seq')::int4 AS id`);
    const [sim] = await tx.query<{ id: string }>(`SELECT nextval('sim_id') AS id`);
    await claim(tx, 'CLIENT_NAME', [{ value: 'River Research', clientId: client!.id, simId: null }], house.clock.now());
    await claim(tx, 'ICCID', [{ value: ICCID.slice(0, 18), clientId: client!.id, simId: sim!.id }], house.clock.now());
  });
}

test('usage of a half-registered SIM is held, and counts for its fleet once the registration was repeated', async () => {
  await registrationKilledHalfway();
  expect(await send('usage', USAGE)).toMatchObject({ accepted: 0, rejected: 1, errors: [{ code: 'UNKNOWN_SIM' }] });
  expect(await send('sims', SIMS)).toMatchObject({ accepted: 1 });
  const { fleets } = await house.operator.graphql<{ fleets: { nodes: { id: string; name: string }[] } }>(
    '{ fleets { nodes { id name } } }',
  );
  expect(fleets.nodes).toHaveLength(1);
  const { usageByTime } = await house.operator.graphql<{ usageByTime: { totalBytes: string }[] }>(
    `query Fleet($fleet: ID!) { usageByTime(scope: { fleet: $fleet }, from: "2026-11-14T00:00:00Z", to: "2026-11-15T00:00:00Z", granularity: DAY) { totalBytes } }`,
    { fleet: fleets.nodes[0]!.id },
  );
  expect(usageByTime).toEqual([{ totalBytes: '1800' }]);
});
