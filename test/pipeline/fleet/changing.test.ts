/** Clients, fleets, SIMs and devices as their owners change them over GraphQL. */
import { toGlobalId } from '../../../src/graphql/global-id';
import { Role } from '../../../src/graphql/caller';
import { clientId, iccid, openFleet, operator, simId, stockFleets, tenant } from './fleet-fixture';

let fleet: Awaited<ReturnType<typeof openFleet>>;
let acme: number;
let bolt: number;
let sims: Record<number, string>;

beforeAll(async () => {
  fleet = await openFleet();
  ({ acme, bolt, sims } = await stockFleets(fleet));
});
afterAll(() => fleet.close());

test('an admin changes lifecycle, fleet and device of a SIM; detection is told and the audit log has it', async () => {
  const { createFleet } = await fleet.ask(
    tenant(acme),
    'mutation { createFleet(input: { name: "Trucks" }) { fleet { id } userErrors { code } } }',
  );
  fleet.changes.simIds.length = 0;
  const change = `mutation ($input: UpdateSimInput!) { updateSim(input: $input) { sim { lifecycle fleet { name } device { name family criticality } } userErrors { code path } } }`;
  const input = {
    sim: simId(acme, sims[4]!),
    lifecycle: 'SUSPENDED',
    fleet: createFleet.fleet.id,
    device: { name: 'Truck 7', family: 'T1', criticality: 'CRITICAL' },
  };
  const expected = {
    sim: { lifecycle: 'SUSPENDED', fleet: { name: 'Trucks' }, device: { name: 'Truck 7', family: 'T1', criticality: 'CRITICAL' } },
    userErrors: [],
  };
  expect((await fleet.ask(tenant(acme), change, { input })).updateSim).toEqual(expected);
  expect(fleet.changes.simIds).toEqual([sims[4]]);
  expect((await fleet.ask(tenant(acme), change, { input })).updateSim).toEqual(expected);
  const { auditLog } = await fleet.ask(
    tenant(acme),
    `{ auditLog(filter: { subject: "Sim:${sims[4]}", action: "updateSim" }) { nodes { principal person detail client { name } } } }`,
  );
  expect(auditLog.nodes).toEqual([
    {
      principal: `key of ${acme}`,
      person: `ann-${acme}`,
      client: { name: 'Acme' },
      detail: {
        lifecycle: { from: 'ACTIVE', to: 'SUSPENDED' },
        fleet: { from: expect.any(String), to: expect.any(String) },
        deviceName: { from: null, to: 'Truck 7' },
        family: { from: 'C1', to: 'T1' },
        criticality: { from: 'NORMAL', to: 'CRITICAL' },
      },
    },
  ]);
  expect((await fleet.ask(tenant(acme), change, { input: { sim: simId(acme, sims[4]!), fleet: null } })).updateSim.sim.fleet).toBeNull();
});

test('a lifecycle that can not follow is refused, and nothing else of the change is kept', async () => {
  const change = (input: object) =>
    fleet.ask(
      tenant(acme),
      `mutation ($input: UpdateSimInput!) { updateSim(input: $input) { sim { lifecycle } userErrors { code path } } }`,
      { input: { sim: simId(acme, sims[3]!), ...input } },
    );
  expect((await change({ lifecycle: 'TERMINATED' })).updateSim).toEqual({ sim: { lifecycle: 'TERMINATED' }, userErrors: [] });
  expect((await change({ lifecycle: 'ACTIVE' })).updateSim).toEqual({
    sim: null,
    userErrors: [{ code: 'ILLEGAL_TRANSITION', path: ['lifecycle'] }],
  });
  expect(
    (await change({ lifecycle: 'TERMINATED', fleet: toGlobalId('Fleet', acme, '01900000-0000-7000-8000-000000000000') })).updateSim
      .userErrors,
  ).toEqual([{ code: 'NOT_FOUND', path: ['fleet'] }]);
});

