/** Live delivery over the event log: nothing missed, nothing doubled, nothing of another client, whatever happens around it. */
import { Client as PostgresClient } from 'pg';
import { openDatabase } from '../../../src/database/open';
import type { Database } from '../../../src/database/database';
import { Role } from '../../../src/graphql/caller';
import { appendEvent } from '../../../src/graphql/live';
import { liveCursor, livePosition } from '../../../src/graphql/live-cursor';
import { ManualClock, SystemEntropy } from '../../../src/runtime';
import { openTestDatabase, testLog, type TestDatabase } from '../../support/database';
import { callerNamed, executions, lampEvent, seedClients, startLampServer, type LampServer } from './lamp-server';
import { codeIn, SocketPeer, type Heard } from './socket-peer';

const entropy = new SystemEntropy();
const LIVE =
  'subscription Live($after: String, $filter: LampFilter) { lampChanged(after: $after, filter: $filter) { cursor subject sequence owner gap { missedFrom resumesAt } } }';

let db: TestDatabase;
let server: LampServer;

beforeAll(async () => {
  db = await openTestDatabase();
  await seedClients(db.database);
  server = await startLampServer(db.database);
});
afterEach(() => SocketPeer.closeAll());
afterAll(async () => {
  await server?.close();
  await db?.close();
});

async function write(database: Database, clientId: number, subject: string, sequence: number, attributes = {}): Promise<void> {
  await database.transaction({ name: 'test.write', role: 'operator', clientId }, (tx) =>
    appendEvent(tx, entropy.uuid(), lampEvent(clientId, subject, sequence, new Date(), attributes)),
  );
}

async function announce(subject: string, sequence = 1, clientId = 1, attributes = {}): Promise<void> {
  await write(db.database, clientId, subject, sequence, attributes);
  await server.sequencer.drain();
}

async function listen(key: string, variables: Record<string, unknown> = {}, at = server): Promise<SocketPeer> {
  const peer = await SocketPeer.greeted(at.socketUrl, key);
  peer.subscribe('s', LIVE, variables);
  peer.say({ type: 'ping' });
  await peer.next('pong');
  return peer;
}

interface Change {
  cursor: string;
  subject: string;
  sequence: number;
  owner: string;
  gap: { missedFrom: string; resumesAt: string } | null;
}
const changeIn = (message: Heard): Change => message.payload!.data!['lampChanged'] as Change;
const nextChange = async (peer: SocketPeer): Promise<Change> => changeIn(await peer.next('next'));

test('a payload carries the event, what a resolver reads for it, and its cursor', async () => {
  const peer = await listen('one');
  await announce('a', 3);
  const message = await peer.next('next');
  expect(changeIn(message)).toMatchObject({ subject: 'a', sequence: 3, owner: 'one', gap: null });
  expect(message.payload!.extensions).toEqual({ cursor: changeIn(message).cursor });
});

test('each client hears its own events, the operator all', async () => {
  const [one, two, operator] = [await listen('one'), await listen('two'), await listen('operator')];
  await announce('of two', 1, 2);
  await announce('of one', 1, 1);
  expect(await nextChange(one)).toMatchObject({ subject: 'of one', owner: 'one' });
  expect(await nextChange(two)).toMatchObject({ subject: 'of two', owner: 'two' });
  expect((await nextChange(operator)).subject).toBe('of two');
  expect((await nextChange(operator)).subject).toBe('of one');
  expect(two.heard.filter((message) => message.type === 'next')).toHaveLength(1);
});

test('a replay answers a client its own events only, whatever the cursor', async () => {
  await announce('secret of two', 1, 2);
  await announce('mine', 1, 1);
  const one = await listen('one', { after: liveCursor(0n) });
  const subjects: string[] = [];
  do subjects.push((await nextChange(one)).subject);
  while (subjects.at(-1) !== 'mine');
  expect(subjects).not.toContain('secret of two');
  expect(subjects).not.toContain('of two');
});

test('a filter and a caller bound to fleets keep the rest away, live and replayed', async () => {
  server.callers.set('fleet', callerNamed('fleet', 1, Role.EMBED, { credentialKind: 'EMBED_TOKEN', fleetIds: ['f1'] }));
  const before = await server.graphql.hub.cursorNow();
  const critical = await listen('one', { filter: { severities: ['CRITICAL'] } });
  const fleet = await listen('fleet');
  await announce('info in f1', 1, 1, { severity: 'INFO', fleetId: 'f1' });
  await announce('critical in f2', 1, 1, { severity: 'CRITICAL', fleetId: 'f2' });
  await announce('critical in f1', 1, 1, { severity: 'CRITICAL', fleetId: 'f1' });
  for (const [peer, expected] of [
    [critical, ['critical in f2', 'critical in f1']],
    [fleet, ['info in f1', 'critical in f1']],
    [await listen('one', { after: before, filter: { severities: ['CRITICAL'] } }), ['critical in f2', 'critical in f1']],
    [await listen('fleet', { after: before }), ['info in f1', 'critical in f1']],
  ] as [SocketPeer, string[]][]) {
    expect([(await nextChange(peer)).subject, (await nextChange(peer)).subject]).toEqual(expected);
  }
});

