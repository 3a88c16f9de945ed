/** Inventories go in, whatever is sent twice, at once, or after a kill. */
import { lookup, normaliseIccid, ownerAt } from '../../../src/fleet';
import type { Write } from '../../../src/fleet';
import { iccid, openFleet, operator, row, tenant } from './fleet-fixture';

let fleet: Awaited<ReturnType<typeof openFleet>>;
beforeAll(async () => {
  fleet = await openFleet();
});
afterAll(() => fleet.close());

const statuses = (outcomes: { status: string }[]) => outcomes.map((outcome) => outcome.status);

test('a row makes its client, fleet, SIM, device and binding, and is UNCHANGED when it comes again', async () => {
  const rows = [
    row(1, {
      imsi: '901405100000001',
      msisdn: '+882360001',
      fleet: 'Meters',
      family: 'M1',
      imei: '490154203237518',
      criticality: 'CRITICAL',
    }),
  ];
  const [first] = await fleet.registry.register(rows, operator);
  expect(first).toMatchObject({ line: 1, status: 'REGISTERED' });
  expect(await fleet.registry.register(rows, operator)).toEqual([{ ...first, status: 'UNCHANGED' }]);
  const [sim] = await fleet.asOperator(
    `SELECT sim.iccid, imsi, msisdn, client.name AS client, fleet.name AS fleet, family, criticality, imei14, lifecycle, block_state
       FROM sim JOIN client USING (client_id) JOIN fleet USING (client_id, fleet_id) JOIN device USING (client_id, sim_id) JOIN imei_binding USING (client_id, sim_id)
      WHERE client_id = $1 AND sim_id = $2`,
    [first!.clientId, first!.simId],
  );
  expect(sim).toEqual({
    iccid: iccid(1),
    imsi: '901405100000001',
    msisdn: '882360001',
    client: 'Acme',
    fleet: 'Meters',
    family: 'M1',
    criticality: 'CRITICAL',
    imei14: '49015420323751',
    lifecycle: 'ACTIVE',
    block_state: 'UNBLOCKED',
  });
});

test('the 19 digits without check digit are the same SIM, and the spelling first given stays', async () => {
  const [first] = await fleet.registry.register([row(10)], operator);
  const [again] = await fleet.registry.register([row(10, { iccid: iccid(10).slice(0, 19) })], operator);
  expect(again).toEqual({ ...first, status: 'UNCHANGED' });
  expect(await fleet.asOperator('SELECT iccid FROM sim WHERE client_id = $1 AND sim_id = $2', [first!.clientId, first!.simId])).toEqual([
    { iccid: iccid(10) },
  ]);
});

test('an empty column leaves what is known; a filled one changes it, and detection is told', async () => {
  const [first] = await fleet.registry.register([row(11, { fleet: 'Meters', family: 'M1', imei: '490154203237518' })], operator);
  fleet.changes.simIds.length = 0;
  expect(statuses(await fleet.registry.register([row(11)], operator))).toEqual(['UNCHANGED']);
  expect(statuses(await fleet.registry.register([row(11, { msisdn: '34600000011' })], operator))).toEqual(['UPDATED']);
  expect(fleet.changes.simIds).toEqual([]);
  fleet.clock.advance(1000);
  expect(statuses(await fleet.registry.register([row(11, { fleet: 'Cars', family: 'M2', imei: '4901542032375202' })], operator))).toEqual([
    'UPDATED',
  ]);
  expect(fleet.changes.simIds).toEqual([first!.simId]);
  const history = await fleet.asOperator(
    `SELECT fleet.name, valid_from FROM sim_fleet JOIN fleet USING (client_id, fleet_id) WHERE client_id = $1 AND sim_id = $2 ORDER BY valid_from`,
    [first!.clientId, first!.simId],
  );
  expect(history).toEqual([
    { name: 'Meters', valid_from: new Date(0) },
    { name: 'Cars', valid_from: fleet.clock.now() },
  ]);
  const bindings = await fleet.asOperator('SELECT imei14 FROM imei_binding WHERE client_id = $1 AND sim_id = $2 ORDER BY imei14', [
    first!.clientId,
    first!.simId,
  ]);
  expect(bindings).toEqual([{ imei14: '49015420323751' }, { imei14: '49015420323752' }]);
});