test('several IMEIs may be bound; IMEI and IMEISV of one modem are one; unbinding twice is no error', async () => {
  const bind = (field: string, imei: string) =>
    fleet
      .ask(
        tenant(acme),
        `mutation ($sim: ID!, $imei: IMEI!) { ${field}(input: { sim: $sim, imei: $imei }) { sim { bindings { imei } } userErrors { code } } }`,
        { sim: simId(acme, sims[2]!), imei },
      )
      .then((data) => data[field].sim.bindings.map((binding: { imei: string }) => binding.imei));
  fleet.changes.simIds.length = 0;
  expect(await bind('bindImei', '4901542032375102')).toEqual(['490154203237518']);
  expect(fleet.changes.simIds).toEqual([]);
  fleet.clock.advance(1);
  expect(await bind('bindImei', '356938035643809')).toEqual(['490154203237518', '356938035643809']);
  expect(await bind('unbindImei', '4901542032375109')).toEqual(['356938035643809']);
  expect(await bind('unbindImei', '4901542032375109')).toEqual(['356938035643809']);
  expect(fleet.changes.simIds).toEqual([sims[2], sims[2]]);
  const { sim } = await fleet.ask(tenant(acme), 'query ($id: ID!) { sim(id: $id) { bindings { id } } }', { id: simId(acme, sims[2]!) });
  const node = 'query ($id: ID!) { node(id: $id) { id ... on ImeiBinding { imei } } }';
  expect(await fleet.ask(tenant(acme), node, { id: sim.bindings[0].id })).toEqual({
    node: { id: sim.bindings[0].id, imei: '356938035643809' },
  });
  expect(await fleet.ask(tenant(bolt), node, { id: sim.bindings[0].id })).toEqual({ node: null });
});

test('viewers change nothing, and admins make no clients', async () => {
  const viewer = tenant(acme, Role.CLIENT_VIEWER);
  for (const [caller, source] of [
    [viewer, `mutation { updateSim(input: { sim: "x" }) { sim { id } } }`],
    [viewer, `mutation { createFleet(input: { name: "x" }) { fleet { id } } }`],
    [tenant(acme), `mutation { createClient(input: { name: "x" }) { client { id } } }`],
    [tenant(acme), `mutation { moveSim(input: { sim: "x", client: "y" }) { sim { id } } }`],
    [tenant(acme), `mutation { registerSims(input: { sims: [] }) { results { index } } }`],
    [tenant(acme, Role.INGEST), '{ sims { totalCount } }'],
  ] as const) {
    expect((await fleet.execute(caller, source)).errors).toEqual(['FORBIDDEN']);
  }
});

test('an operator makes and changes clients; names are unique, time zones real', async () => {
  const create = (input: object) =>
    fleet
      .ask(
        operator,
        'mutation ($input: CreateClientInput!) { createClient(input: $input) { client { id name timeZone billingCycleDay } userErrors { code path } } }',
        { input },
      )
      .then((data) => data.createClient);
  const created = await create({ name: 'Cargo', timeZone: 'Europe/Madrid', billingCycleDay: 15 });
  expect(created).toEqual({
    client: { id: expect.any(String), name: 'Cargo', timeZone: 'Europe/Madrid', billingCycleDay: 15 },
    userErrors: [],
  });
  expect(await create({ name: 'Cargo' })).toEqual({ client: null, userErrors: [{ code: 'ALREADY_EXISTS', path: ['name'] }] });
  expect(await create({ name: 'operator' })).toMatchObject({ client: null, userErrors: [{ code: 'FIELD_INVALID' }] });
  expect(await create({ name: 'Other', timeZone: 'Europe/Atlantis' })).toMatchObject({
    userErrors: [{ code: 'BAD_USER_INPUT', path: ['timeZone'] }],
  });
  const update = (input: object) =>
    fleet
      .ask(
        operator,
        'mutation ($input: UpdateClientInput!) { updateClient(input: $input) { client { name timeZone billingCycleDay maxBlockPercentPerHour secondPersonAbove } userErrors { code path } } }',
        { input: { client: created.client.id, ...input } },
      )
      .then((data) => data.updateClient);
  fleet.changes.simIds.length = 0;
  fleet.clock.advance(1);
  expect(await update({ name: 'Cargo Two', maxBlockPercentPerHour: 5, secondPersonAbove: 0, billingCycleDay: 1 })).toEqual({
    client: { name: 'Cargo Two', timeZone: 'Europe/Madrid', billingCycleDay: 1, maxBlockPercentPerHour: 5, secondPersonAbove: 0 },
    userErrors: [],
  });
  expect(fleet.changes.simIds).toEqual(['ALL']);
  expect(await update({ name: 'Acme' })).toEqual({ client: null, userErrors: [{ code: 'ALREADY_EXISTS', path: ['name'] }] });
  fleet.clock.advance(1);
  expect((await create({ name: 'Cargo' })).userErrors).toEqual([]);
});

