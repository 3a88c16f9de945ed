/** A value is the same JavaScript value on both databases, whichever way it goes. */
import { openTestDatabase, type TestDatabase } from '../../support/database';

let db: TestDatabase;

beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

async function valueOf(expression: string, parameters: readonly unknown[] = []): Promise<unknown> {
  const rows = await db.database.transaction({ name: 'test', role: 'ingest' }, (tx) =>
    tx.query<{ value: unknown }>(`SELECT ${expression} AS value`, parameters),
  );
  return rows[0]!.value;
}

const instant = new Date('2026-11-01T12:34:56.789Z');

test.each<[string, unknown]>([
  [`9007199254740993::int8`, '9007199254740993'],
  [`7::int8`, '7'],
  [`1.10::numeric`, '1.10'],
  [`count(*)`, '1'],
  [`42::int4`, 42],
  [`-3::int2`, -3],
  [`0.1::float8`, 0.1],
  [`'NaN'::float8`, Number.NaN],
  [`'-Infinity'::float8`, Number.NEGATIVE_INFINITY],
  [`true`, true],
  [`'2026-11-01T14:34:56.789+02'::timestamptz`, instant],
  [`'2026-11-01'::date`, '2026-11-01'],
  [`'0044-03-15 BC'::date`, '0044-03-15 BC'],
  [`'2026-11-01 12:00:00'::timestamp`, '2026-11-01 12:00:00'],
  [`'{"a": [1, null, "x"]}'::jsonb`, { a: [1, null, 'x'] }],
  [`'[]'::json`, []],
  [`'\\x00ff10'::bytea`, Buffer.from([0, 255, 16])],
  [`'0192d3a0-0000-7000-8000-00000000abcd'::uuid`, '0192d3a0-0000-7000-8000-00000000abcd'],
  [`'text with "quotes", \\ and ü'::text`, 'text with "quotes", \\ and ü'],
  [`NULL::int8`, null],
  [`ARRAY[1, NULL, 9007199254740993]::int8[]`, ['1', null, '9007199254740993']],
  [`ARRAY[1, 2]::int4[]`, [1, 2]],
  [
    `ARRAY[[1, 2], [3, 4]]::int4[]`,
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [`ARRAY[1.50]::numeric[]`, ['1.50']],
  [`ARRAY[0.5, NULL]::float8[]`, [0.5, null]],
  [`ARRAY['a', NULL, 'NULL', '']::text[]`, ['a', null, 'NULL', '']],
  [`ARRAY['2026-11-01']::date[]`, ['2026-11-01']],
  [`ARRAY['2026-11-01T12:34:56.789Z']::timestamptz[]`, [instant]],
  [`ARRAY['\\x01']::bytea[]`, [Buffer.from([1])]],
  [`ARRAY['{"a":1}']::jsonb[]`, [{ a: 1 }]],
  [`ARRAY[true, false]`, [true, false]],
  [`ARRAY['0192d3a0-0000-7000-8000-00000000abcd']::uuid[]`, ['0192d3a0-0000-7000-8000-00000000abcd']],
])('SELECT %s answers %p', async (expression, expected) => {
  expect(await valueOf(expression)).toStrictEqual(expected);
});

test.each<[string, unknown, string]>([
  ['int8', '9007199254740993', '9007199254740993'],
  ['int8', 9007199254740993n, '9007199254740993'],
  ['int4', 5, '5'],
  ['float8', 0.1, '0.1'],
  ['bool', true, 'true'],
  ['timestamptz', instant, '2026-11-01 12:34:56.789+00'],
  ['date', '2026-11-01', '2026-11-01'],
  ['jsonb', JSON.stringify({ a: [1] }), '{"a": [1]}'],
  ['bytea', Buffer.from([0, 255]), '\\x00ff'],
  ['text', "a'b", "a'b"],
  ['int8[]', ['1', '9007199254740993'], '{1,9007199254740993}'],
  ['text[]', ['a', null, 'b,"c'], '{a,NULL,"b,\\"c"}'],
  ['int4[]', [], '{}'],
])('a parameter of %s from %p arrives as %p', async (type, given, expected) => {
  expect(await valueOf(`$1::${type}::text`, [given])).toBe(expected);
});

test('errors carry their SQLSTATE and constraint', async () => {
  const insertTwice = db.database.transaction({ name: 'test', role: 'ingest' }, async (tx) => {
    await tx.query(`INSERT INTO lease (name, held_until) VALUES ('twice', 'epoch')`);
    await tx.query(`INSERT INTO lease (name, held_until) VALUES ('twice', 'epoch')`);
  });
  await expect(insertTwice).rejects.toMatchObject({ code: '23505', constraint: 'lease_pk', table: 'lease' });
  await expect(valueOf('nonsense')).rejects.toMatchObject({ code: '42703' });
  await expect(valueOf('$1::int4', ['x'])).rejects.toMatchObject({ code: '22P02' });
  await expect(valueOf('$1::text', ['a\0b'])).rejects.toMatchObject({ code: '22021' });
});

test('a megabyte goes there and back', async () => {
  const megabyte = 'simwarden'.repeat(120_000);
  expect(await valueOf('$1::text', [megabyte])).toBe(megabyte);
});
