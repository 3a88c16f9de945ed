/** Files as they really come: wrong, cut, too long, half of it good. Each gets a clear answer, and bad rows never cost good ones. */
import { once } from 'node:events';
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { OPERATOR_KEY, startTestApp, type TestApp } from '../support/app';
import { contentOf, type Content } from './order-content';

const NOW = new Date('2026-11-15T00:00:00Z');
const SIMS = ['8988307000000000012', '8988307000000000020', '8988307000000000038'] as const;
const FOREIGN = '8988307000000000046';
const MISSING = '8988307000000000053';
const HEADER = 'record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes,destination';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly batchId?: string;
  readonly accepted?: number;
  readonly duplicates?: number;
  readonly rejected?: number;
  readonly errors?: readonly { readonly line: number; readonly code: string; readonly message: string }[];
  readonly error?: { readonly code: string; readonly message: string };
}

interface Sending {
  readonly kind?: string;
  readonly key?: string;
  readonly headers?: Record<string, string>;
}

let house: TestApp;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

async function openHouse(): Promise<TestApp> {
  const opened = await startTestApp({ now: NOW, workers: false, config: { chunkRows: 200 } });
  const sims = [
    ...SIMS.map((iccid) => `${iccid},River Research,Mississippi,river-sensor-2`),
    `${FOREIGN},Volta Charging,City chargers,charger-x7`,
  ];
  await opened.operator.ingest('sims', `iccid,client,fleet,family\n${sims.join('\n')}\n`, 'sims');
  return opened;
}

function opening({ kind = 'usage', key = OPERATOR_KEY, headers = {} }: Sending, to = house): ClientRequest {
  return httpRequest(new URL(`/ingest/${kind}`, to.url), {
    method: 'POST',
    headers: { 'content-type': 'text/csv', authorization: `Bearer ${key}`, 'simwarden-source': 'platform', ...headers },
  });
}

async function answerOf(request: ClientRequest): Promise<Answer> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const answer = JSON.parse(Buffer.concat(parts).toString('utf8')) as Answer;
  return { ...answer, status: response.statusCode!, type: String(response.headers['content-type']) };
}

function send(body: string | Buffer, sending: Sending = {}, to = house): Promise<Answer> {
  const request = opening(sending, to);
  request.on('error', () => undefined); // a refused body is cut off after the answer
  request.end(body);
  return answerOf(request);
}

/** Row `number` of a good file. */
function row(number: number, changes: Record<string, string> = {}): string {
  const started = Date.parse('2026-11-10T00:00:00Z') + (number % 96) * 3_600_000;
  const good: Record<string, string> = {
    record_id: `r${number}`,
    iccid: SIMS[number % SIMS.length]!,
    started_at: new Date(started).toISOString(),
    ended_at: new Date(started + 3_600_000).toISOString(),
    uplink_bytes: String(1_000 + number),
    downlink_bytes: '7',
    destination: 'levels.river.example',
  };
  return HEADER.split(',')
    .map((column) => changes[column] ?? good[column]!)
    .join(',');
}

const file = (rows: readonly string[]) => `${[HEADER, ...rows].join('\n')}\n`;
const goodRows = (count: number, from = 0) => Array.from({ length: count }, (_, index) => row(from + index));

/** What is stored, whoever stored it. */
async function stored(of = house): Promise<Pick<Content, string>> {
  const { usage_record, usage_sim_hour, usage_sim_day, usage_fleet_hour, usage_client_hour, sim_presence, quarantine } = await contentOf(
    of.app.database,
  );
  return { usage_record, usage_sim_hour, usage_sim_day, usage_fleet_hour, usage_client_hour, sim_presence, quarantine } as Content;
}

/** Runs it, and looks whether anything is stored that wasn't. */
async function expectNothingStored(work: () => Promise<void>): Promise<void> {
  const before = await stored();
  await work();
  expect(await stored()).toEqual(before);
}

