/** Usage through GraphQL: a chart, the click into a bucket, and yesterday's list. */
import type { GraphQLSchema } from 'graphql';
import { toGlobalId } from '../../../src/graphql/global-id';
import { callerOf, execute, run, schemaUnderTest, type Services } from '../response/graphql';
import { World, type Customer } from '../response/world';

let world: World;
let schema: GraphQLSchema;
let services: Services;
let customer: Customer;
let other: Customer;
beforeAll(async () => {
  world = await World.open();
  schema = await schemaUnderTest();
  services = { database: world.storage.database, clock: world.clock, entropy: world.entropy };
  customer = await world.customer({ sims: 30 });
  other = await world.customer({ sims: 1 });
  const yesterday = '2026-11-01';
  await world.query(
    `INSERT INTO usage_sim_hour SELECT $1, sim_id, $2::timestamptz, 9007199254740993, row_number() OVER (ORDER BY sim_id) FROM sim WHERE client_id = $1 RETURNING 1`,
    [customer.clientId, `${yesterday}T08:00:00Z`],
  );
  await world.query(
    `INSERT INTO usage_sim_day SELECT client_id, $2::date, sim_id, $3::uuid, hour, uplink_bytes, downlink_bytes, uplink_bytes + downlink_bytes FROM usage_sim_hour WHERE client_id = $1 RETURNING 1`,
    [customer.clientId, yesterday, customer.fleetIds[0]],
  );
  for (const [table, columns] of [
    ['usage_client_hour', ''],
    ['usage_fleet_hour', `'${customer.fleetIds[0]}'::uuid,`],
  ]) {
    await world.query(
      `INSERT INTO ${table} SELECT client_id, ${columns} hour, sum(uplink_bytes), sum(downlink_bytes) FROM usage_sim_hour WHERE client_id = $1 GROUP BY client_id, hour RETURNING 1`,
      [customer.clientId],
    );
  }
});
afterAll(() => world.close());

const BY_TIME = `query ($scope: UsageScope, $from: DateTime!, $to: DateTime!, $granularity: Granularity!) {
  usageByTime(scope: $scope, from: $from, to: $to, granularity: $granularity) { from to uplinkBytes downlinkBytes totalBytes } }`;
const BY_SIM = `query ($scope: UsageScope, $from: DateTime!, $to: DateTime!, $after: String) {
  usageBySim(scope: $scope, from: $from, to: $to, first: 20, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { totalBytes sim { id } } } }`;
const TOP = `query ($scope: UsageScope, $day: Date, $first: Int = 20, $days: Int = 7) {
  topConsumers(scope: $scope, day: $day, first: $first, days: $days) { rank totalBytes shareOfClient ratioToBaseline daysListed listedOn sim { id } } }`;
const fleet = (of: Customer): string => toGlobalId('Fleet', of.clientId, of.fleetIds[0]!);

it('a bucket of the chart opens as the list of its SIMs, and bytes beyond 2^53 stay exact', async () => {
  const ana = callerOf(customer.clientId);
  const { usageByTime } = await run(schema, services, ana, BY_TIME, {
    scope: { fleet: fleet(customer) },
    from: '2026-11-01T00:00:00Z',
    to: '2026-11-02T00:00:00Z',
    granularity: 'HOUR',
  });
  expect(usageByTime).toHaveLength(24);
  const bucket = usageByTime.find((candidate: { totalBytes: string }) => candidate.totalBytes !== '0');
  expect(bucket).toMatchObject({
    from: '2026-11-01T08:00:00.000Z',
    uplinkBytes: (30n * 9_007_199_254_740_993n).toString(),
    downlinkBytes: '465',
  });
  const seen: string[] = [];
  for (let after: string | null = null; ;) {
    const { usageBySim } = await run(schema, services, ana, BY_SIM, {
      scope: { fleet: fleet(customer) },
      from: bucket.from,
      to: bucket.to,
      after,
    });
    expect(usageBySim.totalCount).toBe(30);
    seen.push(...usageBySim.nodes.map((node: { sim: { id: string } }) => node.sim.id));
    if (!usageBySim.pageInfo.hasNextPage) break;
    after = usageBySim.pageInfo.endCursor;
  }
  expect(seen).toEqual([...customer.simIds].reverse().map((simId) => toGlobalId('Sim', customer.clientId, simId)));
});

it("top consumers are yesterday's twenty by default", async () => {
  const { topConsumers } = await run(schema, services, callerOf(customer.clientId), TOP);
  expect(topConsumers).toHaveLength(20);
  expect(topConsumers[0]).toMatchObject({
    rank: 1,
    ratioToBaseline: null,
    daysListed: 1,
    listedOn: ['2026-11-01'],
    sim: { id: toGlobalId('Sim', customer.clientId, customer.simIds[29]!) },
  });
  expect(topConsumers[0].shareOfClient).toBeCloseTo(1 / 30);
});

it('an operator names whose usage', async () => {
  const operator = callerOf(0);
  await expect(run(schema, services, operator, TOP)).rejects.toMatchObject({ code: 'CLIENT_REQUIRED' });
  const { topConsumers } = await run(schema, services, operator, TOP, {
    scope: { client: toGlobalId('Client', customer.clientId, customer.clientId) },
    first: 2,
    days: 31,
  });
  expect(topConsumers.map((consumer: { rank: number }) => consumer.rank)).toEqual([1, 2]);
});

it.each([
  ['first', { first: 0 }],
  ['first', { first: 101 }],
  ['days', { days: 32 }],
  ['days', { days: 0 }],
])('refuses %s out of range', async (name, variables) => {
  await expect(run(schema, services, callerOf(customer.clientId), TOP, variables)).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    message: expect.stringContaining(name),
  });
});

it("answers another customer's fleet in the very words of a missing one", async () => {
  const range = { from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z', granularity: 'DAY' };
  const missing = toGlobalId('Fleet', customer.clientId, world.entropy.uuid());
  for (const [source, variables] of [
    [BY_TIME, range],
    [BY_SIM, range],
    [TOP, {}],
  ] as const) {
    const answer = (id: string): ReturnType<typeof execute> =>
      execute(schema, services, callerOf(customer.clientId), source, { ...variables, scope: { fleet: id } });
    const [foreign, none] = [await answer(fleet(other)), await answer(missing)];
    expect(JSON.stringify(foreign)).toBe(JSON.stringify(none));
    expect(foreign.errors).toHaveLength(1);
  }
});
