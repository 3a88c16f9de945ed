/** The graphql-transport-ws protocol, its limits, and the ends of a conversation. */
import { once } from 'node:events';
import { Role, type Caller } from '../../../src/graphql/caller';
import { SystemEntropy } from '../../../src/runtime';
import { appendEvent } from '../../../src/graphql/live';
import { openTestDatabase, type TestDatabase } from '../../support/database';
import { callerNamed, lampEvent, seedClients, startLampServer, type LampServer } from './lamp-server';
import { codeIn, SocketPeer } from './socket-peer';

let db: TestDatabase;
let server: LampServer;
const entropy = new SystemEntropy();
const LIVE = 'subscription { lampChanged { subject sequence } }';

beforeAll(async () => {
  db = await openTestDatabase();
  await seedClients(db.database);
  server = await startLampServer(db.database, { initMilliseconds: 60_000 });
});
afterEach(() => SocketPeer.closeAll());
afterAll(async () => {
  await server?.close();
  await db?.close();
});

async function announce(subject: string, sequence = 1, clientId = 1): Promise<void> {
  await db.database.transaction({ name: 'test.announce', role: 'operator', clientId }, (tx) =>
    appendEvent(tx, entropy.uuid(), lampEvent(clientId, subject, sequence, new Date())),
  );
  await server.sequencer.drain();
}

/** Resolves once a subscription is live: the server has answered something that was asked after it. */
async function settled(peer: SocketPeer): Promise<void> {
  peer.say({ type: 'ping', payload: { settle: 1 } });
  while ((await peer.next()).type !== 'pong');
}

