/** Values that PostgreSQL refuses, or stores as something else, never reach it: each scalar says what it expects. */
import { openTestDatabase, type TestDatabase } from '../../support/database';
import { seedClients, startLampServer, type LampServer } from './lamp-server';

let db: TestDatabase;
let server: LampServer;

beforeAll(async () => {
  db = await openTestDatabase();
  await seedClients(db.database);
  server = await startLampServer(db.database);
});
afterAll(async () => {
  await server?.close();
  await db?.close();
});

describe('what the database would not take', () => {
  const echo = async (argument: string, value: unknown): Promise<{ ok: unknown; code: string | undefined }> => {
    const type = {
      at: 'DateTime',
      day: 'Date',
      bytes: 'ByteCount',
      iccid: 'ICCID',
      imsi: 'IMSI',
      imei: 'IMEI',
      plmn: 'PLMN',
      text: 'Text',
      plain: 'String',
      json: 'JSON',
    }[argument];
    const byVariable = await server.post(`query ($v: ${type}) { echo(${argument}: $v) }`, { variables: { v: value } });
    if (typeof value === 'string') {
      const literal = await server.post(`{ echo(${argument}: ${JSON.stringify(value)}) }`);
      expect(literal.body.data).toEqual(byVariable.body.data);
    }
    return {
      ok: (byVariable.body.data?.['echo'] as Record<string, unknown> | undefined)?.[argument],
      code: byVariable.body.errors?.[0]?.extensions.code,
    };
  };

  test.each([
    ['at', '2026-11-01T08:30:00Z', '2026-11-01T08:30:00.000Z'],
    ['at', '2026-11-01T10:30:00.123456789+02:00', '2026-11-01T08:30:00.123Z'],
    ['at', '2024-02-29T00:00:00-00:00', '2024-02-29T00:00:00.000Z'],
    ['day', '2026-11-01', '2026-11-01'],
    ['bytes', '9223372036854775807', '9223372036854775807'],
    ['bytes', 12, '12'],
    ['iccid', '8934071100276980483', '8934071100276980483'],
    ['imsi', '214070000000001', '214070000000001'],
    ['imei', '490154203237518', '490154203237518'],
    ['plmn', '21407', '214-07'],
    ['plmn', '310-260', '310-260'],
    ['text', 'größe 🚨', 'größe 🚨'],
    ['json', { a: [1, null, 'x'] }, { a: [1, null, 'x'] }],
  ])('%s takes %j', async (argument, value, expected) => {
    expect(await echo(argument, value)).toEqual({ ok: expected, code: undefined });
  });

  test.each([
    ['at', 'infinity'],
    ['at', 'now'],
    ['at', 'epoch'],
    ['at', '2026-11-01'],
    ['at', '2026-11-01T08:30:00'],
    ['at', '2026-11-01T08:30:60Z'],
    ['at', '2026-02-30T00:00:00Z'],
    ['at', '2023-02-29T00:00:00Z'],
    ['at', '1969-12-31T23:59:59Z'],
    ['at', '1970-01-01T00:00:00+01:00'],
    ['at', '2101-01-01T00:00:00Z'],
    ['at', '0000-01-01T00:00:00Z'],
    ['at', '294277-01-01T00:00:00Z'],
    ['at', '2026-11-01 08:30:00Z'],
    ['at', '2026-11-01T24:00:00Z'],
    ['at', 1_700_000_000_000],
    ['at', true],
    ['day', '2026-13-01'],
    ['day', '2026-02-30'],
    ['day', '2026-1-1'],
    ['day', '2026-11-01T00:00:00Z'],
    ['bytes', '-1'],
    ['bytes', '9223372036854775808'],
    ['bytes', '1e3'],
    ['bytes', 1.5],
    ['bytes', '01'],
    ['bytes', ''],
    ['iccid', '1234567890123456789'],
    ['iccid', '89340711002769804831234'],
    ['imsi', '21407x'],
    ['imei', '49015420323751'.slice(0, 13)],
    ['plmn', '2147'],
    ['plmn', '214-7'],
    ['text', 'a\u0000b'],
    ['text', 'half \ud800 pair'],
    ['text', 'x'.repeat(1001)],
    ['plain', 'a\u0000b'],
    ['plain', 'half \ud800 pair'],
    ['json', { 'a\u0000': 1 }],
    ['json', { a: ['\udfff'] }],
  ])('%s refuses %j', async (argument, value) => {
    const { ok, code } = await echo(argument, value);
    expect(ok).toBeUndefined();
    expect(code).toBe('BAD_USER_INPUT');
  });

  test('variables nested without end are refused, not followed', async () => {
    const answer = await server.post('', {
      body: `{"query":"query ($v: JSON) { echo(json: $v) }","variables":{"v":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`,
    });
    expect(answer.body.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });
});
