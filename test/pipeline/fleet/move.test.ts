/** A SIM changes hands: its history stays, its identifiers go, late records find the owner of their time. */
import { lookup, normaliseIccid, ownerAt } from '../../../src/fleet';
import { toGlobalId } from '../../../src/graphql/global-id';
import { iccid, openFleet, operator, row, tenant } from './fleet-fixture';

let fleet: Awaited<ReturnType<typeof openFleet>>;
let next = 1;
beforeAll(async () => {
  fleet = await openFleet();
});
afterAll(() => fleet.close());
beforeEach(() => {
  fleet.moves.moves.length = 0;
  fleet.moves.meanwhile = () => Promise.resolve();
  fleet.clock.advance(60_000);
});

const clientId = (id: number) => toGlobalId('Client', id, id);
const MOVE = `mutation ($input: MoveSimInput!) { moveSim(input: $input) {
  sim { id iccid imsi blockState blockMode blockReason blockActor fleet { name } client { name } device { family criticality name } bindings { imei } closedAt }
  closedSim { id closedAt client { name } } userErrors { code path } } }`;

/** Two clients and one SIM of the first. */
async function story(given: object = {}) {
  const n = next++;
  const [own, other] = await fleet.registry.register(
    [
      row(n, {
        client: `From ${n}`,
        imsi: `9014051${String(n).padStart(8, '0')}`,
        fleet: 'Meters',
        family: 'M1',
        imei: '490154203237518',
        criticality: 'CRITICAL',
        ...given,
      }),
      row(1000 + n, { client: `To ${n}` }),
    ],
    operator,
  );
  fleet.clock.advance(60_000);
  const from = own!.clientId!;
  const to = other!.clientId!;
  const sim = own!.simId!;
  const move = (input: object = {}) =>
    fleet
      .ask(operator, MOVE, { input: { sim: toGlobalId('Sim', from, sim), client: clientId(to), ...input } })
      .then((data) => data.moveSim);
  const block = (state: string) =>
    fleet.database.transaction({ name: 'test.block', role: 'operator', clientId: from }, (tx) =>
      tx.query(
        `UPDATE sim SET block_state = $3, block_mode = 'PERMANENT_REJECT', block_reason = 'secret of the old client', block_actor = 'ann' WHERE client_id = $1 AND sim_id = $2`,
        [from, sim, state],
      ),
    );
  const owner = async (at: Date) => {
    const entries = await fleet.database.transaction({ name: 'test.owner', role: 'ingest' }, (tx) =>
      lookup(tx, 'ICCID', [normaliseIccid(iccid(n))!]),
    );
    return ownerAt(entries, normaliseIccid(iccid(n))!, at);
  };
  return { n, from, to, sim, move, block, owner };
}

test('the old SIM is closed, the new one begins blank under its new client, and the others are told', async () => {
  const { n, from, to, sim, move } = await story();
  const now = fleet.clock.now();
  fleet.announced.sims.length = 0;
  const moved = await move();
  expect(moved).toEqual({
    sim: {
      id: expect.any(String),
      iccid: iccid(n),
      imsi: `9014051${String(n).padStart(8, '0')}`,
      blockState: 'UNBLOCKED',
      blockMode: null,
      blockReason: null,
      blockActor: null,
      fleet: null,
      client: { name: `To ${n}` },
      device: { family: 'UNKNOWN', criticality: 'NORMAL', name: null },
      bindings: [],
      closedAt: null,
    },
    closedSim: { id: toGlobalId('Sim', from, sim), closedAt: now.toISOString(), client: { name: `From ${n}` } },
    userErrors: [],
  });
  expect(fleet.moves.moves).toEqual([{ clientId: from, simId: sim, at: now, by: { name: 'operator', person: 'olga' } }]);
  expect(fleet.announced.sims).toMatchObject([{ clientId: to, iccid: normaliseIccid(iccid(n)) }]);
  const find = `{ simByIccid(iccid: "${iccid(n)}") { id closedAt } sims { totalCount } closed: sims(filter: { closed: true }) { totalCount } }`;
  expect(await fleet.ask(tenant(from), find)).toEqual({ simByIccid: null, sims: { totalCount: 0 }, closed: { totalCount: 1 } });
  expect(await fleet.ask(tenant(to), find)).toEqual({
    simByIccid: { id: moved.sim.id, closedAt: null },
    sims: { totalCount: 2 },
    closed: { totalCount: 0 },
  });
  expect((await fleet.ask(operator, find)).simByIccid.id).toBe(moved.sim.id);
  const audits = await fleet.asOperator<{ client_id: number }>(
    `SELECT client_id FROM audit_log WHERE action = 'moveSim' AND client_id IN ($1, $2) ORDER BY client_id`,
    [from, to],
  );
  expect(audits).toEqual([{ client_id: from }, { client_id: to }]);
});

test('a record goes to the owner of its time, however late it comes', async () => {
  const { from, to, sim, move, owner } = await story();
  const at = fleet.clock.now();
  await move();
  fleet.clock.advance(60_000);
  expect(await owner(new Date(0))).toMatchObject({ clientId: from, simId: sim });
  expect(await owner(new Date(at.getTime() - 1))).toMatchObject({ clientId: from, simId: sim });
  expect(await owner(at)).toMatchObject({ clientId: to });
  expect(await owner(fleet.clock.now())).toMatchObject({ clientId: to });
});