describe('the protocol', () => {
  test('an acknowledged client may query, mutate and subscribe over one socket', async () => {
    const peer = await SocketPeer.greeted(server.socketUrl, 'one');
    peer.subscribe('q', '{ session }');
    expect(await peer.next('next')).toMatchObject({
      id: 'q',
      payload: { data: { session: 'simwarden_tenant 1 read-only=on' }, extensions: { cost: 0 } },
    });
    expect(await peer.next('complete')).toMatchObject({ id: 'q' });
    peer.subscribe('m', 'mutation { announce(input: { subject: "over the socket", sequence: 7 }) }');
    expect(await peer.next('next')).toMatchObject({ id: 'm', payload: { data: { announce: expect.any(Number) } } });
    await peer.next('complete');
    peer.subscribe('s', LIVE);
    await settled(peer);
    await announce('lamp 1');
    expect(await peer.next('next')).toMatchObject({ id: 's', payload: { data: { lampChanged: { subject: expect.any(String) } } } });
    peer.socket.close();
  });

  test('pings are answered with their payload', async () => {
    const peer = await SocketPeer.open(server.socketUrl);
    peer.say({ type: 'ping', payload: { a: 1 } });
    expect(await peer.next('pong')).toEqual({ type: 'pong', payload: { a: 1 } });
    peer.say({ type: 'pong' });
    peer.socket.close();
  });

  test.each([
    ['no JSON', '{', 4400],
    ['a message without type', {}, 4400],
    ['an unknown type', { type: 'start' }, 4400],
    ['an array', [], 4400],
    ['a subscribe without id', { type: 'subscribe', payload: { query: '{ __typename }' } }, 4400],
    ['a subscribe without query', { type: 'subscribe', id: 'a', payload: {} }, 4400],
    ['variables that are a list', { type: 'subscribe', id: 'a', payload: { query: '{ __typename }', variables: [] } }, 4400],
    ['a subscribe before the acknowledgement', { type: 'subscribe', id: 'a', payload: { query: '{ __typename }' } }, 4401],
    ['a wrong key', { type: 'connection_init', payload: { authorization: 'Bearer stolen' } }, 4403],
    ['no key', { type: 'connection_init' }, 4403],
  ])('%s closes the socket with its code', async (_name, message, code) => {
    const peer = await SocketPeer.open(server.socketUrl);
    peer.say(message);
    expect((await peer.closed).code).toBe(code);
  });

  test('a binary message closes with 4400', async () => {
    const peer = await SocketPeer.open(server.socketUrl);
    peer.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
    expect((await peer.closed).code).toBe(4400);
  });

  test('a client that does not initialise within the time is closed with 4408', async () => {
    const hurried = await startLampServer(db.database, { initMilliseconds: 300 });
    expect((await (await SocketPeer.open(hurried.socketUrl)).closed).code).toBe(4408);
    await hurried.close();
  });

  test('a client that did initialise is not closed for the time that the server needs to know it', async () => {
    let know: (caller: Caller) => void = () => undefined;
    const authenticate = (): Promise<Caller> => new Promise((resolve) => (know = resolve));
    const busy = await startLampServer(db.database, { initMilliseconds: 1_000, authenticate });
    try {
      const peer = await SocketPeer.open(busy.socketUrl);
      peer.say({ type: 'connection_init', payload: { authorization: 'Bearer one' } });
      // One that came later and says nothing is closed: so the first one's time is over, too.
      expect((await (await SocketPeer.open(busy.socketUrl)).closed).code).toBe(4408);
      know(callerNamed('one', 1, Role.CLIENT_ADMIN));
      expect((await peer.next()).type).toBe('connection_ack');
    } finally {
      await SocketPeer.closeAll();
      await busy.close();
    }
  });

  test('a second initialisation closes with 4429, before and after the acknowledgement', async () => {
    const early = await SocketPeer.open(server.socketUrl);
    early.say({ type: 'connection_init', payload: { authorization: 'Bearer one' } });
    early.say({ type: 'connection_init', payload: { authorization: 'Bearer one' } });
    expect((await early.closed).code).toBe(4429);
    const late = await SocketPeer.greeted(server.socketUrl, 'one');
    late.say({ type: 'connection_init' });
    expect((await late.closed).code).toBe(4429);
  });

  test('an id in use closes with 4409; a completed one may be used again', async () => {
    const peer = await SocketPeer.greeted(server.socketUrl, 'one');
    peer.subscribe('a', LIVE);
    peer.say({ type: 'complete', id: 'a' });
    peer.subscribe('a', LIVE);
    await settled(peer);
    peer.subscribe('a', '{ __typename }');
    expect(await peer.closed).toEqual({ code: 4409, reason: 'Subscriber for a already exists' });
  });

  test('no subprotocol closes with 4406, another one or another path fails the handshake', async () => {
    expect((await (await SocketPeer.open(server.socketUrl, [])).closed).code).toBe(4406);
    await expect(SocketPeer.open(server.socketUrl, ['graphql-ws'])).rejects.toThrow();
    await expect(SocketPeer.open(server.socketUrl.replace('/graphql', '/elsewhere'))).rejects.toThrow();
    expect((await SocketPeer.greeted(server.socketUrl, 'one')).socket.readyState).toBe(1);
  });

  test('a completed subscription hears nothing more', async () => {
    const peer = await SocketPeer.greeted(server.socketUrl, 'one');
    peer.subscribe('a', LIVE);
    await settled(peer);
    peer.say({ type: 'complete', id: 'a' });
    peer.subscribe('b', LIVE);
    await settled(peer);
    await announce('after complete');
    expect(await peer.next('next')).toMatchObject({ id: 'b' });
    expect(peer.heard.filter((message) => message.id === 'a')).toEqual([]);
    peer.socket.close();
  });

  test('the graphql-ws client works with it as with any server', async () => {
    const client = server.client('one');
    const heard = client.iterate({ query: LIVE });
    const first = heard.next();
    await announce('for graphql-ws');
    // Subscribing and announcing race: announce until it hears.
    let done = false;
    void first.then(() => (done = true));
    for (let sequence = 2; !done; sequence += 1) await announce('for graphql-ws', sequence);
    expect((await first).value).toMatchObject({ data: { lampChanged: { subject: 'for graphql-ws' } } });
    await heard.return!();
    expect((await client.iterate({ query: '{ __typename }' }).next()).value).toMatchObject({ data: { __typename: 'Query' } });
  });
});