/** Resolves once the server has noticed that every socket is gone; the test's time-out says if it never does. */
async function noGroupIsLeft(): Promise<void> {
  while (server.graphql.hub.groupCount > 0) await new Promise((resolve) => setImmediate(resolve));
}

test('those who ask the same share one execution, wherever they resumed from', async () => {
  const cursor = await server.graphql.hub.cursorNow();
  await noGroupIsLeft();
  const peers = await Promise.all(Array.from({ length: 20 }, (_, i) => listen('one', i % 2 ? { after: cursor } : {})));
  expect(server.graphql.hub.groupCount).toBe(1);
  await announce('first');
  await Promise.all(peers.map(nextChange));
  const before = executions.count;
  await announce('shared');
  expect(new Set((await Promise.all(peers.map(nextChange))).map((change) => JSON.stringify(change))).size).toBe(1);
  expect(executions.count).toBe(before + 1);
  await SocketPeer.closeAll();
  await noGroupIsLeft();
});

test('a resolver that fails is an error in its payload, and the next event comes', async () => {
  const peer = await listen('one');
  await announce('broken');
  await announce('whole');
  const failed = await peer.next('next');
  expect(failed.payload).toMatchObject({
    data: null,
    errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    extensions: { cursor: expect.any(String) },
  });
  expect(JSON.stringify(failed)).not.toContain('filament');
  expect((await nextChange(peer)).subject).toBe('whole');
});

test('an execution that never ends holds nobody else up, and becomes an error after its deadline', async () => {
  executions.stuck.add('stuck');
  const hurried = await startLampServer(db.database, { executionDeadlineMilliseconds: 2_000 });
  const stuck = await listen('one', { filter: { severities: ['INFO'] } }, hurried);
  const other = await listen('one', { filter: { severities: ['WARNING'] } }, hurried);
  await announce('stuck', 1, 1, { severity: 'INFO' });
  await announce('lively', 1, 1, { severity: 'WARNING' });
  expect((await nextChange(other)).subject).toBe('lively');
  expect(stuck.heard.filter((message) => message.type === 'next')).toEqual([]);
  expect((await stuck.next('next')).payload!.errors![0]!.extensions.code).toBe('INTERNAL_SERVER_ERROR');
  await announce('afterwards', 1, 1, { severity: 'INFO' });
  expect((await nextChange(stuck)).subject).toBe('afterwards');
  await hurried.close();
});

test('a cursor that is none of ours is refused', async () => {
  for (const after of [
    'nonsense',
    '',
    liveCursor(-1n),
    liveCursor(10n ** 15n),
    Buffer.from('["1","2"]').toString('base64url'),
    '\u{1F600}',
  ]) {
    const peer = await SocketPeer.greeted(server.socketUrl, 'one');
    peer.subscribe('s', LIVE, { after });
    expect(codeIn(await peer.next('error'))).toBe('BAD_CURSOR');
    peer.subscribe('s', '{ __typename }');
    await peer.next('next');
  }
});

test('the acknowledgement carries a cursor, so that nothing is missed before the first event', async () => {
  const peer = await SocketPeer.open(server.socketUrl);
  peer.say({ type: 'connection_init', payload: { authorization: 'Bearer one' } });
  const { cursor } = (await peer.next('connection_ack')).payload!;
  await SocketPeer.closeAll();
  await announce('meanwhile');
  expect((await nextChange(await listen('one', { after: cursor }))).subject).toBe('meanwhile');
});

test('events of one subject are positioned by their sequence, whatever the order of their ids', async () => {
  const peer = await listen('two');
  const ids = Array.from({ length: 30 }, () => entropy.uuid()).reverse();
  for (const [index, id] of ids.entries()) {
    await db.database.transaction({ name: 'test.write', role: 'operator', clientId: 2 }, (tx) =>
      appendEvent(tx, id, lampEvent(2, 'backwards', index + 1, new Date())),
    );
  }
  while (await server.sequencer.sequence(4));
  const sequences = [];
  for (let i = 0; i < 30; i += 1) sequences.push((await nextChange(peer)).sequence);
  expect(sequences).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
});

