/** Telemetry over GraphQL: small batches in, records, quarantine and freshness out, each tenant its own. */
import { graphql, type GraphQLSchema } from 'graphql';
import { container } from 'tsyringe';
import { authorise } from '../../../src/access';
import { fleetResolvers } from '../../../src/fleet';
import { Role, type Caller } from '../../../src/graphql/caller';
import { toGlobalId } from '../../../src/graphql/global-id';
import { NodeResolver } from '../../../src/graphql/nodes';
import { OperationContext } from '../../../src/graphql/operation-context';
import { buildGraphqlSchema } from '../../../src/graphql/schema';
import { SystemEntropy } from '../../../src/runtime';
import { Ingest, QuarantineRequeuer, telemetryResolvers } from '../../../src/telemetry';
import { testLog } from '../../support/database';
import { callerOf, count, forgetTelemetry, iccidOf, openHouse, operator, registerSims, send, type House } from './house';

let house: House;
let schema: GraphQLSchema;
let acme: number;
let globex: number;
let acmeAdmin: Caller;

beforeAll(async () => {
  house = await openHouse();
  acme = await registerSims(house, 'Acme', 'meters', 1, 3);
  globex = await registerSims(house, 'Globex', 'pumps', 4, 3);
  acmeAdmin = callerOf(Role.CLIENT_ADMIN, acme, 'acme-key');
  const scope = container.createChildContainer();
  scope.registerInstance(Ingest, house.ingest);
  scope.registerInstance(QuarantineRequeuer, house.requeuer);
  for (const resolver of telemetryResolvers) scope.registerSingleton(resolver as never);
  schema = await buildGraphqlSchema({
    resolvers: [NodeResolver, ...fleetResolvers, ...telemetryResolvers],
    container: scope,
    globalMiddlewares: [authorise],
  });
});
afterAll(() => house.close());
beforeEach(() => forgetTelemetry(house));

async function ask(caller: Caller, source: string, variableValues: Record<string, unknown> = {}): Promise<any> {
  const contextValue = new OperationContext(
    { database: house.database, clock: house.clock, entropy: new SystemEntropy(), log: testLog },
    caller,
    'test',
  );
  try {
    const { data, errors } = await graphql({ schema, source, variableValues, contextValue });
    if (errors) throw errors[0]!.originalError ?? errors[0]!;
    return JSON.parse(JSON.stringify(data));
  } finally {
    await contextValue.end();
  }
}

async function simId(client: number, iccid: string): Promise<string> {
  const rows = await house.database.transaction({ name: 'test', role: 'operator' }, (tx) =>
    tx.query<{ sim_id: string }>('SELECT sim_id FROM sim WHERE client_id = $1 AND iccid = $2', [client, iccid]),
  );
  return toGlobalId('Sim', client, rows[0]!.sim_id);
}

const INGEST = `mutation ($input: IngestUsageInput!) { ingestUsage(input: $input) { batchId accepted duplicates rejected errors { line code message } userErrors { code path } } }`;
const usage = (iccid: string, minute: number, more: object = {}): object => ({
  recordId: `m${minute}`,
  iccid,
  startedAt: `2026-11-20T10:${String(minute).padStart(2, '0')}:00Z`,
  endedAt: '2026-11-20T11:00:00Z',
  uplinkBytes: '9007199254740991',
  downlinkBytes: 5,
  plmn: '21407',
  ...more,
});