describe('limits', () => {
  const nested = `{ lamps { nodes { ${'behind { '.repeat(20)} name ${'}'.repeat(20)} } } }`;

  test('a query nested 20 deep is refused in milliseconds, live or not', async () => {
    const peer = await SocketPeer.greeted(server.socketUrl, 'one');
    const started = performance.now();
    peer.subscribe('a', nested);
    expect(await peer.next('error')).toMatchObject({ id: 'a', payload: [{ extensions: { code: 'QUERY_TOO_DEEP' } }] });
    peer.subscribe('b', `subscription { lampChanged { ${Array.from({ length: 60 }, (_, i) => `a${i}: cursor`).join(' ')} } }`);
    expect(await peer.next('error')).toMatchObject({ id: 'b', payload: [{ extensions: { code: 'QUERY_TOO_LARGE' } }] });
    peer.subscribe('c', `{ ${'x '.repeat(2500)} }`);
    expect(await peer.next('error')).toMatchObject({ payload: [{ extensions: { code: 'GRAPHQL_PARSE_FAILED' } }] });
    peer.subscribe('d', `{ ${Array.from({ length: 30 }, (_, i) => `l${i}: lamps(first: 100) { nodes { behind { name } } }`).join(' ')} }`);
    expect(await peer.next('error')).toMatchObject({ payload: [{ extensions: { code: 'QUERY_TOO_COSTLY' } }] });
    expect(performance.now() - started).toBeLessThan(2_000);
    peer.socket.close();
  });

  test('errors are the same as over HTTP', async () => {
    const peer = await SocketPeer.greeted(server.socketUrl, 'one-viewer');
    const cases: [string, string][] = [
      ['mutation { announce(input: { subject: "a", sequence: 1 }) }', 'FORBIDDEN'],
      ['{ sesion }', 'GRAPHQL_VALIDATION_FAILED'],
      ['{', 'GRAPHQL_PARSE_FAILED'],
      ['query ($x: DateTime!) { echo(at: $x) }', 'BAD_USER_INPUT'],
      ['{ echo(plain: "\\u0000") }', 'BAD_USER_INPUT'],
    ];
    for (const [query, code] of cases) {
      peer.subscribe('x', query);
      expect([query, codeIn(await peer.next('error'))]).toEqual([query, code]);
      expect((await server.post(query, { key: 'one-viewer' })).body.errors?.[0]?.extensions.code).toBe(code);
    }
    peer.subscribe('x', '{ fail(how: "crash") }');
    const answer = await peer.next('next');
    expect(JSON.stringify(answer)).not.toMatch(/hunter2/);
    expect(answer.payload?.errors?.[0]?.extensions.code).toBe('INTERNAL_SERVER_ERROR');
    peer.socket.close();
  });

  test('the 101st operation of a socket is refused, the others go on', async () => {
    const peer = await SocketPeer.greeted(server.socketUrl, 'one');
    for (let i = 0; i <= 100; i += 1) peer.subscribe(`s${i}`, LIVE);
    expect(await peer.next('error')).toMatchObject({ id: 's100', payload: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }] });
    peer.say({ type: 'complete', id: 's0' });
    peer.subscribe('s100', LIVE);
    await settled(peer);
    await announce('to a hundred');
    const heard = new Set<string>();
    while (heard.size < 100) heard.add((await peer.next('next')).id!);
    expect(heard.has('s0')).toBe(false);
    peer.socket.close();
  });

  test('a subscription that would be kept with 64,000 characters is refused', async () => {
    const peer = await SocketPeer.greeted(server.socketUrl, 'one');
    peer.subscribe('long', `${LIVE} # ${'x'.repeat(70_000)}`);
    expect(codeIn(await peer.next('error'))).toBe('QUERY_TOO_LARGE');
    peer.subscribe('wide', 'subscription ($s: [String!]) { lampChanged(filter: { severities: $s }) { subject } }', {
      s: Array.from({ length: 10_000 }, (_, i) => `severity ${i}`),
    });
    expect(codeIn(await peer.next('error'))).toBe('QUERY_TOO_LARGE');
    peer.subscribe('fits', LIVE);
    await settled(peer);
    peer.socket.close();
  });

  test('subscriptions count against the rate of the credential, as queries do', async () => {
    const strict = await startLampServer(db.database, { requestsPerMinute: 3 });
    const peer = await SocketPeer.greeted(strict.socketUrl, 'one');
    for (let i = 0; i < 3; i += 1) {
      peer.subscribe(`s${i}`, LIVE);
      peer.say({ type: 'complete', id: `s${i}` });
    }
    peer.subscribe('one too many', LIVE);
    const refused = await peer.next('error');
    expect([refused.id, codeIn(refused)]).toEqual(['one too many', 'RATE_LIMITED']);
    await strict.close();
  });

  test('a credential holds so many sockets and no more; closing one makes room, and others are not concerned', async () => {
    const strict = await startLampServer(db.database, { socketsPerCredential: 2 });
    const first = await SocketPeer.greeted(strict.socketUrl, 'one');
    await SocketPeer.greeted(strict.socketUrl, 'one');
    const third = await SocketPeer.open(strict.socketUrl);
    third.say({ type: 'connection_init', payload: { authorization: 'Bearer one' } });
    expect(await third.closed).toEqual({ code: 4429, reason: 'Too many sockets: at most 2 of one credential' });
    await SocketPeer.greeted(strict.socketUrl, 'two');
    first.socket.close();
    await first.closed;
    await settled(await SocketPeer.greeted(strict.socketUrl, 'one'));
    await strict.close();
  });

  test('more than 200 messages a second close with 4429', async () => {
    const peer = await SocketPeer.greeted(server.socketUrl, 'one');
    for (let i = 0; i < 2_000; i += 1) peer.say({ type: 'ping' });
    expect((await peer.closed).code).toBe(4429);
    expect(peer.heard.filter((message) => message.type === 'pong').length).toBeLessThan(2_000);
  });

  test('a message over 256 KB closes with 1009 and harms nobody else', async () => {
    const other = await SocketPeer.greeted(server.socketUrl, 'one');
    const peer = await SocketPeer.greeted(server.socketUrl, 'one');
    peer.say(JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(300_000) } }));
    expect((await peer.closed).code).toBe(1009);
    await settled(other);
    other.socket.close();
  });

  test('a socket that does not read is closed, with 1013, when 1 MB waits for it; others get everything', async () => {
    await waitUntilServerHasOnly(0);
    const slow = await SocketPeer.greeted(server.socketUrl, 'one');
    slow.subscribe('s', 'query ($t: String) { echo(plain: $t) }', { t: 'x'.repeat(200_000) });
    await slow.next('next');
    await slow.next('complete');
    slow.socket.pause();
    for (let i = 0; i < 150; i += 1) slow.subscribe(`q${i}`, 'query ($t: String) { echo(plain: $t) }', { t: 'x'.repeat(200_000) });
    const quick = await SocketPeer.greeted(server.socketUrl, 'one');
    await settled(quick);
    await waitUntilServerHasOnly(1);
    slow.socket.resume();
    expect((await slow.closed).code).toBe(1013);
    await settled(quick);
    quick.socket.close();
  });
});

