/** Blocking through GraphQL: what a portal sends and reads. */
import type { GraphQLSchema } from 'graphql';
import type { LoggedEvent } from '../../../src/graphql/live';
import { toGlobalId } from '../../../src/graphql/global-id';
import { Role, type Caller } from '../../../src/graphql/caller';
import { matchesBlockFilter } from '../../../src/response/block-live';
import { BlockState } from '../../../src/fleet';
import { callerOf, run, schemaUnderTest, type Services } from './graphql';
import { World, type Customer } from './world';

let world: World;
let schema: GraphQLSchema;
let services: Services;
beforeAll(async () => {
  world = await World.open();
  schema = await schemaUnderTest();
  services = { database: world.storage.database, clock: world.clock, entropy: world.entropy };
});
afterAll(() => world.close());

const REQUEST = `mutation ($input: RequestBlockInput!) { requestBlock(input: $input) {
  blockRequest { id state needsSecondPerson requestedPerson sims { nodes { state sim { id blockState } } } }
  impact { simCount warnings { code } fleets { siblingCount fleet { name } } sims { critical sim { iccid } } }
  secondPersonReason results { simId state error { code } } userErrors { code path } } }`;
const CONFIRM = `mutation ($input: ConfirmBlockInput!) { confirmBlock(input: $input) { blockRequest { id state decidedPerson } results { simId state } userErrors { code message } } }`;
const CANCEL = `mutation ($input: CancelBlockInput!) { cancelBlock(input: $input) { blockRequest { state } results { state } userErrors { code } } }`;
const UNBLOCK = `mutation ($input: UnblockSimInput!) { unblockSim(input: $input) { blockRequest { operation state } results { simId state error { code } } userErrors { code } } }`;

const simId = (customer: Customer, i: number): string => toGlobalId('Sim', customer.clientId, customer.simIds[i]!);
const as = (caller: Caller, source: string, input: Record<string, unknown>): ReturnType<typeof run> =>
  run(schema, services, caller, source, { input });

it('a customer blocks and releases a SIM of its own', async () => {
  const customer = await world.customer({ sims: 3 });
  const ana = callerOf(customer.clientId);
  const worker = world.worker(world.network());
  const { requestBlock } = await as(ana, REQUEST, { sims: [simId(customer, 0)], mode: 'TEMPORARY_REJECT', reason: 'streams video' });
  expect(requestBlock).toMatchObject({
    userErrors: [],
    results: [{ simId: simId(customer, 0), state: 'BLOCK_REQUESTED', error: null }],
    secondPersonReason: null,
    blockRequest: {
      state: 'REQUESTED',
      requestedPerson: 'ana',
      sims: { nodes: [{ state: 'REQUESTED', sim: { id: simId(customer, 0), blockState: 'BLOCK_REQUESTED' } }] },
    },
    impact: {
      simCount: 1,
      warnings: [{ code: 'SIGNALING_STORM' }],
      fleets: [{ siblingCount: 2, fleet: { name: customer.fleetIds[0] } }],
      sims: [{ critical: false }],
    },
  });
  const { confirmBlock } = await as(ana, CONFIRM, { blockRequest: requestBlock.blockRequest.id });
  expect(confirmBlock).toMatchObject({
    userErrors: [],
    blockRequest: { state: 'CONFIRMED', decidedPerson: 'ana' },
    results: [{ state: 'BLOCKING' }],
  });
  await worker.drain();
  const read = `query ($id: ID!) { node(id: $id) { ... on BlockRequest { state sims { totalCount nodes { state verifiedAt sim { blockState blockRequests { nodes { id } } } } } } } }`;
  const { node } = await run(schema, services, ana, read, { id: requestBlock.blockRequest.id });
  expect(node).toMatchObject({
    state: 'COMPLETED',
    sims: {
      totalCount: 1,
      nodes: [
        {
          state: 'VERIFIED',
          verifiedAt: expect.any(String),
          sim: { blockState: 'BLOCKED', blockRequests: { nodes: [{ id: requestBlock.blockRequest.id }] } },
        },
      ],
    },
  });
  const { unblockSim } = await as(ana, UNBLOCK, { sims: [simId(customer, 0)], reason: 'found again' });
  expect(unblockSim).toMatchObject({
    blockRequest: { operation: 'UNBLOCK', state: 'CONFIRMED' },
    results: [{ state: 'UNBLOCKING', error: null }],
  });
  await worker.drain();
  expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('UNBLOCKED');
});