/** For what must start with nothing. */
async function inFreshHouse<Result>(work: (fresh: TestApp) => Promise<Result>): Promise<Result> {
  const fresh = await openHouse();
  try {
    return await work(fresh);
  } finally {
    await fresh.close();
  }
}

describe('a file whose header is wrong', () => {
  test.each([
    ['a column nobody knows', `${HEADER},colour`, 'column "colour" is unknown'],
    ['a column with a typing error', HEADER.replace('iccid', 'icccid'), 'column "icccid" is unknown'],
    ['no ICCID', HEADER.replace(',iccid', ''), 'column "iccid" is missing'],
    ['a column twice', `${HEADER},iccid`, 'column "iccid" is there twice'],
    ["another kind's columns", 'event_id,iccid,type,occurred_at', 'is unknown'],
    ['semicolons', HEADER.replaceAll(',', ';'), 'is unknown'],
    ['no header at all', row(0), 'is unknown'],
    ['100,000 columns', Array.from({ length: 100_000 }, (_, i) => `c${i}`).join(','), 'longer than'],
    ['NUL bytes', 'record_id\0,iccid', 'is unknown'],
    ['bytes that are not UTF-8', Buffer.from([0x72, 0xff, 0xfe, 0x2c]).toString('latin1'), ''],
  ])('(%s) is refused as a whole: nothing is stored', async (_, header, says) => {
    await expectNothingStored(async () => {
      const answer = await send(`${header}\n${goodRows(5).join('\n')}\n`);
      expect(answer).toMatchObject({ status: 400, error: { code: 'HEADER_INVALID' } });
      expect(answer.error!.message).toContain(says);
      expect(answer.error!.message).toContain('Expected these columns');
      expect(answer.type).toMatch(/^application\/json/);
    });
  });

  test('(nothing in it) is refused, gzip or not; a header alone is an empty batch', async () => {
    await expectNothingStored(async () => {
      for (const body of ['', '\n\n\n']) expect(await send(body)).toMatchObject({ status: 400, error: { code: 'HEADER_INVALID' } });
      expect(await send(gzipSync(''), { headers: { 'content-encoding': 'gzip' } })).toMatchObject({
        status: 400,
        error: { code: 'HEADER_INVALID' },
      });
      expect(await send(`${HEADER}\n`)).toMatchObject({ status: 200, accepted: 0, rejected: 0 });
      expect(await send(HEADER)).toMatchObject({ status: 200, accepted: 0, rejected: 0 });
      expect(await send('', { headers: { 'content-type': 'application/x-ndjson' } })).toMatchObject({ status: 200, accepted: 0 });
    });
  });
});