/** Until the server has no more than so many sockets that it still sends to. */
async function waitUntilServerHasOnly(count: number): Promise<void> {
  for (;;) {
    const open = server.openSocketCount();
    if (open <= count) return;
    await once(server.http, 'connection', { signal: AbortSignal.timeout(20) }).catch(() => undefined);
  }
}

describe('the end of a credential', () => {
  test('a socket closes with 4403 when its credential expires', async () => {
    server.callers.set('brief', callerNamed('brief', 1, Role.CLIENT_VIEWER, { expiresAt: new Date(Date.now() + 2_000) }));
    const peer = await SocketPeer.greeted(server.socketUrl, 'brief');
    peer.subscribe('s', LIVE);
    expect(await peer.closed).toEqual({ code: 4403, reason: 'The credential has expired' });
    expect((await (await closedAtOnce('brief')).closed).code).toBe(4403);
  });

  test('a socket closes with 4403 when its credential is revoked, and only that one', async () => {
    const revoked = await SocketPeer.greeted(server.socketUrl, 'one-viewer');
    const other = await SocketPeer.greeted(server.socketUrl, 'one');
    server.revoke('one-viewer');
    expect(await revoked.closed).toEqual({ code: 4403, reason: 'The credential was revoked' });
    await settled(other);
    other.socket.close();
  });

  async function closedAtOnce(key: string): Promise<SocketPeer> {
    const peer = await SocketPeer.open(server.socketUrl);
    peer.say({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
    return peer;
  }
});

test('a server that stops closes its sockets with 1012', async () => {
  const stopping = await startLampServer(db.database);
  const peer = await SocketPeer.greeted(stopping.socketUrl, 'one');
  peer.subscribe('s', LIVE);
  await settled(peer);
  await stopping.close();
  expect((await peer.closed).code).toBe(1012);
});
