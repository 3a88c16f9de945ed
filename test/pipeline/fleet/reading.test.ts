/** Clients, fleets, SIMs and devices as their owners see them over GraphQL. */
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

const WHOLE = `{ id iccid imsi msisdn lifecycle blockState blockMode pendingOperation { operation since } reachability { state asOf } lastSeen { at }
  client { name timeZone } fleet { name } device { id name family criticality sim { id } } bindings { imei tac boundBy } closedAt }`;

test('a SIM shows its four states apart, with client, fleet, device and bindings', async () => {
  const { sim } = await fleet.ask(tenant(acme), `query ($id: ID!) { sim(id: $id) ${WHOLE} }`, { id: simId(acme, sims[5]!) });
  expect(sim).toEqual({
    id: simId(acme, sims[5]!),
    iccid: iccid(5),
    imsi: '901405100000005',
    msisdn: '88236005',
    lifecycle: 'ACTIVE',
    blockState: 'UNBLOCKED',
    blockMode: null,
    pendingOperation: null,
    reachability: { state: 'UNKNOWN', asOf: null },
    lastSeen: null,
    client: { name: 'Acme', timeZone: 'UTC' },
    fleet: { name: 'Cars' },
    device: { id: expect.any(String), name: null, family: 'C1', criticality: 'CRITICAL', sim: { id: simId(acme, sims[5]!) } },
    bindings: [{ imei: '490154203237518', tac: '49015420', boundBy: 'operator' }],
    closedAt: null,
  });
});

test('reachability comes from what was last seen, with its time', async () => {
  const at = new Date('2026-11-01T08:00:00Z');
  await fleet.database.transaction({ name: 'test.presence', role: 'ingest', clientId: acme }, (tx) =>
    tx.query(
      `INSERT INTO sim_presence (client_id, sim_id, last_seen_at, last_imei, last_imei_at, last_plmn, last_plmn_at, last_rat, reachability, reachability_as_of)
     VALUES ($1, $2, $3, '4901542032375101', $3, '214-07', $3, 'LTE_M', 'ONLINE', $3)`,
      [acme, sims[1], at],
    ),
  );
  const { sim } = await fleet.ask(
    tenant(acme),
    `query ($id: ID!) { sim(id: $id) { reachability { state asOf } lastSeen { at imei imeiAt plmn plmnAt rat } } }`,
    { id: simId(acme, sims[1]!) },
  );
  const when = at.toISOString();
  expect(sim).toEqual({
    reachability: { state: 'ONLINE', asOf: when },
    lastSeen: { at: when, imei: '4901542032375101', imeiAt: when, plmn: '214-07', plmnAt: when, rat: 'LTE_M' },
  });
});

test('a SIM is found by ICCID in either spelling and by IMSI, by its owner and by the operator', async () => {
  const find = 'query ($iccid: ICCID!, $imsi: IMSI!) { simByIccid(iccid: $iccid) { id } simByImsi(imsi: $imsi) { id } }';
  const found = { simByIccid: { id: simId(acme, sims[2]!) }, simByImsi: { id: simId(acme, sims[2]!) } };
  for (const caller of [tenant(acme), operator]) {
    expect(await fleet.ask(caller, find, { iccid: iccid(2), imsi: '901405100000002' })).toEqual(found);
    expect(await fleet.ask(caller, find, { iccid: iccid(2).slice(0, 19), imsi: '901405100000002' })).toEqual(found);
  }
  expect(await fleet.ask(tenant(bolt), find, { iccid: iccid(2), imsi: '901405100000002' })).toEqual({ simByIccid: null, simByImsi: null });
});