it('an operator acts for a client, by ids or by a filter', async () => {
  const customer = await world.customer({ sims: 4, fleets: 2, critical: [1] });
  const operator = callerOf(0, 'olga');
  const byIds = await as(operator, REQUEST, { sims: [simId(customer, 0)], mode: 'THROTTLE', reason: 'r', dryRun: true });
  expect(byIds.requestBlock).toMatchObject({
    blockRequest: null,
    impact: { simCount: 1 },
    results: [{ state: 'UNBLOCKED', error: null }],
    userErrors: [],
  });
  const filter = { fleet: toGlobalId('Fleet', customer.clientId, customer.fleetIds[1]!), criticality: 'NORMAL' };
  const noClient = await as(operator, REQUEST, { filter, mode: 'THROTTLE', reason: 'r' });
  expect(noClient.requestBlock.userErrors).toEqual([{ code: 'CLIENT_REQUIRED', path: ['client'] }]);
  const byFilter = await as(operator, REQUEST, {
    client: toGlobalId('Client', customer.clientId, customer.clientId),
    filter,
    mode: 'THROTTLE',
    reason: 'r',
  });
  expect(byFilter.requestBlock.results.map((result: { simId: string }) => result.simId)).toEqual([simId(customer, 3)]);
  const { blockRequests } = await run(
    schema,
    services,
    operator,
    `query ($filter: BlockRequestFilter) { blockRequests(filter: $filter) { totalCount nodes { requestedPerson } } }`,
    { filter: { sim: simId(customer, 3), states: ['REQUESTED'] } },
  );
  expect(blockRequests).toEqual({ totalCount: 1, nodes: [{ requestedPerson: 'olga' }] });
});

it('the same idempotency key answers the same once more and refuses another request', async () => {
  const customer = await world.customer({ sims: 2 });
  const ana = callerOf(customer.clientId);
  const input = { sims: [simId(customer, 0)], mode: 'PERMANENT_REJECT', reason: 'r', idempotencyKey: 'once' };
  const first = await as(ana, REQUEST, input);
  expect(await as(ana, REQUEST, input)).toEqual(first);
  expect((await as(ana, REQUEST, { ...input, reason: 'other' })).requestBlock.userErrors).toMatchObject([
    { code: 'IDEMPOTENCY_KEY_REUSED' },
  ]);
  const confirm = { blockRequest: first.requestBlock.blockRequest.id, idempotencyKey: 'sure' };
  const confirmed = await as(ana, CONFIRM, confirm);
  expect(await as(ana, CONFIRM, confirm)).toEqual(confirmed);
  expect((await as(ana, CONFIRM, { ...confirm, idempotencyKey: 'again' })).confirmBlock.userErrors).toMatchObject([
    { code: 'ILLEGAL_TRANSITION' },
  ]);
});

it('says who else must confirm', async () => {
  const customer = await world.customer({ sims: 1, critical: [0] });
  const { requestBlock } = await as(callerOf(customer.clientId), REQUEST, { sims: [simId(customer, 0)], mode: 'THROTTLE', reason: 'r' });
  expect(requestBlock).toMatchObject({ secondPersonReason: '1 of the devices is critical', blockRequest: { needsSecondPerson: true } });
  const alone = await as(callerOf(customer.clientId), CONFIRM, { blockRequest: requestBlock.blockRequest.id });
  expect(alone.confirmBlock).toMatchObject({
    blockRequest: null,
    userErrors: [{ code: 'SECOND_PERSON_REQUIRED', message: expect.stringContaining('another person than ana') }],
  });
  const other = await as(callerOf(customer.clientId, 'ben'), CONFIRM, { blockRequest: requestBlock.blockRequest.id });
  expect(other.confirmBlock.userErrors).toEqual([]);
});

it('a call that could do nothing says why, for each SIM and at the top', async () => {
  const customer = await world.customer({ sims: 2 });
  const ana = callerOf(customer.clientId);
  expect((await as(ana, UNBLOCK, { sims: [simId(customer, 0)], reason: 'r' })).unblockSim).toMatchObject({
    blockRequest: null,
    results: [{ simId: simId(customer, 0), state: 'UNBLOCKED', error: { code: 'ILLEGAL_TRANSITION' } }],
    userErrors: [{ code: 'ILLEGAL_TRANSITION' }],
  });
  const { requestBlock } = await as(ana, REQUEST, { sims: [simId(customer, 0)], mode: 'THROTTLE', reason: 'r' });
  const mixed = await as(ana, REQUEST, { sims: [simId(customer, 0), simId(customer, 1), 'nonsense'], mode: 'THROTTLE', reason: 'r' });
  expect(mixed.requestBlock).toMatchObject({
    userErrors: [],
    results: [{ error: { code: 'ILLEGAL_TRANSITION' } }, { error: null }, { simId: 'nonsense', error: { code: 'NOT_FOUND' } }],
  });
  const { cancelBlock } = await as(ana, CANCEL, { blockRequest: requestBlock.blockRequest.id });
  expect(cancelBlock).toEqual({ blockRequest: { state: 'CANCELLED' }, results: [{ state: 'UNBLOCKED' }], userErrors: [] });
});

