/** What a sender may rely on: batches are answered, repeats change nothing, bad rows never cost good ones. */
import { gzipSync } from 'node:zlib';
import { Role } from '../../../src/graphql/caller';
import {
  callerOf,
  count,
  digestOf,
  forgetTelemetry,
  iccidOf,
  openHouse,
  registerSims,
  send,
  stateOf,
  usageFile,
  USAGE_HEADER,
  type House,
} from './house';

let house: House;
let acme: number;
let globex: number;

beforeAll(async () => {
  house = await openHouse(100);
  acme = await registerSims(house, 'Acme', 'meters', 1, 20);
  globex = await registerSims(house, 'Globex', 'pumps', 21, 20);
});
afterAll(() => house.close());
beforeEach(() => forgetTelemetry(house));

test("an operator's file is stored for the clients that its SIMs belong to", async () => {
  const answer = await send(house, 'usage', usageFile(0, 250, 40), { batchKey: 'first' });
  expect(answer).toEqual({ batchId: 'first', accepted: 250, duplicates: 0, rejected: 0, errors: [] });
  expect(await count(house, 'usage_record WHERE client_id = $1', [acme])).toBe(130);
  expect(await count(house, 'usage_record WHERE client_id = $1', [globex])).toBe(120);
});

test('a batch sent twice answers the same and adds nothing', async () => {
  const body = usageFile(0, 250, 50);
  for (const batchKey of ['twice', null]) {
    const first = await send(house, 'usage', body, { batchKey });
    const state = await digestOf(house);
    const queued = await count(house, 'evaluation_queue');
    expect(await send(house, 'usage', body, { batchKey })).toEqual(first);
    expect(await digestOf(house)).toBe(state);
    expect(await count(house, 'evaluation_queue')).toBe(queued);
    expect(first.accepted + first.duplicates + first.rejected).toBe(250);
  }
});

test('roll-ups are the sums of the records', async () => {
  await send(house, 'usage', usageFile(0, 300, 40));
  const { usage, simHours, simDays, fleetHours, clientHours } = await stateOf(house);
  const sum = (rows: unknown[] | undefined, column: string): bigint =>
    rows!.reduce<bigint>((total, row) => total + BigInt((row as Record<string, string>)[column]!), 0n);
  for (const column of ['uplink_bytes', 'downlink_bytes']) {
    const expected = sum(usage, column);
    for (const rollUp of [simHours, simDays, fleetHours, clientHours]) expect(sum(rollUp, column)).toBe(expected);
  }
  expect(sum(simDays, 'total_bytes')).toBe(sum(usage, 'uplink_bytes') + sum(usage, 'downlink_bytes'));
});

test('one bad row in a thousand is quarantined with its line and reason; the others are stored', async () => {
  const lines = usageFile(0, 1000, 40).split('\n');
  lines[500] = 'bad,not-an-iccid,infinity,2026-13-40T00:00:00Z,-1,1e9,1,7G,12,apn,host';
  const answer = await send(house, 'usage', lines.join('\n'));
  expect(answer).toMatchObject({ accepted: 999, rejected: 1 });
  expect(answer.errors).toEqual([{ line: 501, code: 'FIELD_INVALID', message: expect.stringContaining('not-an-iccid') }]);
  expect(await count(house, 'quarantine WHERE client_id = 0 AND line = 501')).toBe(1);
});

