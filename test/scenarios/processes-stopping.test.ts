/** A server that is told to stop: what it has in hand it brings to an end, everyone else is sent away, and it is gone within seconds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, Agent, type ClientRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { ApiClient } from '../../src/commands/demo/api-client';
import { iccidOf, makeCustomer, OPERATOR_KEY, USAGE_HEADER } from '../faults/usage-story';
import { RunningCommand, type Environment } from '../support/command-line';
import { createTestDatabase, testServerUrl } from '../support/database';

let environment: Environment;
let remove: () => Promise<void>;
let server: RunningCommand;
let url: string;

beforeEach(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'simwarden-stopping-'));
  const database = testServerUrl === null ? null : await createTestDatabase(testServerUrl);
  environment = {
    PORT: '0',
    SIMWARDEN_OPERATOR_KEY: OPERATOR_KEY,
    SIMWARDEN_DATA_DIR: directory,
    ...(database ? { DATABASE_URL: database.url } : {}),
  };
  remove = async () => {
    rmSync(directory, { recursive: true, force: true });
    await database?.drop();
  };
  await start();
  await makeCustomer(new ApiClient(url, OPERATOR_KEY), 'Acme', 0, 10);
});
afterEach(async () => {
  server.kill('SIGKILL');
  await server.outcome;
  await remove();
});

async function start(): Promise<void> {
  server = RunningCommand.simwarden(['serve'], environment);
  url = (await server.line(/listens on (\S+)/))[1]!;
}

interface Upload {
  readonly request: ClientRequest;
  /** Status and body; or what broke. */
  readonly answer: Promise<{ status: number; body: string } | { error: string }>;
}

/** Begins to send ten records, and leaves the last one out. */
async function beginUpload(name: string): Promise<Upload> {
  const request = httpRequest(new URL('/ingest/usage', url), {
    method: 'POST',
    headers: { 'content-type': 'text/csv', authorization: `Bearer ${OPERATOR_KEY}`, 'idempotency-key': name, expect: '100-continue' },
  });
  const answer = new Promise<{ status: number; body: string } | { error: string }>((resolve) => {
    request.on('error', (error) => resolve({ error: error.message }));
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('error', (error) => resolve({ error: error.message }));
      response.on('end', () => resolve({ status: response.statusCode!, body }));
    });
  });
  request.flushHeaders();
  // the server has it in hand
  await new Promise<void>((resolve) => request.once('continue', () => resolve()));
  request.write(USAGE_HEADER + Array.from({ length: 9 }, (_, record) => rowOf(name, record)).join(''));
  return { request, answer };
}

const at = new Date(Date.now() - 3_600_000).toISOString();
function rowOf(name: string, record: number): string {
  return `${name}-${record},${iccidOf(record)},${at},${at},1,2\n`;
}

async function openSocket(): Promise<{ socket: WebSocket; closed: Promise<number> }> {
  const socket = new WebSocket(new URL('/graphql', url.replace('http', 'ws')), 'graphql-transport-ws');
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${OPERATOR_KEY}` } })));
  await new Promise<void>((resolve) => socket.once('message', () => resolve()));
  socket.send(JSON.stringify({ type: 'subscribe', id: 'alerts', payload: { query: 'subscription { alertChanged { cursor } }' } }));
  return { socket, closed };
}

test('an upload in hand is brought to its end and answered, subscribers are told to come back, and the process ends with 0', async () => {
  const { closed } = await openSocket();
  const idle = new Agent({ keepAlive: true });
  await new Promise((resolve) =>
    httpRequest(new URL('/healthz', url), { agent: idle }, (response) => response.resume().on('end', resolve)).end(),
  );
  const upload = await beginUpload('in-hand');
  server.kill('SIGTERM');
  expect(await closed).toBe(1012);
  upload.request.end(rowOf('in-hand', 9));
  expect(await upload.answer).toMatchObject({ status: 200, body: expect.stringContaining('"accepted":10') });
  // Silent: neither the subscriber nor the idle connection had to be cut off.
  expect(await server.outcome).toMatchObject({ code: 0, signal: null, stderr: '' });
  idle.destroy();

  await start();
  const all = Array.from({ length: 10 }, (_, record) => rowOf('in-hand', record)).join('');
  expect(await new ApiClient(url, OPERATOR_KEY).ingest('usage', USAGE_HEADER + all, 'after the restart')).toBe(0);
});

test('neither an upload that does not end nor a portal that does not read holds it up', async () => {
  const { socket } = await openSocket();
  socket.pause();
  const upload = await beginUpload('endless');
  server.kill('SIGTERM');
  expect(await server.outcome).toMatchObject({ code: 0, signal: null, stderr: expect.stringContaining('were cut off') });
  expect(await upload.answer).toHaveProperty('error');
  socket.terminate();
});