it.each([
  ['both ids and a filter', { sims: ['x'], filter: { family: 'meter' } }, 'BAD_USER_INPUT'],
  ['neither', {}, 'BAD_USER_INPUT'],
  ['no id', { sims: [] }, 'BAD_USER_INPUT'],
  ['an empty filter', { filter: {} }, 'BAD_USER_INPUT'],
  ['too many ids', { sims: Array<string>(1_001).fill('x') }, 'TOO_MANY_ITEMS'],
  ['the id of something else', { sims: [toGlobalId('Fleet', 1, 'x')] }, 'WRONG_ID_TYPE'],
])('refuses %s', async (_, targets, code) => {
  const customer = await world.customer({ sims: 1 });
  const { requestBlock } = await as(callerOf(customer.clientId), REQUEST, { ...targets, mode: 'THROTTLE', reason: 'r' });
  expect(requestBlock).toMatchObject({ blockRequest: null, userErrors: [{ code }] });
});

it('answers a foreign id in the very words of a missing one', async () => {
  const [customer, other] = [await world.customer({ sims: 1 }), await world.customer({ sims: 1 })];
  const ana = callerOf(customer.clientId);
  const theirs = await as(callerOf(other.clientId), REQUEST, { sims: [simId(other, 0)], mode: 'THROTTLE', reason: 'r' });
  const foreign = theirs.requestBlock.blockRequest.id as string;
  const missing = toGlobalId('BlockRequest', customer.clientId, world.entropy.uuid());
  for (const [source, inputOf] of [
    [CONFIRM, (blockRequest: string) => ({ blockRequest })],
    [CANCEL, (blockRequest: string) => ({ blockRequest })],
  ] as const) {
    expect(await as(ana, source, inputOf(foreign))).toEqual(await as(ana, source, inputOf(missing)));
  }
  for (const read of ['query ($id: ID!) { blockRequest(id: $id) { id } }', 'query ($id: ID!) { node(id: $id) { id } }']) {
    expect(Object.values(await run(schema, services, ana, read, { id: foreign }))).toEqual([null]);
  }
  const request = (id: string): ReturnType<typeof run> => as(ana, REQUEST, { sims: [id], mode: 'THROTTLE', reason: 'r' });
  expect((await request(simId(other, 0))).requestBlock.userErrors).toEqual(
    (await request(toGlobalId('Sim', customer.clientId, '987654'))).requestBlock.userErrors,
  );
  const cause = (alert: string): ReturnType<typeof run> =>
    as(ana, REQUEST, { sims: [simId(customer, 0)], mode: 'THROTTLE', reason: 'r', alert });
  expect(await cause(toGlobalId('Alert', other.clientId, world.entropy.uuid()))).toEqual(
    await cause(toGlobalId('Alert', customer.clientId, world.entropy.uuid())),
  );
  const list = (sim: string): ReturnType<typeof run> =>
    run(schema, services, ana, `query ($sim: ID) { blockRequests(filter: { sim: $sim }) { totalCount nodes { id } } }`, { sim });
  expect(await list(simId(other, 0))).toEqual({ blockRequests: { totalCount: 0, nodes: [] } });
});

it('shows an embedded page nothing of requests', async () => {
  const customer = await world.customer({ sims: 1 });
  const { requestBlock } = await as(callerOf(customer.clientId), REQUEST, { sims: [simId(customer, 0)], mode: 'THROTTLE', reason: 'r' });
  const embedded = callerOf(customer.clientId, 'portal', Role.EMBED);
  expect(await run(schema, services, embedded, 'query ($id: ID!) { node(id: $id) { id } }', { id: requestBlock.blockRequest.id })).toEqual({
    node: null,
  });
});

it('a live filter lets through exactly what it names', () => {
  const event: LoggedEvent = {
    position: '1',
    clientId: 3,
    type: 'SIM_BLOCK_STATE_CHANGED',
    subjectId: '42',
    sequence: 1,
    fields: [],
    fromState: 'BLOCKING',
    toState: 'BLOCKED',
    attributes: { simId: '42', fleetId: 'f1', state: 'BLOCKED', mode: 'THROTTLE', reason: 'r' },
    occurredAt: new Date(0),
  };
  const id = (type: string, key: string, client = 3): string => toGlobalId(type, client, key);
  for (const filter of [
    undefined,
    {},
    { sims: [id('Sim', '42')] },
    { fleet: id('Fleet', 'f1') },
    { client: id('Client', '3') },
    { states: [BlockState.BLOCKED], sims: [id('Sim', '1'), id('Sim', '42')] },
  ]) {
    expect(matchesBlockFilter(event, filter)).toBe(true);
  }
  for (const filter of [
    { sims: [id('Sim', '42', 4)] },
    { sims: [] },
    { fleet: id('Fleet', 'f2') },
    { client: id('Client', '4', 4) },
    { states: [BlockState.UNBLOCKED] },
    { sims: [id('Fleet', '42')] },
    { fleet: 'nonsense' },
  ]) {
    expect(matchesBlockFilter(event, filter)).toBe(false);
  }
});
