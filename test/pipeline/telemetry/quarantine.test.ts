/** Records that came before their SIM are stored by themselves once it is registered, whatever dies in between; what is too old is forgotten. */
import { Role } from '../../../src/graphql/caller';
import { TelemetryRetention } from '../../../src/telemetry';
import { testLog } from '../../support/database';
import {
  callerOf,
  count,
  digestOf,
  forgetTelemetry,
  iccidOf,
  NOW,
  openHouse,
  registerSims,
  send,
  stateOf,
  USAGE_HEADER,
  usageLine,
  type House,
} from './house';

let house: House;
let acme: number;

beforeAll(async () => {
  house = await openHouse(100);
  acme = await registerSims(house, 'Acme', 'meters', 1, 10);
});
afterAll(() => house.close());
beforeEach(async () => {
  await forgetTelemetry(house);
  house.clock.set(NOW);
});

function fileFor(firstSim: number, sims: number): string {
  return USAGE_HEADER + Array.from({ length: 60 }, (_, n) => usageLine(n, sims, firstSim)).join('');
}

test('records of an unknown SIM are held, then stored when it is registered', async () => {
  expect(await send(house, 'usage', fileFor(100, 5))).toMatchObject({ accepted: 0, rejected: 60 });
  expect(await count(house, `quarantine WHERE client_id = 0 AND state = 'HELD' AND code = 'UNKNOWN_SIM'`)).toBe(60);
  await registerSims(house, 'Acme', 'meters', 100, 5);
  expect(await count(house, `quarantine WHERE state = 'REQUEUED'`)).toBe(60);
  expect(await count(house, `evaluation_queue WHERE reason = 'REQUEUE'`)).toBeGreaterThan(0);
  const { usage, simDays } = await stateOf(house);
  expect(usage).toHaveLength(60);
  expect(simDays!.length).toBeGreaterThan(0);
  const state = await digestOf(house);
  await house.requeuer.drain();
  await registerSims(house, 'Acme', 'meters', 100, 5);
  expect(await digestOf(house)).toBe(state);
});

test('held records equal those that came after the registration', async () => {
  await send(house, 'usage', fileFor(110, 5));
  await registerSims(house, 'Acme', 'meters', 110, 5);
  const held = await stateOf(house);
  await forgetTelemetry(house);
  await send(house, 'usage', fileFor(110, 5));
  const direct = await stateOf(house);
  for (const kept of ['usage', 'simHours', 'simDays', 'fleetHours', 'clientHours', 'presence']) expect(held[kept]).toEqual(direct[kept]);
});

test('the worker finds what a kill between registration and requeue left', async () => {
  await send(house, 'usage', fileFor(120, 2));
  // What a killed process leaves: the SIM is in the directory, its held rows were never looked at.
  await house.database.transaction({ name: 'test', role: 'ingest' }, async (tx) => {
    await tx.query(`UPDATE quarantine SET iccid = $1 WHERE iccid = $2`, [iccidOf(1), iccidOf(120)]);
    await tx.query(`UPDATE quarantine SET record = jsonb_set(record, '{iccid}', to_jsonb($1::text)) WHERE iccid = $1`, [iccidOf(1)]);
  });
  await house.requeuer.drain();
  expect(await count(house, 'usage_record WHERE client_id = $1', [acme])).toBe(30);
  expect(await count(house, `quarantine WHERE state = 'HELD'`)).toBe(30);
});

test("a client's held rows are stored only if the SIM becomes its own", async () => {
  const caller = callerOf(Role.INGEST, acme, 'acme-key');
  await send(house, 'usage', fileFor(130, 2), { caller, source: null });
  await registerSims(house, 'Globex', 'pumps', 130, 1);
  expect(await count(house, 'usage_record')).toBe(0);
  await registerSims(house, 'Acme', 'meters', 131, 1);
  expect(await count(house, 'usage_record WHERE client_id = $1', [acme])).toBe(30);
  expect(await count(house, `quarantine WHERE client_id = $1 AND state = 'HELD'`, [acme])).toBe(30);
});

test('what is older than it is kept is forgotten, and nothing else', async () => {
  const old = (days: number): string => new Date(NOW.getTime() - days * 86_400_000).toISOString();
  const row = (id: string, days: number): string => `${id},${iccidOf(1)},${old(days)},${old(days)},1,1\n`;
  await send(
    house,
    'usage',
    `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n${row('old', 399)}${row('new', 300)}bad,x,y,z,1,1\n`,
  );
  expect(await count(house, 'usage_record')).toBe(2);
  house.clock.advance(31 * 86_400_000);
  await new TelemetryRetention(house.database, house.clock, testLog).drain();
  expect(await count(house, 'usage_record')).toBe(1);
  for (const hours of ['usage_sim_hour', 'usage_fleet_hour', 'usage_client_hour']) expect(await count(house, hours)).toBe(1);
  expect(await count(house, 'usage_sim_day')).toBe(2);
  expect(await count(house, 'quarantine')).toBe(0);
  expect(await count(house, 'ingest_chunk')).toBe(0);
});
