/** POST /ingest/{kind} as a sender meets it over the network. */
import express, { type Request } from 'express';
import { request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Role } from '../../../src/graphql/caller';
import { SystemEntropy } from '../../../src/runtime';
import { ingestRouter } from '../../../src/telemetry';
import type { IngestHttpParts } from '../../../src/telemetry/http';
import { testLog } from '../../support/database';
import {
  callerOf,
  digestOf,
  forgetTelemetry,
  openHouse,
  operator,
  registerSims,
  usageFile,
  USAGE_HEADER,
  usageLine,
  type House,
} from './house';

let house: House;
let server: Server;
let url: string;

const callers: Record<string, ReturnType<typeof callerOf>> = { 'Bearer operator': operator };

beforeAll(async () => {
  house = await openHouse(200);
  const acme = await registerSims(house, 'Acme', 'meters', 1, 30);
  callers['Bearer acme'] = callerOf(Role.INGEST, acme, 'acme-key');
  callers['Bearer viewer'] = callerOf(Role.CLIENT_VIEWER, acme, 'viewer-key');
  server = await serve();
  url = urlOf(server);
});
afterAll(async () => {
  await stop(server);
  await house.close();
});
beforeEach(() => forgetTelemetry(house));

async function serve(limits: Pick<IngestHttpParts, 'pace' | 'ingestsPerCredential'> = {}): Promise<Server> {
  const authenticate = (request: Request) => Promise.resolve(callers[request.headers.authorization ?? ''] ?? null);
  const app = express();
  app.use(ingestRouter({ ingest: house.ingest, log: testLog, entropy: new SystemEntropy(), authenticate, ...limits }));
  const listening = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => listening.once('listening', resolve));
  return listening;
}