test('fleet names are unique within a client', async () => {
  const create = (caller = tenant(acme), client: string | null = null) =>
    fleet
      .ask(
        caller,
        `mutation ($client: ID) { createFleet(input: { client: $client, name: "North" }) { fleet { id name client { name } } userErrors { code path } } }`,
        { client },
      )
      .then((data) => data.createFleet);
  const { fleet: north } = await create();
  expect(north).toMatchObject({ name: 'North', client: { name: 'Acme' } });
  expect((await create()).userErrors).toEqual([{ code: 'ALREADY_EXISTS', path: ['name'] }]);
  expect((await create(operator)).userErrors).toEqual([{ code: 'CLIENT_REQUIRED', path: ['client'] }]);
  expect((await create(operator, clientId(bolt))).fleet).toMatchObject({ client: { name: 'Bolt' } });
  expect((await create(operator, clientId(999_999))).userErrors).toEqual([{ code: 'NOT_FOUND', path: ['client'] }]);
  const rename = (name: string) =>
    fleet
      .ask(
        tenant(acme),
        'mutation ($input: UpdateFleetInput!) { updateFleet(input: $input) { fleet { name } userErrors { code path } } }',
        { input: { fleet: north.id, name } },
      )
      .then((data) => data.updateFleet);
  expect(await rename('South')).toEqual({ fleet: { name: 'South' }, userErrors: [] });
  expect(await rename('Cars')).toEqual({ fleet: null, userErrors: [{ code: 'ALREADY_EXISTS', path: ['name'] }] });
});

test('registerSims takes the good ones, names the bad ones, and repeats without change', async () => {
  const register =
    'mutation ($input: RegisterSimsInput!) { registerSims(input: $input) { results { index status sim { iccid fleet { name } } error { code } } userErrors { code path } } }';
  const input = {
    sims: [
      { iccid: iccid(50), client: 'Acme', fleet: 'Meters' },
      { iccid: iccid(1), client: 'Bolt' },
      { iccid: iccid(51), client: 'Acme', imsi: '901405100000001' },
    ],
  };
  const rejected = [
    { code: 'IDENTIFIER_TAKEN', path: ['sims', '1', 'iccid'] },
    { code: 'IDENTIFIER_TAKEN', path: ['sims', '2', 'imsi'] },
  ];
  const first = (await fleet.ask(operator, register, { input })).registerSims;
  expect(first).toEqual({
    results: [
      { index: 0, status: 'REGISTERED', sim: { iccid: iccid(50), fleet: { name: 'Meters' } }, error: null },
      { index: 1, status: 'REJECTED', sim: null, error: { code: 'IDENTIFIER_TAKEN' } },
      { index: 2, status: 'REJECTED', sim: null, error: { code: 'IDENTIFIER_TAKEN' } },
    ],
    userErrors: rejected,
  });
  expect((await fleet.ask(operator, register, { input })).registerSims.results[0].status).toBe('UNCHANGED');
  const many = Array.from({ length: 1001 }, (_, n) => ({ iccid: iccid(5000 + n), client: 'Acme' }));
  expect((await fleet.ask(operator, register, { input: { sims: many } })).registerSims).toEqual({
    results: [],
    userErrors: [{ code: 'TOO_MANY_ITEMS', path: ['sims'] }],
  });
});