test('records sent by mutation are found as records, page by page', async () => {
  const records = Array.from({ length: 7 }, (_, minute) => usage(iccidOf(1), minute, minute === 3 ? { rat: '7G' } : {}));
  const { ingestUsage } = await ask(acmeAdmin, INGEST, { input: { records, idempotencyKey: 'first' } });
  expect(ingestUsage).toMatchObject({
    batchId: 'first',
    accepted: 6,
    rejected: 1,
    errors: [{ line: 4, code: 'FIELD_INVALID' }],
    userErrors: [],
  });
  expect((await ask(acmeAdmin, INGEST, { input: { records, idempotencyKey: 'first' } })).ingestUsage).toEqual(ingestUsage);
  const sim = await simId(acme, iccidOf(1));
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const { usageRecords }: any = await ask(
      acmeAdmin,
      `query ($sim: ID!, $after: String) { usageRecords(filter: { sim: $sim, plmn: "214-07" }, first: 4, after: $after) {
         totalCount nodes { id recordId uplinkBytes sim { iccid } } pageInfo { hasNextPage endCursor } } }`,
      { sim, after },
    );
    expect(usageRecords.totalCount).toBe(6);
    for (const node of usageRecords.nodes) {
      seen.push(node.recordId);
      expect(node).toMatchObject({ uplinkBytes: '9007199254740991', sim: { iccid: iccidOf(1) } });
      expect(await ask(acmeAdmin, 'query ($id: ID!) { node(id: $id) { id } }', { id: node.id })).toEqual({ node: { id: node.id } });
    }
    after = usageRecords.pageInfo.hasNextPage ? usageRecords.pageInfo.endCursor : null;
  } while (after);
  expect(seen).toEqual(['m6', 'm5', 'm4', 'm2', 'm1', 'm0']);
});

test('a mutation ends the reads of the operation before it stores', async () => {
  const twice = `mutation ($input: IngestUsageInput!) { requeueQuarantine(input: { iccids: [] }) { requeued } a: ingestUsage(input: $input) { accepted } b: ingestUsage(input: $input) { accepted } }`;
  expect(await ask(acmeAdmin, twice, { input: { records: [usage(iccidOf(1), 1)] } })).toMatchObject({
    a: { accepted: 1 },
    b: { accepted: 1 },
  });
});

test('events are filtered by type, network and time', async () => {
  await send(
    house,
    'connection-events',
    `iccid,type,occurred_at,plmn
${iccidOf(4)},ATTACHMENT_REJECTED,2026-11-20T08:00:00Z,214-07
${iccidOf(4)},ATTACHMENT_ACCEPTED,2026-11-20T09:00:00Z,214-01
${iccidOf(4)},DATA_SESSION_STARTED,2026-11-20T10:00:00Z,214-01
`,
  );
  await send(
    house,
    'device-events',
    `iccid,type,occurred_at,count\n${iccidOf(4)},REBOOT,2026-11-20T08:00:00Z,3\n${iccidOf(4)},TLS_ERROR,2026-11-20T08:00:00Z,\n`,
  );
  const sim = await simId(globex, iccidOf(4));
  const answer = await ask(
    operator,
    `query ($sim: ID!) {
    rejected: connectionEvents(filter: { sim: $sim, type: ATTACHMENT_REJECTED }) { nodes { type } }
    network: connectionEvents(filter: { sim: $sim, plmn: "214-01" }) { nodes { type } }
    late: connectionEvents(filter: { sim: $sim, from: "2026-11-20T09:00:00Z", to: "2026-11-20T10:00:00Z" }) { nodes { type } }
    reboots: deviceEvents(filter: { sim: $sim, type: "REBOOT" }) { nodes { type count sim { iccid } } }
    sim(id: $sim) { reachability { state asOf } lastSeen { plmn } } }`,
    { sim },
  );
  expect(answer).toEqual({
    rejected: { nodes: [{ type: 'ATTACHMENT_REJECTED' }] },
    network: { nodes: [{ type: 'DATA_SESSION_STARTED' }, { type: 'ATTACHMENT_ACCEPTED' }] },
    late: { nodes: [{ type: 'ATTACHMENT_ACCEPTED' }] },
    reboots: { nodes: [{ type: 'REBOOT', count: 3, sim: { iccid: iccidOf(4) } }] },
    sim: { reachability: { state: 'ONLINE', asOf: '2026-11-20T10:00:00.000Z' }, lastSeen: { plmn: '214-01' } },
  });
});

