/** Reading in bulk: every row once, whatever the pieces in which the network brings them; what goes wrong is said, and the connection stays good. */
import { openTestDatabase, type TestDatabase } from '../../support/database';

let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

const options = { name: 'test.copy', role: 'ingest', readOnly: true, retries: 0 } as const;
const HEADER_BYTES = 19;

/** The calls' bytes, copied. */
async function calls(select: string, also: () => void = () => undefined): Promise<Buffer[]> {
  const taken: Buffer[] = [];
  await opened.database.transaction(options, async (tx) => {
    await tx.copyOut(select, (bytes, from, to) => {
      taken.push(Buffer.from(bytes.subarray(from, to)));
      also();
    });
    expect(await tx.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
  return taken;
}

it('hands on every row in a call of its own, short ones and such as fill several pieces', async () => {
  const rows = 5_000;
  const taken = await calls(
    `SELECT n, repeat('x', CASE WHEN n % 1000 = 0 THEN 200000 ELSE n % 50 END) FROM generate_series(1, ${rows}) AS n`,
  );
  expect(taken).toHaveLength(rows + 1);
  const numbers = taken.slice(0, rows).map((bytes, index) => bytes.readInt32BE((index === 0 ? HEADER_BYTES : 0) + 2 + 4));
  expect(numbers).toEqual(Array.from({ length: rows }, (_, index) => index + 1));
  expect(taken[999]!.length).toBe(2 + 8 + 4 + 200_000);
  expect(taken.at(-1)!.readInt16BE(0)).toBe(-1);
});

it('hands on only the header and the trailer where there is no row', async () => {
  const taken = await calls('SELECT 1 WHERE false');
  expect(taken.map(({ length }) => length)).toEqual([HEADER_BYTES + 2]);
});

it('says what went wrong, in the statement, among its rows or with who takes them', async () => {
  await expect(calls('SELECT nonsense')).rejects.toThrow('nonsense');
  await expect(calls('SELECT 1 / (3 - n) FROM generate_series(1, 3) AS n')).rejects.toThrow('division by zero');
  const tired = () => {
    throw new Error('enough rows');
  };
  await expect(calls('SELECT n FROM generate_series(1, 100000) AS n', tired)).rejects.toThrow('enough rows');
  expect(await calls('SELECT 1')).toHaveLength(2);
});