test('an ICCID or IMSI of another is refused without changing anything, and the rest of the file goes in', async () => {
  await fleet.registry.register([row(20, { imsi: '901405100000020' })], operator);
  const outcomes = await fleet.registry.register(
    [
      row(20, { client: 'Bolt' }),
      row(21, { client: 'Bolt', imsi: '901405100000020' }),
      row(22, { client: 'Bolt', imsi: '901405100000022' }),
      row(23, { client: 'Bolt', imsi: '901405100000022' }),
    ],
    operator,
  );
  expect(statuses(outcomes)).toEqual(['REJECTED', 'REJECTED', 'REGISTERED', 'REJECTED']);
  expect(outcomes.map((outcome) => outcome.error?.code)).toEqual(['IDENTIFIER_TAKEN', 'IDENTIFIER_TAKEN', undefined, 'IDENTIFIER_TAKEN']);
  expect(statuses(await fleet.registry.register([row(21, { client: 'Acme' })], operator))).toEqual(['REGISTERED']);
});

test('rows that can not be read say why, row by row', async () => {
  const outcomes = await fleet.registry.register(
    [
      row(30, { iccid: '' }),
      row(31, { iccid: '12' }),
      row(32, { client: null }),
      row(33, { client: 'Operator' }),
      row(34, { imsi: 'x' }),
      row(35, { imei: '1' }),
      row(36, { criticality: 'HIGH' }),
      row(37, { fleet: 'a\nb' }),
      row(38, { client: 'x'.repeat(201) }),
      row(39, { msisdn: 'none' }),
      row(40, { family: 'half \ud800' }),
      row(41),
    ],
    operator,
  );
  expect(outcomes.map((outcome) => outcome.error && `${outcome.error.code} ${outcome.error.details.column}`)).toEqual([
    'FIELD_MISSING iccid',
    'FIELD_INVALID iccid',
    'FIELD_MISSING client',
    'FIELD_INVALID client',
    'FIELD_INVALID imsi',
    'FIELD_INVALID imei',
    'FIELD_INVALID criticality',
    'FIELD_INVALID fleet',
    'FIELD_INVALID client',
    'FIELD_INVALID msisdn',
    'FIELD_INVALID family',
    undefined,
  ]);
});

test('only an operator registers', async () => {
  await expect(fleet.registry.register([row(45)], tenant(1))).rejects.toMatchObject({ code: 'FORBIDDEN' });
});

test('killed after the directory was written: the same file completes it under the ids given out', async () => {
  const rows = [row(50, { client: 'Crash', imsi: '901405100000050' }), row(51, { client: 'Crash' })];
  const dying: Write = (name, clientId, work) => {
    if (name === 'fleet.register') throw new Error('killed');
    return fleet.database.transaction({ name, role: 'operator', clientId }, work);
  };
  await expect(fleet.registry.register(rows, operator, dying)).rejects.toThrow('killed');
  const entries = await fleet.database.transaction({ name: 'test', role: 'ingest' }, (tx) =>
    lookup(
      tx,
      'ICCID',
      rows.map((given) => normaliseIccid(given.iccid!)!),
    ),
  );
  expect(entries).toHaveLength(2);
  const outcomes = await fleet.registry.register(rows, operator);
  expect(statuses(outcomes)).toEqual(['REGISTERED', 'REGISTERED']);
  expect(outcomes.map((outcome) => outcome.simId).sort()).toEqual(entries.map((entry) => entry.simId).sort());
  expect(await fleet.asOperator('SELECT name FROM client WHERE client_id = $1', [outcomes[0]!.clientId])).toEqual([{ name: 'Crash' }]);
});