describe('a bad row', () => {
  const bad: readonly [what: string, row: string, code: string][] = [
    ['starts at infinity', row(1, { started_at: 'infinity' }), 'FIELD_INVALID'],
    ['ends at minus infinity', row(1, { ended_at: '-infinity' }), 'FIELD_INVALID'],
    ['is of the year 10000', row(1, { ended_at: '10000-01-01T00:00:00Z' }), 'FIELD_INVALID'],
    ['is of the year 10000, in epoch milliseconds', row(1, { ended_at: '253402300800000' }), 'FIELD_INVALID'],
    ['has a second 60', row(1, { ended_at: '2026-11-10T23:59:60Z' }), 'FIELD_INVALID'],
    ['is of 30 February', row(1, { ended_at: '2026-02-30T00:00:00Z' }), 'FIELD_INVALID'],
    ['names no time zone', row(1, { ended_at: '2026-11-10T02:00:00' }), 'FIELD_INVALID'],
    ['is of tomorrow', row(1, { ended_at: '2026-11-16T00:00:00Z' }), 'TIME_IN_FUTURE'],
    ['is of 1970', row(1, { started_at: '0', ended_at: '1000' }), 'TIME_TOO_OLD'],
    ['ends before it starts', row(1, { ended_at: '2026-11-09T00:00:00Z' }), 'PERIOD_NEGATIVE'],
    ['covers 32 days', row(1, { started_at: '2026-10-10T00:00:00Z', ended_at: '2026-11-11T00:00:00Z' }), 'PERIOD_TOO_LONG'],
    ['holds NUL bytes', row(1, { destination: 'a\0b' }), 'FIELD_INVALID'],
    ['is NUL bytes', '\0'.repeat(200), 'FIELD_COUNT'],
    ['uses less than nothing', row(1, { uplink_bytes: '-1' }), 'FIELD_INVALID'],
    ['uses more than there is', row(1, { uplink_bytes: '9'.repeat(400) }), 'FIELD_INVALID'],
    ['counts in floating point', row(1, { uplink_bytes: '1e999' }), 'FIELD_INVALID'],
    ['counts NaN', row(1, { uplink_bytes: 'NaN' }), 'FIELD_INVALID'],
    ['has no ICCID', row(1, { iccid: '' }), 'FIELD_MISSING'],
    ['has an ICCID of letters', row(1, { iccid: 'eight-nine' }), 'FIELD_INVALID'],
    ['has a field too many', `${row(1)},x`, 'FIELD_COUNT'],
    ['has 20,000 fields', Array(20_000).fill('1').join(','), 'FIELD_COUNT'],
    ['is empty but for commas', ',,,,,,', 'FIELD_MISSING'],
    ['never closes its quote', `"${row(1)}`, 'FIELD_INVALID'],
    ['is 70,000 characters long', row(1, { destination: 'x'.repeat(70_000) }), 'LINE_TOO_LONG'],
    ['is of a SIM that nobody knows', row(1, { iccid: MISSING }), 'UNKNOWN_SIM'],
  ];

  test.each(bad)('that %s is named with its line, and costs no good one', async (what, badRow, code) => {
    const before = await stored();
    const answer = await send(file([...goodRows(3, 10), badRow, ...goodRows(3, 20)]), { headers: { 'simwarden-source': what } });
    expect(answer).toMatchObject({ status: 200, accepted: 6, rejected: 1, errors: [{ line: 5, code }] });
    expect(answer.errors![0]!.message.length).toBeGreaterThan(20);
    const after = await stored();
    expect(after['usage_record']).toHaveLength(before['usage_record']!.length + 6);
    expect(after['quarantine']).toHaveLength(before['quarantine']!.length + 1);
  });

  test('in each thousand is quarantined with its reason; the others are stored', async () => {
    await inFreshHouse(async (fresh) => {
      const rows = goodRows(3_000).map((good, index) => (index % 1_000 === 500 ? row(index, { started_at: 'infinity' }) : good));
      const answer = await send(file(rows), {}, fresh);
      expect(answer).toMatchObject({ status: 200, accepted: 2_997, rejected: 3 });
      expect(answer.errors).toEqual([502, 1_502, 2_502].map((line) => expect.objectContaining({ line, code: 'FIELD_INVALID' })));
      const { usage_record, quarantine } = await stored(fresh);
      expect([usage_record!.length, quarantine!.length]).toEqual([2_997, 3]);
      expect(await send(file(rows), {}, fresh)).toMatchObject({ status: 200, accepted: 2_997, rejected: 3 });
      expect((await stored(fresh))['quarantine']).toHaveLength(3);
    });
  });

  test('as NDJSON is named as well', async () => {
    const good = {
      iccid: SIMS[0],
      started_at: '2026-11-10T00:00:00Z',
      ended_at: '2026-11-10T01:00:00Z',
      uplink_bytes: 1,
      downlink_bytes: 2,
    };
    const lines = [
      good,
      { ...good, uplink_bytes: 1.5 },
      { ...good, uplink_bytes: 1e300 },
      { ...good, colour: 'red' },
      { ...good, iccid: { a: 1 } },
      { ...good, destination: '\0' },
      { ...good, destination: '\ud800' },
      [1],
      null,
      7,
    ].map((line) => JSON.stringify(line));
    const answer = await send(
      [...lines, '{"iccid":', '{}', `{"__proto__":{"a":1},"iccid":"${SIMS[0]}"}`, JSON.stringify({ ...good, record_id: 'last' })].join(
        '\n',
      ),
      {
        headers: { 'content-type': 'application/x-ndjson' },
      },
    );
    expect(answer).toMatchObject({ status: 200, accepted: 2, rejected: 12 });
    expect(answer.errors!.map(({ code }) => code)).toEqual([
      'FIELD_INVALID',
      'FIELD_INVALID',
      'FIELD_INVALID',
      'FIELD_INVALID',
      'FIELD_INVALID',
      'FIELD_INVALID',
      'JSON_INVALID',
      'JSON_INVALID',
      'JSON_INVALID',
      'JSON_INVALID',
      'FIELD_MISSING',
      'FIELD_INVALID',
    ]);
  });
});