const urlOf = (listening: Server): string => `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;

async function stop(listening: Server): Promise<void> {
  listening.closeAllConnections();
  await new Promise((resolve) => listening.close(resolve));
}

function post(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: { authorization: 'Bearer operator', 'content-type': 'text/csv', ...headers },
  });
}

test('a file is answered with its counts, and its repeat with the same', async () => {
  const headers = { 'idempotency-key': 'day-1', 'simwarden-source': 'hub' };
  const first = await post('/ingest/usage', usageFile(0, 500, 30), headers);
  expect(first.status).toBe(200);
  const answer: unknown = await first.json();
  expect(answer).toEqual({ batchId: 'day-1', accepted: 500, duplicates: 0, rejected: 0, errors: [] });
  expect(await (await post('/ingest/usage', usageFile(0, 500, 30), headers)).json()).toEqual(answer);
});

test.each([
  ['no credential', '/ingest/usage', { authorization: '' }, 401, 'UNAUTHENTICATED'],
  ['a role that may not ingest', '/ingest/usage', { authorization: 'Bearer viewer' }, 403, 'FORBIDDEN'],
  ['an inventory by a customer', '/ingest/sims', { authorization: 'Bearer acme' }, 403, 'FORBIDDEN'],
  ['a kind that is not', '/ingest/constructor', {}, 400, 'BAD_REQUEST'],
  ['another content type', '/ingest/usage', { 'content-type': 'application/json' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['another charset', '/ingest/usage', { 'content-type': 'text/csv; charset=utf-16' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['another encoding', '/ingest/usage', { 'content-encoding': 'br' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['a key that is too long', '/ingest/usage', { 'idempotency-key': 'k'.repeat(129) }, 400, 'BAD_REQUEST'],
  ['a source beyond ASCII', '/ingest/usage', { 'simwarden-source': 'h\u00fcb' }, 400, 'BAD_REQUEST'],
])('%s is refused as JSON', async (_, path, headers, status, code) => {
  const response = await post(path, usageFile(0, 3, 30), headers);
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ error: { code, message: expect.any(String) } });
});

test('another method is refused as JSON', async () => {
  const response = await fetch(`${url}/ingest/usage`);
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('POST');
  expect(await response.json()).toMatchObject({ error: { code: 'METHOD_NOT_ALLOWED' } });
});

test('a wrong header is refused before the body is read', async () => {
  const response = await post('/ingest/usage', `nonsense\n${usageFile(0, 20_000, 30)}`);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: 'HEADER_INVALID' } });
});

test('a truncated gzip body is answered with what is stored', async () => {
  const body = gzipSync(usageFile(0, 1000, 30));
  const response = await post('/ingest/usage', body.subarray(0, Math.floor(body.length * 0.7)), {
    'content-encoding': 'gzip',
    'idempotency-key': 'cut',
  });
  expect(response.status).toBe(400);
  const answer = (await response.json()) as { error: unknown; accepted: number };
  expect(answer.error).toMatchObject({ code: 'TRUNCATED' });
  expect(answer.accepted).toBeGreaterThan(0);
  expect(answer.accepted % 200).toBe(0);
});

test('other content under the same key is a conflict', async () => {
  await post('/ingest/usage', usageFile(0, 100, 30), { 'idempotency-key': 'same' });
  const response = await post('/ingest/usage', usageFile(50, 150, 30), { 'idempotency-key': 'same' });
  expect(response.status).toBe(409);
  expect(await response.json()).toMatchObject({ error: { code: 'BATCH_CONFLICT' }, accepted: 0 });
});

function openUpload(key: string, to = url): ReturnType<typeof httpRequest> {
  const upload = httpRequest(`${to}/ingest/usage`, {
    method: 'POST',
    headers: { authorization: 'Bearer operator', 'content-type': 'text/csv', 'idempotency-key': key, 'simwarden-source': 'hub' },
  });
  upload.on('error', () => undefined);
  return upload;
}

test('a body that trickles is given up with an answer', async () => {
  const strict = await serve({ pace: { bytes: 1000, windowMilliseconds: 150 } });
  const upload = openUpload('slow', urlOf(strict));
  upload.write(USAGE_HEADER);
  const response = await new Promise<import('node:http').IncomingMessage>((resolve) => upload.once('response', resolve));
  expect(response.statusCode).toBe(408);
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  expect(JSON.parse(Buffer.concat(pieces).toString())).toMatchObject({ error: { code: 'BODY_TIMEOUT' } });
  upload.destroy();
  await stop(strict);
});

test('a credential has so many uploads open and no more; another one is told to come again, and may once one has ended', async () => {
  const strict = await serve({ ingestsPerCredential: 1 });
  const upload = openUpload('open', urlOf(strict));
  upload.write(usageFile(0, 300, 30));
  await untilStored(200);
  const send = (key: string) =>
    fetch(`${urlOf(strict)}/ingest/usage`, {
      method: 'POST',
      body: usageFile(300, 310, 30),
      headers: { authorization: `Bearer ${key}`, 'content-type': 'text/csv' },
    });
  const refused = await send('operator');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
  expect(await refused.json()).toEqual({ error: { code: 'TOO_MANY_INGESTS', message: expect.stringContaining('at most 1') } });
  expect((await send('acme')).status).toBe(200);
  const answered = new Promise((resolve) => upload.once('response', (response) => response.resume().once('end', resolve)));
  upload.end();
  await answered;
  expect((await send('operator')).status).toBe(200);
  await stop(strict);
});

test('an upload that is cut off in the middle ends as the whole file when it is sent again', async () => {
  const headers = { 'idempotency-key': 'resumed', 'simwarden-source': 'hub' };
  const whole = usageFile(0, 1000, 30);
  await post('/ingest/usage', whole, headers);
  const expected = await digestOf(house);
  await forgetTelemetry(house);
  const upload = openUpload('resumed');
  const closed = new Promise((resolve) => server.once('connection', (socket) => socket.once('close', resolve)));
  upload.write(whole.slice(0, whole.length * 0.66));
  await untilStored(400);
  upload.destroy();
  await closed;
  const again = await post('/ingest/usage', whole, headers);
  expect(await again.json()).toMatchObject({ accepted: 1000 });
  expect(await digestOf(house)).toBe(expected);
});

/** Waits until that many rows are committed: the only sign that an unanswered upload gives. */
async function untilStored(rows: number): Promise<void> {
  for (;;) {
    const [stored] = await house.database.transaction({ name: 'test', role: 'operator' }, (tx) =>
      tx.query<{ n: number }>('SELECT count(*)::int4 AS n FROM usage_record'),
    );
    if (stored!.n >= rows) return;
  }
}

test('four parallel senders of shuffled batches, each sent twice, end in the state of one', async () => {
  const lines = Array.from({ length: 1200 }, (_, n) => usageLine(n, 45));
  await post('/ingest/usage', USAGE_HEADER + lines.join(''), { 'simwarden-source': 'hub' });
  const expected = await digestOf(house);
  await forgetTelemetry(house);
  const shuffled = lines
    .map((line, i) => ({ line, at: (i * 7919) % 1201 }))
    .sort((a, b) => a.at - b.at)
    .map(({ line }) => line);
  const batches: string[] = [];
  for (let i = 0; i < shuffled.length; i += 70) batches.push(USAGE_HEADER + shuffled.slice(i, i + 90).join(''));
  const sender = async (first: number): Promise<void> => {
    for (let i = first; i < batches.length; i += 2) {
      const response = await post('/ingest/usage', batches[i]!, { 'simwarden-source': 'hub' });
      expect(response.status).toBe(200);
    }
  };
  await Promise.all([sender(0), sender(1), sender(0), sender(1)]);
  expect(await digestOf(house)).toBe(expected);
});
