/** Dialogues over GraphQL: small batches in, pages of one SIM out, on open days and on closed ones, each tenant its own. */
import { Role } from '../../../src/graphql/caller';
import { toGlobalId } from '../../../src/graphql/global-id';
import { OperationContext } from '../../../src/graphql/operation-context';
import { SystemEntropy } from '../../../src/runtime';
import { DialogueDayCloser } from '../../../src/telemetry';
import { DialogueResolver, type Dialogue, type DialogueFilter } from '../../../src/telemetry/dialogues/dialogue-resolver';
import { QuarterMerger } from '../../../src/telemetry/dialogues/quarter-merger';
import { testLog } from '../../support/database';
import { dialogueFile, registerImsis } from './dialogue-house';
import { callerOf, count, NOW, openHouse, operator, send, stateOf, type House } from './house';

let house: House;
let acme: number;
let globex: number;
const resolver = new DialogueResolver();

beforeAll(async () => {
  house = await openHouse(100);
  acme = await registerImsis(house, 'Acme', 1, 2);
  globex = await registerImsis(house, 'Globex', 3, 2);
  await send(house, 'dialogues', dialogueFile(0, 240, 4));
  await send(house, 'dialogues', dialogueFile(0, 40, 4)); // equal ones, which a page must not lose
});
afterAll(() => house.close());

async function pageOf(clientId: number, filter: Omit<DialogueFilter, 'sim'> & { sim?: string }, first = 100, after?: string) {
  const context = new OperationContext(
    { database: house.database, clock: house.clock, entropy: new SystemEntropy(), log: testLog },
    clientId === 0 ? operator : callerOf(Role.CLIENT_VIEWER, clientId, 'viewer'),
    'test',
  );
  try {
    const page = { first, ...(after === undefined ? {} : { after }) };
    const connection = await resolver.dialogues(context, page, { sim: await simId(), ...filter });
    return { nodes: connection.nodes, pageInfo: connection.pageInfo, count: await connection.count() };
  } finally {
    await context.end();
  }
}

/** Acme's first SIM. */
async function simId(): Promise<string> {
  const [row] = await house.database.transaction({ name: 'test', role: 'operator' }, (tx) =>
    tx.query<{ sim_id: string }>('SELECT sim_id FROM sim WHERE client_id = $1 ORDER BY sim_id LIMIT 1', [acme]),
  );
  return toGlobalId('Sim', acme, row!.sim_id);
}

async function allPages(filter: Omit<DialogueFilter, 'sim'>): Promise<Dialogue[]> {
  const nodes: Dialogue[] = [];
  for (let after: string | undefined; ;) {
    const page = await pageOf(acme, filter, 7, after);
    nodes.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) return nodes;
    after = page.pageInfo.endCursor!;
  }
}

test.each(['open', 'closed'])('pages of a day that is %s are the whole list, latest first', async (state) => {
  if (state === 'closed') {
    house.clock.set(new Date(NOW.getTime() + 48 * 3_600_000));
    await new DialogueDayCloser(house.database, house.clock, testLog).drain();
    expect(await count(house, `pg_indexes WHERE indexname = 'dialogue_20261120_sim'`)).toBe(1);
  }
  const whole = await pageOf(acme, {});
  expect(whole.nodes).toHaveLength(70);
  expect(whole.count).toBe(70);
  const times = whole.nodes.map((node) => node.startedAt.getTime());
  expect(times).toEqual([...times].sort((a, b) => b - a));
  expect(await allPages({})).toEqual(whole.nodes);
});

test('a filter by procedure, outcome, protocol, network and time holds at once', async () => {
  const all = (await pageOf(acme, {})).nodes;
  const { nodes } = await pageOf(acme, {
    procedures: ['UL', 'SAI'],
    outcomes: ['SUCCESS', 'REJECT'],
    from: new Date(NOW.getTime() - 15_000_000),
    to: NOW,
  });
  expect(nodes).toEqual(
    all.filter(
      (node) =>
        ['UL', 'SAI'].includes(node.procedure) &&
        ['SUCCESS', 'REJECT'].includes(node.outcome) &&
        node.startedAt.getTime() >= NOW.getTime() - 15_000_000,
    ),
  );
  const diameter = (await pageOf(acme, { protocols: ['DIAMETER'], plmn: '214-07' })).nodes;
  expect(diameter).toEqual(all.filter((node) => node.protocol === 'DIAMETER' && node.visitedPlmn === '214-07'));
  expect(diameter.length).toBeGreaterThan(0);
});

test("another tenant's SIM has no dialogues", async () => {
  expect(await pageOf(globex, {})).toMatchObject({ nodes: [], count: 0 });
});

test('quarters of an hour are added up once', async () => {
  const { quarterHours } = await stateOf(house);
  const merger = new QuarterMerger(house.database, testLog);
  await merger.drain();
  expect(await count(house, 'signaling_part')).toBe(0);
  expect((await stateOf(house))['quarterHours']).toEqual(quarterHours);
  await merger.drain();
  expect((await stateOf(house))['quarterHours']).toEqual(quarterHours);
});

test('a small batch comes in as records', async () => {
  const record = {
    imsi: '214070000000001',
    started_at: NOW,
    protocol: 'MAP',
    procedure: 'CL',
    origin: 'HOME',
    outcome: 'SUCCESS',
    format_violation: true,
  };
  const ask = { caller: operator, kind: 'dialogues' as const, batchKey: 'small', records: [record, { ...record, outcome: 'MAYBE' }] };
  const answer = await house.ingest.ingestRecords(ask);
  expect(answer).toMatchObject({ batchId: 'small', accepted: 1, rejected: 1, errors: [{ line: 2, code: 'FIELD_INVALID' }] });
  expect(await house.ingest.ingestRecords(ask)).toEqual(answer);
});