test('asked again, the move answers the same and does nothing more', async () => {
  const { move } = await story();
  const first = await move();
  fleet.clock.advance(60_000);
  expect(await move()).toEqual(first);
  expect(fleet.moves.moves).toHaveLength(1);
});

test('killed between its two transactions: an import does not complete it blindly, asking again does, still blocked', async () => {
  const { n, to, move, block } = await story();
  await block('BLOCKED');
  const real = fleet.database.transaction.bind(fleet.database);
  const killed = jest
    .spyOn(fleet.database, 'transaction')
    .mockImplementation((options, work) =>
      options.name === 'fleet.openMoved' ? Promise.reject(new Error('killed')) : real(options, work),
    );
  await expect(move()).rejects.toThrow('killed');
  killed.mockRestore();
  const [imported] = await fleet.registry.register([row(n, { client: `To ${n}` })], operator);
  expect(imported).toMatchObject({ status: 'REJECTED', error: { code: 'ILLEGAL_TRANSITION' } });
  const moved = await move();
  expect(moved).toMatchObject({
    sim: { blockState: 'BLOCKED', blockMode: 'PERMANENT_REJECT', client: { name: `To ${n}` } },
    userErrors: [],
  });
  expect(await fleet.registry.register([row(n, { client: `To ${n}` })], operator)).toMatchObject([{ status: 'UNCHANGED', clientId: to }]);
});

test('a blocked SIM stays blocked; who blocked it and why stays with the old client', async () => {
  const { move, block } = await story();
  await block('BLOCKED');
  const { sim } = await move();
  expect(sim).toMatchObject({
    blockState: 'BLOCKED',
    blockMode: 'PERMANENT_REJECT',
    blockReason: 'It was blocked when it was moved here.',
    blockActor: 'operator',
  });
});

test.each(['BLOCK_REQUESTED', 'BLOCKING', 'UNBLOCKING'])('in %s it is not moved, unless that is cancelled on the way', async (state) => {
  const { from, sim, move, block, owner } = await story();
  await block(state);
  expect(await move()).toEqual({ sim: null, closedSim: null, userErrors: [{ code: 'ILLEGAL_TRANSITION', path: ['sim'] }] });
  expect(await owner(fleet.clock.now())).toMatchObject({ clientId: from });
  fleet.moves.meanwhile = async (tx) => {
    await tx.query(`UPDATE sim SET block_state = 'UNBLOCKED', block_mode = NULL WHERE client_id = $1 AND sim_id = $2`, [from, sim]);
  };
  expect(await move()).toMatchObject({ sim: { blockState: 'UNBLOCKED' }, userErrors: [] });
});

test('the device goes along where it is asked for', async () => {
  const { move } = await story();
  expect((await move({ keepDevice: true })).sim).toMatchObject({
    device: { family: 'M1', criticality: 'CRITICAL' },
    bindings: [{ imei: '490154203237518' }],
  });
});

test('neither into the future nor before it was here, nor to nobody, nor to its own client', async () => {
  const { from, move } = await story();
  expect((await move({ at: new Date(fleet.clock.now().getTime() + 1) })).userErrors).toEqual([{ code: 'BAD_USER_INPUT', path: ['at'] }]);
  expect((await move({ client: clientId(999_999) })).userErrors).toEqual([{ code: 'NOT_FOUND', path: ['client'] }]);
  expect((await move({ client: clientId(from) })).userErrors).toEqual([{ code: 'BAD_USER_INPUT', path: ['client'] }]);
  const { sim } = await move();
  const back = await fleet.ask(operator, MOVE, {
    input: { sim: sim.id, client: clientId(from), at: new Date(fleet.clock.now().getTime() - 1) },
  });
  expect(back.moveSim.userErrors).toEqual([{ code: 'BAD_USER_INPUT', path: ['at'] }]);
  expect(fleet.moves.moves).toHaveLength(2);
});

test('there and back again: each stay keeps its own history', async () => {
  const { n, from, move, owner } = await story();
  const first = fleet.clock.now();
  const { sim } = await move();
  fleet.clock.advance(60_000);
  const second = fleet.clock.now();
  const back = (await fleet.ask(operator, MOVE, { input: { sim: sim.id, client: clientId(from) } })).moveSim;
  expect(back).toMatchObject({ sim: { client: { name: `From ${n}` }, closedAt: null }, userErrors: [] });
  const owners = await Promise.all([new Date(first.getTime() - 1), first, second].map(owner));
  expect(new Set(owners.map((entry) => entry!.simId)).size).toBe(3);
});

test('a closed SIM can not be changed', async () => {
  const { from, sim, move } = await story();
  await move();
  const { updateSim } = await fleet.ask(
    tenant(from),
    'mutation ($id: ID!) { updateSim(input: { sim: $id, lifecycle: SUSPENDED }) { sim { id } userErrors { code } } }',
    { id: toGlobalId('Sim', from, sim) },
  );
  expect(updateSim).toEqual({ sim: null, userErrors: [{ code: 'ILLEGAL_TRANSITION' }] });
});