test.each([
  ['a time at infinity', 'r,ICCID,infinity,2026-11-20T10:00:00Z,1,1', 'FIELD_INVALID', 'started_at'],
  ['a leap second', 'r,ICCID,2026-11-20T10:59:60Z,2026-11-20T11:00:00Z,1,1', 'FIELD_INVALID', 'started_at'],
  ['a day that is not', 'r,ICCID,2026-02-30T10:00:00Z,2026-11-20T11:00:00Z,1,1', 'FIELD_INVALID', 'started_at'],
  ['a zone other than UTC', 'r,ICCID,2026-11-20T10:00:00+02:00,2026-11-20T11:00:00Z,1,1', 'FIELD_INVALID', 'started_at'],
  ['a time ahead of now', 'r,ICCID,2026-11-20T12:00:00Z,2026-11-20T12:05:01Z,1,1', 'TIME_IN_FUTURE', '2026-11-20T12:05:01'],
  ['a time older than what is kept', 'r,ICCID,2025-10-01T00:00:00Z,2025-10-01T00:00:00Z,1,1', 'TIME_TOO_OLD', '400'],
  ['a period of 32 days', 'r,ICCID,2026-10-01T00:00:00Z,2026-11-02T00:00:00Z,1,1', 'PERIOD_TOO_LONG', '32'],
  ['a period that ends before it starts', 'r,ICCID,2026-11-02T00:00:00Z,2026-11-01T00:00:00Z,1,1', 'PERIOD_NEGATIVE', '2026-11-01'],
  ['more bytes than 2^53 − 1', 'r,ICCID,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,9007199254740992,1', 'FIELD_INVALID', 'uplink_bytes'],
  ['negative bytes', 'r,ICCID,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,-1,1', 'FIELD_INVALID', 'uplink_bytes'],
  ['a missing ICCID', 'r,,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,1,1', 'FIELD_MISSING', 'iccid'],
  ['a field too many', 'r,ICCID,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,1,1,1', 'FIELD_COUNT', '7'],
  ['a NUL byte', 'r\0,ICCID,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,1,1', 'FIELD_INVALID', 'record_id'],
  ['a quote that never closes', '"r,ICCID,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,1,1', 'FIELD_INVALID', 'quotes'],
])('%s costs its own row only', async (_, row, code, said) => {
  const good = `good,${iccidOf(1)},2026-11-20T10:00:00Z,2026-11-20T10:30:00Z,5,5`;
  const body = `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n${row.replace('ICCID', iccidOf(1))}\n${good}\n`;
  const answer = await send(house, 'usage', body);
  expect(answer).toMatchObject({ accepted: 1, rejected: 1, errors: [{ line: 2, code, message: expect.stringContaining(said) }] });
  const { quarantine } = await stateOf(house);
  expect(quarantine).toHaveLength(1);
});

test('malformed UTF-8 costs its own row only', async () => {
  const good = `good,${iccidOf(1)},2026-11-20T10:00:00Z,2026-11-20T10:30:00Z,5,5,apn\n`;
  const body = Buffer.concat([
    Buffer.from('record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes,apn\n'),
    Buffer.from(good.replace('apn', '\u00ff').replace('good', 'bad'), 'latin1'),
    Buffer.from(good),
  ]);
  expect(await send(house, 'usage', body)).toMatchObject({ accepted: 1, rejected: 1, errors: [{ line: 2, code: 'FIELD_INVALID' }] });
});

test.each([
  ['an unknown column', 'record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes,colour\n', 'colour'],
  ['a missing column', 'record_id,iccid,started_at,uplink_bytes,downlink_bytes\n', 'ended_at'],
  ['a column twice', 'iccid,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n', 'twice'],
  ['no header at all', '', 'empty'],
])('a file with %s is refused and stores nothing', async (_, header, said) => {
  const before = await digestOf(house);
  const rows = usageFile(0, 500, 40).slice(USAGE_HEADER.length);
  const refused = send(house, 'usage', header === '' ? '' : header + rows);
  await expect(refused).rejects.toMatchObject({ code: 'HEADER_INVALID', message: expect.stringContaining(said) });
  expect(await digestOf(house)).toBe(before);
});

test('columns in any order, CRLF, BOM, quotes and NDJSON are the same records', async () => {
  await send(house, 'usage', usageFile(0, 50, 40));
  const expected = await digestOf(house);
  await forgetTelemetry(house);
  const rows = usageFile(0, 50, 40)
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  await send(
    house,
    'usage',
    `\uFEFF${rows
      .map((row) =>
        [...row]
          .reverse()
          .map((field) => `"${field}"`)
          .join(','),
      )
      .join('\r\n')}\r\n`,
  );
  expect(await digestOf(house)).toBe(expected);
  await forgetTelemetry(house);
  const [header, ...records] = rows;
  const ndjson = records.map((row) =>
    JSON.stringify(Object.fromEntries(row.map((field, i) => [header![i], /^\d+$/.test(field) && i > 2 && i < 6 ? Number(field) : field]))),
  );
  await send(house, 'usage', ndjson.join('\n'), { format: 'ndjson' });
  expect(await digestOf(house)).toBe(expected);
});