test("another client's id answers byte for byte what a missing one answers, in every query and mutation", async () => {
  const deviceOf = async (client: number) =>
    await fleet.ask(tenant(client), `{ devices(first: 1) { nodes { id } } fleets(first: 1) { nodes { id } } }`);
  const mine = await deviceOf(acme);
  const bytes = async (ids: { sim: string; fleet: string; device: string; client: string }) =>
    JSON.stringify([
      await fleet.execute(
        tenant(bolt),
        `query ($sim: ID!, $fleet: ID!, $device: ID!, $client: ID!) {
      sim(id: $sim) { id } fleet(id: $fleet) { id } device(id: $device) { id } client(id: $client) { id }
      a: node(id: $sim) { id } b: node(id: $fleet) { id } c: node(id: $device) { id } d: node(id: $client) { id }
      byFleet: sims(filter: { fleet: $fleet }) { nodes { id } totalCount } byClient: sims(filter: { client: $client }) { nodes { id } totalCount }
      fleets(client: $client) { nodes { id } totalCount } devices(filter: { client: $client }) { nodes { id } totalCount }
    }`,
        ids,
      ),
      await fleet.execute(
        tenant(bolt),
        `mutation ($sim: ID!, $fleet: ID!, $client: ID!) {
      updateSim(input: { sim: $sim, lifecycle: SUSPENDED }) { sim { id } userErrors { code message path } }
      bindImei(input: { sim: $sim, imei: "490154203237518" }) { sim { id } userErrors { code message path } }
      unbindImei(input: { sim: $sim, imei: "490154203237518" }) { sim { id } userErrors { code message path } }
      updateFleet(input: { fleet: $fleet, name: "x" }) { fleet { id } userErrors { code message path } }
      createFleet(input: { client: $client, name: "x" }) { fleet { id } userErrors { code message path } }
    }`,
        { sim: ids.sim, fleet: ids.fleet, client: ids.client },
      ),
    ]);
  const foreign = await bytes({
    sim: simId(acme, sims[1]!),
    fleet: mine.fleets.nodes[0].id,
    device: mine.devices.nodes[0].id,
    client: clientId(acme),
  });
  const missing = await bytes({
    sim: simId(bolt, '999999'),
    fleet: toGlobalId('Fleet', bolt, '01900000-0000-7000-8000-000000000000'),
    device: toGlobalId('Device', bolt, '01900000-0000-7000-8000-000000000000'),
    client: clientId(999_999),
  });
  expect(foreign).toBe(missing);
  expect(foreign).toContain('NOT_FOUND');
});

test("lists hold only one's own, whatever the filter", async () => {
  const source = '{ sims { nodes { iccid } totalCount } fleets { nodes { name } } devices { totalCount } clients { nodes { name } } }';
  expect(await fleet.ask(tenant(bolt), source)).toEqual({
    sims: { nodes: [{ iccid: iccid(9) }], totalCount: 1 },
    fleets: { nodes: [{ name: 'Vans' }] },
    devices: { totalCount: 1 },
    clients: { nodes: [{ name: 'Bolt' }] },
  });
  expect(await fleet.ask(operator, '{ clients { nodes { name fleets { nodes { name } } } } }')).toEqual({
    clients: {
      nodes: [
        { name: 'Acme', fleets: { nodes: [{ name: 'Cars' }, { name: 'Meters' }] } },
        { name: 'Bolt', fleets: { nodes: [{ name: 'Vans' }] } },
      ],
    },
  });
});

test.each([
  ['CREATED_AT', 'DESC'],
  ['CREATED_AT', 'ASC'],
  ['ICCID', 'DESC'],
  ['ICCID', 'ASC'],
])('pages by %s %s hold every SIM once', async (field, direction) => {
  for (const caller of [tenant(acme), operator]) {
    const seen: string[] = [];
    for (let after: string | null = null; ;) {
      const { sims: page } = await fleet.ask(
        caller,
        `query ($after: String, $orderBy: SimOrder) { sims(first: 2, after: $after, orderBy: $orderBy) { nodes { iccid } pageInfo { hasNextPage endCursor } } }`,
        { after, orderBy: { field, direction } },
      );
      seen.push(...page.nodes.map((node: { iccid: string }) => node.iccid));
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor;
    }
    const all = (caller === operator ? [1, 2, 3, 4, 5, 9] : [1, 2, 3, 4, 5]).map(iccid);
    expect(seen).toHaveLength(all.length);
    expect([...seen].sort()).toEqual(all);
    if (field === 'ICCID') expect(seen).toEqual(direction === 'ASC' ? all : all.reverse());
  }
});