describe('a body that ends early', () => {
  const rows = goodRows(1_000).map((good, index) => (index === 700 ? row(index, { uplink_bytes: 'many' }) : good));
  const whole = file(rows);
  const gzip = { 'content-encoding': 'gzip', 'idempotency-key': 'night 14' };

  let wholeState: Pick<Content, string>;
  let counts: Partial<Answer>;
  beforeAll(async () => {
    await inFreshHouse(async (fresh) => {
      const { accepted, duplicates, rejected, errors } = await send(gzipSync(whole), { headers: gzip }, fresh);
      counts = { accepted, duplicates, rejected, errors };
      wholeState = await stored(fresh);
    });
  });

  test('as gzip says what is stored; sent again whole with its key it ends in the state of the whole file', async () => {
    await inFreshHouse(async (fresh) => {
      const packed = gzipSync(whole, { level: 0 });
      const cut = await send(packed.subarray(0, Math.floor(packed.length * 0.6)), { headers: gzip }, fresh);
      expect(cut).toMatchObject({ status: 400, error: { code: 'TRUNCATED' } });
      expect(cut.error!.message).toContain('gzip');
      expect(cut.accepted! % 200).toBe(0);
      expect(cut.accepted).toBeGreaterThan(0);
      expect((await stored(fresh))['usage_record']).toHaveLength(cut.accepted!);
      expect(await send(packed, { headers: gzip }, fresh)).toMatchObject({ status: 200, ...counts });
      expect(await stored(fresh)).toEqual(wholeState);
    });
  });

  test('as damaged gzip, or as no gzip at all, says so', async () => {
    const packed = gzipSync(whole);
    packed[Math.floor(packed.length / 2)]! ^= 0xff;
    for (const body of [packed, Buffer.from(whole)]) {
      const headers = { 'content-encoding': 'gzip', 'simwarden-source': 'damaged' };
      expect(await send(body, { headers })).toMatchObject({ status: 400, error: { code: 'TRUNCATED' } });
    }
  });

  test('because the sender hung up, is completed by sending it again', async () => {
    await inFreshHouse(async (fresh) => {
      const request = opening({ headers: { 'idempotency-key': 'night 14', 'content-length': String(whole.length) } }, fresh);
      request.on('error', () => undefined);
      await new Promise<void>((resolve) => request.write(whole.slice(0, Math.floor(whole.length * 0.7)), () => resolve()));
      request.destroy();
      expect(await send(whole, { headers: { 'idempotency-key': 'night 14' } }, fresh)).toMatchObject({ status: 200, ...counts });
      expect(await stored(fresh)).toEqual(wholeState);
    });
  });

  test('with other content under its key is a conflict, which stores nothing', async () => {
    const headers = { 'idempotency-key': 'night 14', 'simwarden-source': 'conflict' };
    await send(file(goodRows(300)), { headers });
    await expectNothingStored(async () => {
      expect(await send(file(goodRows(300, 5_000)), { headers })).toMatchObject({ status: 409, error: { code: 'BATCH_CONFLICT' } });
    });
  });
});