test("a client's key stores its own SIMs only; a foreign SIM looks exactly like a missing one", async () => {
  const caller = callerOf(Role.INGEST, acme, 'acme-key');
  const rows = [iccidOf(1), iccidOf(21), iccidOf(99)].map((iccid, i) => `r${i},${iccid},2026-11-20T10:00:00Z,2026-11-20T10:30:00Z,5,5\n`);
  const answer = await send(house, 'usage', `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n${rows.join('')}`, {
    caller,
    source: null,
  });
  expect(answer).toMatchObject({ accepted: 1, rejected: 2 });
  const [foreign, missing] = answer.errors;
  expect(foreign!.code).toBe('UNKNOWN_SIM');
  expect(foreign!.message.replace(iccidOf(21), '')).toBe(missing!.message.replace(iccidOf(99), ''));
  expect(await count(house, `quarantine WHERE client_id = $1 AND source = 'acme-key' AND code = 'UNKNOWN_SIM'`, [acme])).toBe(2);
  expect(await count(house, 'usage_record WHERE client_id = $1', [globex])).toBe(0);
});

test('the same identity with other content is quarantined, and the stored one stays', async () => {
  const row = (bytes: number): string =>
    `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\nr,${iccidOf(1)},2026-11-20T10:00:00Z,2026-11-20T10:30:00Z,${bytes},5\n`;
  expect(await send(house, 'usage', row(1))).toMatchObject({ accepted: 1 });
  expect(await send(house, 'usage', row(2))).toMatchObject({ rejected: 1, errors: [{ code: 'CONFLICTING_RECORD' }] });
  expect(await send(house, 'usage', row(1), { batchKey: 'again' })).toMatchObject({ duplicates: 1 });
  const { usage } = await stateOf(house);
  expect(usage).toMatchObject([{ uplink_bytes: '1' }]);
});

test('a stored chunk that differs is a conflict, and nothing of the new one is stored', async () => {
  await send(house, 'usage', usageFile(0, 150, 40), { batchKey: 'key' });
  const before = await digestOf(house);
  const answer = await send(house, 'usage', usageFile(1, 151, 40), { batchKey: 'key' });
  expect(answer.stoppedBy).toMatchObject({ code: 'BATCH_CONFLICT' });
  expect(await digestOf(house)).toBe(before);
});

test.each([[0.3], [0.62], [0.97]])(
  'a gzip file cut at %p keeps its finished chunks and, sent again, ends as the whole file',
  async (share) => {
    const body = gzipSync(usageFile(0, 1000, 50));
    await send(house, 'usage', body, { gzip: true, batchKey: 'whole' });
    const expected = await digestOf(house);
    await forgetTelemetry(house);
    const cut = await send(house, 'usage', body.subarray(0, Math.floor(body.length * share)), { gzip: true, batchKey: 'k' });
    expect(cut.stoppedBy).toMatchObject({ code: 'TRUNCATED' });
    expect((cut.accepted + cut.rejected) % 100).toBe(0);
    const whole = await send(house, 'usage', body, { gzip: true, batchKey: 'k' });
    expect(whole.stoppedBy).toBeUndefined();
    expect(whole.accepted + whole.rejected).toBe(1000);
    expect(await digestOf(house)).toBe(expected);
    expect(await count(house, 'usage_record')).toBe(whole.accepted);
  },
);

test('a file cut at rest, at any byte of its last rows, ends as the whole file when it is sent again', async () => {
  const body =
    usageFile(3, 8, 40) +
    `last,${iccidOf(99)},2026-11-20T09:00:00Z,2026-11-20T10:00:00Z,100,1000,214-07,,,,host.example\n` +
    usageFile(8, 10, 40).slice(USAGE_HEADER.length);
  await send(house, 'usage', body, { batchKey: 'k' });
  const expected = await stateOf(house);
  for (let cut = body.length - 1; cut > body.length - 330; cut -= 3) {
    await forgetTelemetry(house);
    await send(house, 'usage', body.slice(0, cut), { batchKey: 'k' });
    const answer = await send(house, 'usage', body, { batchKey: 'k' });
    expect(answer).toMatchObject({ accepted: 7, rejected: 1, duplicates: 0 });
    expect(await send(house, 'usage', body, { batchKey: 'k' })).toEqual(answer);
    expect({ cut, ...(await stateOf(house)) }).toEqual({ cut, ...expected });
  }
});