test('eight at once, in any order: every SIM once, one client, one fleet', async () => {
  const rows = Array.from({ length: 40 }, (_, i) =>
    row(100 + i, { client: 'Rush', fleet: `F${i % 3}`, imsi: `9014051000001${String(i).padStart(2, '0')}`, imei: '490154203237518' }),
  );
  const all = await Promise.all(Array.from({ length: 8 }, (_, i) => fleet.registry.register(i % 2 ? [...rows].reverse() : rows, operator)));
  for (const line of rows.map((given) => given.line)) {
    const outcomes = all.map((outcome) => outcome.find((each) => each.line === line)!);
    expect(new Set(outcomes.map((outcome) => outcome.simId)).size).toBe(1);
    expect(statuses(outcomes).filter((status) => status === 'REGISTERED')).toHaveLength(1);
    expect(statuses(outcomes)).not.toContain('REJECTED');
  }
  const [counts] = await fleet.asOperator(
    `SELECT (SELECT count(*)::int4 FROM client WHERE name = 'Rush') AS clients, count(*)::int4 AS fleets FROM fleet WHERE client_id = $1`,
    [all[0]![0]!.clientId],
  );
  expect(counts).toEqual({ clients: 1, fleets: 3 });
});

test('two clients reach for one ICCID at once: one gets it, the other hears so', async () => {
  for (let n = 200; n < 210; n++) {
    const [a, b] = await Promise.all([
      fleet.registry.register([row(n, { client: 'Left' })], operator),
      fleet.registry.register([row(n, { client: 'Right' })], operator),
    ]);
    expect(statuses([...a, ...b]).sort()).toEqual(['REGISTERED', 'REJECTED']);
  }
});

test('every SIM that was named is announced by its key, known or new', async () => {
  fleet.announced.sims.length = 0;
  const [first] = await fleet.registry.register([row(60), row(60, { line: 61, client: 'Other' })], operator);
  await fleet.registry.register([row(60)], operator);
  const sim = { clientId: first!.clientId, simId: first!.simId, iccid: iccid(60).slice(0, 19) };
  expect(fleet.announced.sims).toEqual([sim, sim]);
});

test('a SIM that changes its IMSI gives the old one up, and late records of the old one still find it', async () => {
  const [sim] = await fleet.registry.register([row(70, { imsi: '901405100000070' })], operator);
  fleet.clock.advance(1000);
  const changedAt = fleet.clock.now();
  await fleet.registry.register([row(70, { imsi: '901405100000071' })], operator);
  fleet.clock.advance(1000);
  const [other] = await fleet.registry.register([row(72, { imsi: '901405100000070' })], operator);
  expect(other).toMatchObject({ status: 'REGISTERED' });
  const entries = await fleet.database.transaction({ name: 'test', role: 'ingest' }, (tx) =>
    lookup(tx, 'IMSI', ['901405100000070', '901405100000071']),
  );
  const owner = (imsi: string, at: Date) => ownerAt(entries, imsi, at)?.simId ?? null;
  expect(owner('901405100000070', new Date(changedAt.getTime() - 1))).toBe(sim!.simId);
  expect(owner('901405100000070', changedAt)).toBeNull();
  expect(owner('901405100000070', fleet.clock.now())).toBe(other!.simId);
  expect(owner('901405100000071', new Date(0))).toBe(sim!.simId);
});

test('ten thousand rows go in within a few statements, and come again unchanged', async () => {
  const rows = Array.from({ length: 10_000 }, (_, i) =>
    row(10_000 + i, {
      client: 'Large',
      fleet: `F${i % 10}`,
      imsi: `9014060000${String(i).padStart(5, '0')}`,
      imei: `4901542${String(i).padStart(8, '0')}`,
    }),
  );
  const first = await fleet.registry.register(rows, operator);
  expect(new Set(statuses(first))).toEqual(new Set(['REGISTERED']));
  expect(new Set(first.map((outcome) => outcome.simId)).size).toBe(10_000);
  expect(await fleet.registry.register(rows, operator)).toEqual(first.map((outcome) => ({ ...outcome, status: 'UNCHANGED' })));
});