test('a foreign SIM, record or quarantine row looks exactly like a missing one', async () => {
  await send(
    house,
    'usage',
    `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\nr,${iccidOf(4)},2026-11-20T10:00:00Z,2026-11-20T10:30:00Z,5,5\nr,${iccidOf(5)},2026-11-20T10:00:00Z,2026-11-20T10:30:00Z,5,5\n`,
  );
  const foreign = await simId(globex, iccidOf(4));
  const records = await ask(
    operator,
    `query ($sim: ID!) { usageRecords(filter: { sim: $sim }) { nodes { id } } quarantine { nodes { id code client { name } } } }`,
    { sim: foreign },
  );
  expect(records.usageRecords.nodes).toHaveLength(1);
  expect(records.quarantine.nodes).toMatchObject([{ code: 'CONFLICTING_RECORD', client: { name: 'Globex' } }]);
  const list = `query ($sim: ID!) { usageRecords(filter: { sim: $sim }) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }`;
  const missing = toGlobalId('Sim', acme, '999999999');
  expect(await ask(acmeAdmin, list, { sim: foreign })).toEqual(await ask(acmeAdmin, list, { sim: missing }));
  for (const id of [records.usageRecords.nodes[0].id, records.quarantine.nodes[0].id]) {
    expect(await ask(acmeAdmin, 'query ($id: ID!) { node(id: $id) { id } }', { id })).toEqual({ node: null });
  }
  const globexId = toGlobalId('Client', globex, globex);
  expect(
    await ask(
      acmeAdmin,
      'query ($c: ID!) { quarantine(filter: { client: $c }) { totalCount } sourceWatermarks(filter: { client: $c }) { totalCount } }',
      { c: globexId },
    ),
  ).toEqual({ quarantine: { totalCount: 0 }, sourceWatermarks: { totalCount: 0 } });
});

test('more than 1,000 records are a user error', async () => {
  const records = Array.from({ length: 1001 }, (_, i) => usage(iccidOf(1), i % 60, { recordId: String(i) }));
  const { ingestUsage } = await ask(acmeAdmin, INGEST, { input: { records } });
  expect(ingestUsage).toMatchObject({ batchId: null, accepted: 0, userErrors: [{ code: 'TOO_MANY_ITEMS' }] });
});

test('sources say how late they are, for the client and as a whole', async () => {
  await send(
    house,
    'usage',
    `iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n${iccidOf(1)},2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,5,5\n`,
  );
  await send(
    house,
    'usage',
    `iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n${iccidOf(1)},2026-11-20T09:00:00Z,2026-11-20T09:30:00Z,5,5\n`,
  );
  const query = '{ sourceWatermarks { nodes { source kind watermark latenessSeconds client { name } } } }';
  const expected = { source: 'hub', kind: 'USAGE', watermark: '2026-11-20T11:00:00.000Z', latenessSeconds: 3600 };
  expect(await ask(operator, query)).toEqual({
    sourceWatermarks: {
      nodes: [
        { ...expected, client: null },
        { ...expected, client: { name: 'Acme' } },
      ],
    },
  });
  expect(await ask(acmeAdmin, query)).toEqual({ sourceWatermarks: { nodes: [{ ...expected, client: { name: 'Acme' } }] } });
});

test('requeueQuarantine stores what is held for a SIM that is known now', async () => {
  const held = (n: number): string =>
    `iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n${iccidOf(n)},2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,5,5\n`;
  await send(house, 'usage', held(50));
  const requeue = 'mutation ($iccids: [ICCID!]!) { requeueQuarantine(input: { iccids: $iccids }) { requeued userErrors { code } } }';
  expect(await ask(operator, requeue, { iccids: [iccidOf(50)] })).toEqual({ requeueQuarantine: { requeued: 0, userErrors: [] } });
  expect(await count(house, `audit_log WHERE action = 'requeueQuarantine'`)).toBeGreaterThan(0);
});