describe('a line that never ends', () => {
  /** More than may be held. */
  const megabytes = Number(process.env['SIMWARDEN_LONG_LINE_MEGABYTES'] ?? 256);

  test(`(${megabytes} MB) is one bad row between good ones, and is never held`, async () => {
    const piece = Buffer.alloc(1024 * 1024, 'x');
    await send(file(goodRows(50, 900)), { headers: { 'simwarden-source': 'warm' } }); // whatever is allocated once, is
    const rssBefore = process.memoryUsage().rss;
    let rssMost = rssBefore;
    const request = opening({ headers: { 'simwarden-source': 'endless' } });
    request.write(`${HEADER}\n${goodRows(2).join('\n')}\n`);
    for (let sent = 0; sent < megabytes; sent++) {
      if (!request.write(piece)) await once(request, 'drain');
      rssMost = Math.max(rssMost, process.memoryUsage().rss);
    }
    request.end(`\n${goodRows(2, 5).join('\n')}\n`);
    const answer = await answerOf(request);
    expect(answer).toMatchObject({ status: 200, accepted: 4, rejected: 1, errors: [{ line: 4, code: 'LINE_TOO_LONG' }] });
    rssMost = Math.max(rssMost, process.memoryUsage().rss);
    console.log(`a line of ${megabytes} MB: memory grew by ${((rssMost - rssBefore) / 2 ** 20).toFixed(0)} MB`);
    expect(rssMost - rssBefore).toBeLessThan(100 * 2 ** 20);
  });
});

describe('a request that is not one', () => {
  test.each([
    ['application/json', {}, 415],
    ['', {}, 415],
    ['text/csv; charset=utf-16', {}, 415],
    ['multipart/form-data; boundary=x', {}, 415],
    ['text/csv', { 'content-encoding': 'br' }, 415],
    ['text/csv', { 'content-encoding': 'gzip, gzip' }, 415],
    ['text/csv', { 'idempotency-key': 'k'.repeat(129) }, 400],
    ['text/csv', { 'idempotency-key': '' }, 400],
    ['text/csv', { 'idempotency-key': 'cl\u00e9' }, 400],
    ['text/csv', { 'simwarden-source': 's'.repeat(129) }, 400],
    ['text/csv', { authorization: 'Bearer nobody' }, 401],
    ['text/csv', { authorization: 'Basic eDp5' }, 401],
  ])('(%s %j) is answered %d in JSON, and stores nothing', async (type, headers, status) => {
    await expectNothingStored(async () => {
      const answer = await send(file(goodRows(3)), { headers: { 'content-type': type, ...headers } });
      expect(answer).toMatchObject({ status, error: { code: expect.any(String), message: expect.any(String) } });
      expect(answer.type).toMatch(/^application\/json/);
    });
  });

  test('to a kind that is not there, or by another method, is answered in JSON', async () => {
    expect(await send('x', { kind: 'dreams' })).toMatchObject({ status: 400, error: { code: 'BAD_REQUEST' } });
    expect(await send('x', { kind: '..%2f..%2fetc' })).toMatchObject({ status: 400 });
    expect(await send('x', { kind: '__proto__' })).toMatchObject({ status: 400 });
    const got = await fetch(new URL('/ingest/usage', house.url), { headers: { authorization: `Bearer ${OPERATOR_KEY}` } });
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

test("a customer's key stores for its own SIMs; a foreign SIM is answered exactly like a missing one", async () => {
  const key = await house.keyFor('River Research', 'INGEST');
  const rows = (iccid: string) => file([row(1), row(2, { iccid }), row(3)]);
  const headers = { 'simwarden-source': 'own' };
  const foreign = await send(rows(FOREIGN), { key, headers });
  const missing = await send(rows(MISSING), { key, headers });
  expect(foreign).toMatchObject({ status: 200, accepted: 2, rejected: 1, errors: [{ line: 3, code: 'UNKNOWN_SIM' }] });
  expect(foreign.errors![0]!.message.replace(FOREIGN, MISSING)).toBe(missing.errors![0]!.message);
  const { usage_record } = await stored();
  expect(usage_record!.filter((each) => !each.includes('River Research'))).toEqual([]);
});
