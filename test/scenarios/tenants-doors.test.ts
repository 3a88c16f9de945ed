/** The other doors between customers: ingest, names and keys that both use, a SIM that changes hands, and callers without a valid key. */
import { SocketPeer } from '../api/graphql/socket-peer';
import { ApiClient } from '../../src/commands/demo/api-client';
import { OPERATOR_KEY } from '../support/app';
import { Crawl, takeStock, type Belongings } from './crawl';
import { BravoTraces, digestOf } from './tenant-traces';
import { mutate, openTwoTenants, TENANT_ROLES, unknownIccid, type TwoTenants } from './two-tenants';

let two: TwoTenants;
let crawl: Crawl;
let bravoHas: Belongings;

beforeAll(async () => {
  two = await openTwoTenants();
  const { house, bravo } = two;
  await house.app.settle();
  crawl = new Crawl(house.url, house.app.schema, { queryDepth: 3, first: 10 });
  bravoHas = await takeStock(house.url, house.app.schema, bravo);
});
afterAll(async () => {
  await SocketPeer.closeAll();
  await two?.house.close();
});

const bravosRows = (): Promise<Record<string, string>> => digestOf(two.house.app.database, two.bravo.clientId);

async function post(kind: string, key: string | null, body: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(new URL(`/ingest/${kind}`, two.house.url), {
    method: 'POST',
    headers: { 'content-type': 'text/csv', ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
    body,
  });
  return `${response.status} ${await response.text()}`;
}

const csvOf = {
  usage: (iccid: string) =>
    `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\nr-1,${iccid},2026-11-14T10:00:00Z,2026-11-14T11:00:00Z,1,1\n`,
  'connection-events': (iccid: string) => `event_id,iccid,type,occurred_at\ne-1,${iccid},ATTACHMENT_ACCEPTED,2026-11-14T10:00:00Z\n`,
  'device-events': (iccid: string) => `event_id,iccid,type,occurred_at,count\ne-1,${iccid},REBOOT,2026-11-14T10:00:00Z,1\n`,
} as const;
const kinds = Object.keys(csvOf) as (keyof typeof csvOf)[];
const ndjson = (csv: string): string => {
  const [header, row] = csv
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return `${JSON.stringify(Object.fromEntries(header!.map((column, i) => [column, row![i]])))}\n`;
};

describe("alfa sends records of bravo's SIMs", () => {
  it.each(kinds)('and is answered as for SIMs that nobody has: %s', async (kind) => {
    const before = await bravosRows();
    const { keys } = two.alfa;
    for (const key of [keys.INGEST, keys.CLIENT_ADMIN]) {
      for (const [type, write] of [
        ['text/csv', (csv: string) => csv],
        ['application/x-ndjson', ndjson],
      ] as const) {
        const answers = [two.bravo.sims[0]!.iccid, two.bravo.sims[3]!.iccid, unknownIccid(5), unknownIccid(6)].map(async (iccid) => {
          const answer = await post(kind, key, write(csvOf[kind](iccid)), { 'content-type': type });
          return answer.replaceAll(iccid, '<iccid>').replace(/"batchId":"[^"]*"/, '"batchId":"<batch>"');
        });
        const [first, ...others] = await Promise.all(answers);
        expect(first).toContain('"rejected":1');
        for (const other of others) expect(other).toBe(first);
      }
    }
    await two.house.app.settle();
    expect(await bravosRows()).toEqual(before);
  });

  it('and gets nothing more by asking for them again', async () => {
    const before = await bravosRows();
    const admin = new ApiClient(two.house.url, two.alfa.keys.CLIENT_ADMIN);
    for (const iccid of [two.bravo.sims[0]!.iccid, unknownIccid(5)]) {
      const { requeueQuarantine } = await admin.graphql<{ requeueQuarantine: { requeued: number } }>(
        'mutation Again($input: RequeueQuarantineInput!) { requeueQuarantine(input: $input) { requeued userErrors { message } } }',
        { input: { iccids: [iccid] } },
      );
      expect(requeueQuarantine).toMatchObject({ userErrors: [] });
    }
    await two.house.app.settle();
    expect(await bravosRows()).toEqual(before);
  });

  it.each(['CLIENT_OPERATOR', 'CLIENT_VIEWER', 'EMBED'] as const)('not at all as %s', async (role) => {
    const answers = new Set<string>();
    for (const iccid of [two.bravo.sims[0]!.iccid, unknownIccid(5), two.alfa.sims[0]!.iccid])
      answers.add(await post('usage', two.alfa.keys[role], csvOf.usage(iccid)));
    expect(answers.size).toBe(1);
    expect([...answers][0]).toMatch(/^403 .*"FORBIDDEN"/);
  });

  it('and registers none: only operators do, since a taken ICCID would tell of another customer', async () => {
    const answers = new Set<string>();
    for (const role of TENANT_ROLES) {
      for (const iccid of [two.bravo.sims[0]!.iccid, unknownIccid(5)]) {
        answers.add((await post('sims', two.alfa.keys[role], `iccid,client\n${iccid},bravo works\n`)).replace(role, '<role>'));
      }
    }
    expect(answers.size).toBe(1);
    expect([...answers][0]).toMatch(/^403 /);
  });
});

describe('a SIM that changes hands', () => {
  it("shows each owner its own part, and nothing of the other's", async () => {
    const { house, alfa, bravo } = two;
    const { operator } = house;
    const iccid = alfa.sims[4]!.iccid;
    const ask = `query Both($iccid: ICCID!) { simByIccid(iccid: $iccid) { id } sims(first: 100, filter: { closed: true }) { nodes { id iccid client { name } closedAt alerts { nodes { id } } } } auditLog(first: 100) { nodes { subject detail principal } } }`;
    const { simByIccid: sim } = await operator.graphql<{ simByIccid: { id: string } }>(ask, { iccid });
    await mutate(operator, 'moveSim', { sim: sim.id, client: bravo.id, at: '2026-11-14T23:00:00Z' });
    await house.app.settle();
    const traces = await BravoTraces.collect(house.app.database, bravo, alfa);

    const byAlfa = await crawl.post(ask, { iccid }, alfa.keys.CLIENT_ADMIN);
    expect(byAlfa.body).toContain(iccid); // among its closed ones
    expect(JSON.parse(byAlfa.body)).toMatchObject({ data: { simByIccid: null } });
    expect(traces.in(byAlfa.body)).toBeNull();

    const byBravo = await crawl.post(
      'query Now($iccid: ICCID!) { simByIccid(iccid: $iccid) { id client { name } fleet { name } device { family } bindings { imei } lastSeen { at } alerts { nodes { id } } } auditLog(first: 5) { nodes { detail principal } } }',
      { iccid },
      bravo.keys.CLIENT_ADMIN,
    );
    expect(JSON.parse(byBravo.body)).toMatchObject({
      data: { simByIccid: { client: { name: 'bravo works' }, fleet: null, bindings: [], lastSeen: null } },
    });
    expect(byBravo.body).not.toContain('alfa');
  });
});

describe('what both name alike', () => {
  it('sources, record ids and idempotency keys of one are free for the other', async () => {
    const { alfa, bravo } = two;
    const rows = (iccid: string, bytes: number): string =>
      `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\nshared,${iccid},2026-11-14T20:00:00Z,2026-11-14T21:00:00Z,${bytes},0\n`;
    const headers = { 'simwarden-source': 'shared feed', 'idempotency-key': 'shared batch' };
    const answer = (key: string, iccid: string, bytes: number): Promise<string> => post('usage', key, rows(iccid, bytes), headers);
    const accepted = '200 {"batchId":"shared batch","accepted":1,"duplicates":0,"rejected":0,"errors":[]}';
    expect(await answer(bravo.keys.INGEST, bravo.sims[1]!.iccid, 7)).toBe(accepted);
    expect(await answer(alfa.keys.INGEST, alfa.sims[1]!.iccid, 3)).toBe(accepted);
    expect(await answer(bravo.keys.INGEST, bravo.sims[1]!.iccid, 7)).toBe(accepted); // what the ledger says, again
    expect(await answer(bravo.keys.INGEST, bravo.sims[1]!.iccid, 8)).toMatch(/^409 .*BATCH_CONFLICT/);
  });

  it('names of fleets and idempotency keys of mutations too', async () => {
    const admin = new ApiClient(two.house.url, two.alfa.keys.CLIENT_ADMIN);
    await mutate(admin, 'createFleet', { name: 'bravo fleet 0' });
    const { sims } = await admin.graphql<{ sims: { nodes: { id: string }[] } }>('{ sims(first: 100) { nodes { id } } }');
    const used = `bravo-${bravoHas.idsOf('Sim').at(-1)!}`;
    await mutate(admin, 'unblockSim', { sims: [sims.nodes.at(-1)!.id], reason: 'over', idempotencyKey: used });
  });
});

describe('without a valid key', () => {
  const strangers = (): [string, string | null][] => [
    ['no key', null],
    ['a key that never was', 'sw_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['a revoked key of bravo', two.bravo.revokedKey],
    ['a key with a letter changed', `${two.bravo.keys.CLIENT_ADMIN.slice(0, -1)}${two.bravo.keys.CLIENT_ADMIN.endsWith('a') ? 'b' : 'a'}`],
    ["the operator's, cut", OPERATOR_KEY.slice(0, -1)],
  ];

  it('every root field answers the same to all, whether it names something or not', async () => {
    const before = await bravosRows();
    const answers = new Set<string>();
    for (const [, key] of strangers()) {
      for (const root of crawl.roots) {
        const question = crawl.plain(root, bravoHas);
        for (const { status, body } of question ? await crawl.answers(question, key) : []) answers.add(`${status} ${body}`);
      }
      for (const kind of [...kinds, 'sims'] as const) {
        expect(await post(kind, key, kind === 'sims' ? 'iccid,client\n' : csvOf[kind](two.bravo.sims[0]!.iccid))).toMatch(
          /^401 .*"UNAUTHENTICATED"/,
        );
      }
    }
    expect(answers.size).toBe(1);
    expect([...answers][0]).toMatch(/^401 .*"UNAUTHENTICATED"/);
    expect(await bravosRows()).toEqual(before);
  });

  it('no socket is greeted, and none may subscribe before it is', async () => {
    const url = `${two.house.url.replace(/^http/, 'ws')}/graphql`;
    for (const [who, key] of strangers()) {
      const peer = await SocketPeer.open(url);
      peer.say({ type: 'connection_init', ...(key === null ? {} : { payload: { authorization: `Bearer ${key}` } }) });
      expect([who, await peer.closed]).toEqual([who, { code: 4403, reason: 'Forbidden' }]);
      expect(peer.heard).toEqual([]);
    }
    const hasty = await SocketPeer.open(url);
    hasty.subscribe('1', 'subscription { alertChanged { cursor } }');
    expect(await hasty.closed).toEqual({ code: 4401, reason: 'Unauthorized' });
  });
});