test('a reader that reconnects again and again with its cursor hears each event once, in order', async () => {
  const other = await db.database.transaction({ name: 'test.head', role: 'ingest' }, (tx) =>
    tx.query<{ position: string }>('SELECT position FROM event_head'),
  );
  let cursor = liveCursor(other[0]!.position);
  const total = 200;
  server.sequencer.start();
  const writing = (async () => {
    for (let sequence = 1; sequence <= total; sequence += 1) await write(db.database, 2, 'counted', sequence);
  })();
  const heard: number[] = [];
  for (let portion = 1; heard.length < total; portion = (portion * 7) % 23) {
    const peer = await listen('two', { after: cursor });
    for (let i = 0; i < portion && heard.length < total; i += 1) {
      const change = await nextChange(peer);
      heard.push(change.sequence);
      cursor = change.cursor;
    }
    peer.socket.terminate();
  }
  await writing;
  await server.sequencer.stop();
  expect(heard).toEqual(Array.from({ length: total }, (_, i) => i + 1));
});

test('a replay longer than its reader is quick waits for it, and ends in live delivery', async () => {
  const cursor = await server.graphql.hub.cursorNow();
  for (let sequence = 1; sequence <= 450; sequence += 1) await write(db.database, 2, 'long', sequence);
  await server.sequencer.drain();
  const peer = await SocketPeer.greeted(server.socketUrl, 'two');
  peer.socket.pause();
  peer.subscribe('s', LIVE, { after: cursor });
  await announce('long', 451, 2);
  peer.socket.resume();
  for (let sequence = 1; sequence <= 451; sequence += 1) expect((await nextChange(peer)).sequence).toBe(sequence);
});

test('several processes with concurrent writers: every subscriber hears every event once', async () => {
  const databases =
    db.url === null
      ? [db.database, db.database, db.database]
      : await Promise.all([1, 2, 3].map(() => openDatabase({ url: db.url!, entities: [], log: testLog, poolSize: 4 })));
  const servers = await Promise.all(databases.map((database) => startLampServer(database)));
  for (const each of servers) each.sequencer.start();
  const peers = await Promise.all(
    servers.flatMap((each) => [listen('one', {}, each), listen('two', {}, each), listen('operator', {}, each)]),
  );
  const total = 60;
  await Promise.all(
    databases.flatMap((database, writer) =>
      [1, 2].map(async (clientId) => {
        for (let sequence = 1; sequence <= total; sequence += 1)
          await write(database, clientId, `writer ${writer} for ${clientId}`, sequence);
      }),
    ),
  );
  for (const [index, peer] of peers.entries()) {
    const expected = total * 3 * (index % 3 === 2 ? 2 : 1);
    const last = new Map<string, number>();
    const positions: bigint[] = [];
    for (let i = 0; i < expected; i += 1) {
      const { subject, sequence, cursor } = await nextChange(peer);
      expect([subject, sequence]).toEqual([subject, (last.get(subject) ?? 0) + 1]);
      last.set(subject, sequence);
      positions.push(livePosition(cursor));
    }
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => Number(a - b)));
  }
  for (const each of servers) await each.close();
  if (db.url !== null) for (const database of databases) await database.close();
});

(process.env['TEST_DATABASE_URL'] ? test : test.skip)('a foreign transaction that stays open holds nothing back', async () => {
  const foreign = new PostgresClient({ connectionString: db.url! });
  await foreign.connect();
  await foreign.query('BEGIN');
  await foreign.query('SELECT txid_current()');
  await foreign.query(`INSERT INTO event_pending (client_id, event_id, type, subject_id, sequence, fields, attributes, occurred_at)
    VALUES (1, gen_random_uuid(), 'ALERT_CHANGED', 'late commit', 1, '{}', '{}', now())`);
  const peer = await listen('one');
  server.sequencer.start();
  for (let i = 1; i <= 5; i += 1) {
    await write(db.database, 1, 'unhindered', i);
    expect(await nextChange(peer)).toMatchObject({ subject: 'unhindered', sequence: i });
  }
  await foreign.query('COMMIT');
  await foreign.end();
  expect((await nextChange(peer)).subject).toBe('late commit');
  await server.sequencer.stop();
});

test('events older than 7 days are dropped; a cursor before them gets one gap marker and goes on from there', async () => {
  const clock = new ManualClock(new Date());
  const later = await startLampServer(db.database, { clock });
  const old = await later.graphql.hub.cursorNow();
  await write(db.database, 1, 'old', 1);
  await later.sequencer.drain();
  await later.tail.drain();
  const edge = await later.graphql.hub.cursorNow();
  clock.advance(7 * 86_400_000 + 60_000);
  await write(db.database, 1, 'kept', 2);
  await later.sequencer.drain();
  const peer = await listen('one', { after: old }, later);
  expect(await nextChange(peer)).toMatchObject({ subject: null, cursor: edge, gap: { missedFrom: old, resumesAt: edge } });
  expect(await nextChange(peer)).toMatchObject({ subject: 'kept', gap: null });
  const exact = await listen('one', { after: edge }, later);
  expect(await nextChange(exact)).toMatchObject({ subject: 'kept', gap: null });
  await later.close();
});