test.each([
  ['family', { family: 'C1' }, [4, 5]],
  ['criticality', { criticality: 'CRITICAL' }, [5]],
  ['lifecycle', { lifecycle: ['SUSPENDED'] }, []],
  ['block state', { blockState: ['UNBLOCKED'] }, [1, 2, 3, 4, 5]],
  ['beginning of an ICCID', { search: '8988303' }, [1, 2, 3, 4, 5]],
  ['whole ICCID', { search: iccid(3) }, [3]],
  ['whole IMSI', { search: '901405100000004' }, [4]],
  ['MSISDN', { search: '+8823600 2' }, [2]],
  ['nothing that fits', { search: '999' }, []],
  ['no digits', { search: '%' }, []],
  ['moved SIMs', { closed: true }, []],
])('SIMs are found by %s', async (_, filter, expected) => {
  const { sims: found } = await fleet.ask(
    tenant(acme),
    'query ($filter: SimFilter) { sims(filter: $filter, orderBy: { field: ICCID, direction: ASC }) { nodes { iccid } totalCount } }',
    { filter },
  );
  expect(found).toEqual({ nodes: expected.map((n) => ({ iccid: iccid(n) })), totalCount: expected.length });
});

test('a portal sees neither IMSI nor MSISDN, nor finds a SIM by them', async () => {
  const portal = tenant(acme, Role.EMBED);
  const { sim, byImsi, byIccid } = await fleet.ask(
    portal,
    `query ($id: ID!) {
    sim(id: $id) { imsi msisdn client { name } } byImsi: sims(filter: { search: "901405100000001" }) { totalCount } byIccid: sims(filter: { search: "8988303" }) { totalCount } }`,
    { id: simId(acme, sims[1]!) },
  );
  expect({ sim, byImsi, byIccid }).toEqual({
    sim: { imsi: null, msisdn: null, client: null },
    byImsi: { totalCount: 0 },
    byIccid: { totalCount: 5 },
  });
  expect((await fleet.execute(portal, '{ simByImsi(imsi: "901405100000001") { id } }')).errors).toEqual(['FORBIDDEN']);
  expect(await fleet.ask(portal, `{ node(id: "${clientId(acme)}") { id } }`)).toEqual({ node: null });
});

test('a caller restricted to a fleet sees that fleet alone', async () => {
  const { fleets } = await fleet.ask(tenant(acme), '{ fleets { nodes { id name } } }');
  const [cars, meters] = fleets.nodes as { id: string }[];
  const key = Buffer.from(cars!.id, 'base64url').toString().split(':')[2]!;
  const portal = { ...tenant(acme, Role.EMBED), fleetIds: [key] };
  const seen = await fleet.ask(
    portal,
    `query ($own: ID!, $other: ID!, $meter: ID!) {
    own: fleet(id: $own) { name sims { totalCount } } other: fleet(id: $other) { name } meter: sim(id: $meter) { id } byIccid: simByIccid(iccid: "${iccid(1)}") { id }
    sims { totalCount } devices { totalCount } fleets { totalCount } inOther: sims(filter: { fleet: $other }) { totalCount } }`,
    { own: cars!.id, other: meters!.id, meter: simId(acme, sims[1]!) },
  );
  expect(seen).toEqual({
    own: { name: 'Cars', sims: { totalCount: 2 } },
    other: null,
    meter: null,
    byIccid: null,
    sims: { totalCount: 2 },
    devices: { totalCount: 2 },
    fleets: { totalCount: 1 },
    inOther: { totalCount: 0 },
  });
});
