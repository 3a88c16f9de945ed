/** What no client may do to the others, with or without a key: end the process, hold its sockets, or learn how it is made. */
import { connect, type Socket } from 'node:net';
import { startTestApp, type TestApp } from '../support/app';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { refuseBrokenRules } from '../support/statement-rules';

let house: TestApp;
let storage: TestDatabase;
/** Statements that were run for whoever asks how the process is. */
let healthStatements = 0;
beforeAll(async () => {
  storage = await openTestDatabase({
    onStatement: (sql, options) => {
      refuseBrokenRules(sql, options);
      if (options.name.startsWith('health.')) healthStatements += 1;
    },
  });
  house = await startTestApp({ testDatabase: storage });
});
afterAll(async () => {
  await house?.close();
  await storage?.close();
});

const upgradeTo = (path: string): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: simwarden',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: graphql-transport-ws',
    '\r\n',
  ].join('\r\n');

/** Sends bytes as they are. */
async function speak(text: string): Promise<Socket> {
  const { hostname, port } = new URL(house.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(text);
  return socket;
}

/** All that is said until the server closes. */
async function heardUntilClosed(socket: Socket): Promise<string> {
  let heard = '';
  socket.on('data', (data) => (heard += String(data)));
  await new Promise((resolve) => socket.once('close', resolve));
  return heard;
}

const alive = async (): Promise<unknown> => (await fetch(`${house.url}/healthz`)).json();

test.each(['/elsewhere', '/graphql'])('a client that asks for a WebSocket at %s and hangs up at once harms nobody', async (path) => {
  for (let round = 0; round < 50; round += 1) {
    const socket = await speak(upgradeTo(path) + 'x'.repeat(200_000));
    socket.resetAndDestroy();
    await new Promise((resolve) => socket.once('close', resolve));
  }
  expect(await alive()).toEqual({ status: 'alive' });
});

test('a socket that wanted a WebSocket elsewhere is let go, also when its client keeps it open', async () => {
  const socket = await speak(upgradeTo('/elsewhere'));
  expect(await heardUntilClosed(socket)).toContain('404 Not Found');
});

test('a body that never ends holds no socket, whatever it was sent to and whatever was answered', async () => {
  const endless = async (request: string, type: string): Promise<string> => {
    const socket = await speak(`${request} HTTP/1.1\r\nHost: simwarden\r\nContent-Type: ${type}\r\nContent-Length: 100000\r\n\r\nx`);
    const dribble = setInterval(() => socket.write('x'), 200);
    const heard = await heardUntilClosed(socket);
    clearInterval(dribble);
    return `${request} ${type}: ${heard.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)}`;
  };
  const answers = await Promise.all([
    endless('POST /graphql', 'text/plain'),
    endless('POST /graphql', 'application/json'),
    endless('POST /healthz', 'text/plain'),
    endless('GET /healthz', 'text/plain'),
    endless('POST /elsewhere', 'text/plain'),
  ]);
  expect(answers).toEqual([
    'POST /graphql text/plain: 415',
    'POST /graphql application/json: 408',
    'POST /healthz text/plain: 404',
    'GET /healthz text/plain: 200',
    'POST /elsewhere text/plain: 404',
  ]);
  expect(await alive()).toEqual({ status: 'alive' });
});

test.each(['/ingest/%ff', '/graphiql/%ff', '/%', '/graphql/%E0%A4%A'])(
  'a path that is no text (%s) gets JSON and no stack',
  async (path) => {
    const text = await heardUntilClosed(await speak(`POST ${path} HTTP/1.1\r\nHost: simwarden\r\nConnection: close\r\n\r\n`));
    expect(text).toMatch(/^HTTP\/1.1 4\d\d /);
    expect(text).toContain('application/json');
    expect(text).not.toMatch(/node_modules|at \w+ \(/);
  },
);

test('asking 200 times how the process is asks the database a few times', async () => {
  const asked = Array.from({ length: 100 }, () => [fetch(`${house.url}/readyz`), fetch(`${house.url}/metrics`)]).flat();
  const answers = await Promise.all(asked);
  expect(answers.every((answer) => answer.status === 200)).toBe(true);
  expect(await answers[1]!.text()).toContain('simwarden_outbox_backlog 0');
  await Promise.all(answers.filter((answer) => !answer.bodyUsed).map((answer) => answer.text()));
  expect(healthStatements).toBeLessThan(40);
});
