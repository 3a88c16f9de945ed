/** One operation's transactions: one read transaction for all its readers, writes alone, and none left open behind it. */
import { Role } from '../../../src/graphql/caller';
import { defineLoader } from '../../../src/graphql/context';
import { OperationContext } from '../../../src/graphql/operation-context';
import type { Transaction } from '../../../src/database/database';
import { SystemClock, SystemEntropy } from '../../../src/runtime';
import { openTestDatabase, testLog, type TestDatabase } from '../../support/database';
import { callerNamed, seedClients } from './lamp-server';

let db: TestDatabase;
const open: OperationContext[] = [];

beforeAll(async () => {
  db = await openTestDatabase();
  await seedClients(db.database);
});
afterEach(() => Promise.all(open.splice(0).map((context) => context.end())));
afterAll(() => db?.close());

function operationOf(
  clientId: number,
  role = clientId === 0 ? Role.OPERATOR : Role.CLIENT_ADMIN,
  readBudgetMilliseconds?: number,
): OperationContext {
  const services = { database: db.database, clock: new SystemClock(), entropy: new SystemEntropy(), log: testLog, readBudgetMilliseconds };
  const context = new OperationContext(services, callerNamed('test', clientId, role), 'test');
  open.push(context);
  return context;
}

const session = async (tx: Transaction): Promise<string> =>
  (await tx.query<{ id: string }>(`SELECT pg_backend_pid() || ' ' || transaction_timestamp() AS id`))[0]!.id;
const nameOf = async (tx: Transaction): Promise<string> =>
  (await tx.query<{ name: string }>('SELECT name FROM client WHERE client_id = $1', [1]))[0]!.name;
const rename = (tx: Transaction, name: string): Promise<unknown[]> =>
  tx.query('UPDATE client SET name = $2 WHERE client_id = $1', [1, name]);

test('readers at once, and readers inside readers, share one transaction', async () => {
  const context = operationOf(1);
  const ids = await Promise.all([
    ...Array.from({ length: 20 }, () => context.read(session)),
    context.read((outer) =>
      context.read(async (inner) => ((await session(outer)) === (await session(inner)) ? session(inner) : 'another')),
    ),
  ]);
  expect(new Set(ids).size).toBe(1);
});

test('an operation that only began to read leaves the database free for the next', async () => {
  const first = operationOf(1);
  const reading = first.read(session);
  await first.end();
  await reading;
  expect(await operationOf(1).read(nameOf)).toBe('one');
});

test('an operation that has ended reads no more', async () => {
  const context = operationOf(1);
  await context.read(session);
  await context.end();
  await expect(context.read(session)).rejects.toThrow('after the end');
});

test('an operation whose reads took their time together reads no more, and leaves the database free', async () => {
  const context = operationOf(1, Role.CLIENT_ADMIN, 2_000);
  expect(await context.read(nameOf)).toBe('one');
  const slow = (): Promise<unknown> => context.read((tx) => tx.query('SELECT count(*) FROM generate_series(1, 100000)'));
  const reads = await Promise.allSettled(Array.from({ length: 1_000 }, slow));
  const failures = reads.filter((read) => read.status === 'rejected');
  expect(failures.map(({ reason }) => (reason as Error).message).join()).toContain('needed longer than 2000 ms');
  await expect(context.read(session)).rejects.toThrow('needed longer than 2000 ms');
  expect(await operationOf(1).read(nameOf)).toBe('one');
});

test('what a client that hung up had asked for is not looked up any more', async () => {
  const context = operationOf(1);
  let ran = 0;
  const reads = Array.from({ length: 20 }, () =>
    context.read(async (tx) => {
      await tx.query('SELECT count(*) FROM generate_series(1, 100000)');
      ran += 1;
    }),
  );
  await reads[0];
  await context.abandon();
  const settled = await Promise.allSettled(reads);
  expect(ran).toBeLessThan(20);
  expect(settled.at(-1)).toMatchObject({ status: 'rejected', reason: expect.objectContaining({ code: 'BAD_REQUEST' }) });
  expect(await operationOf(1).read(nameOf)).toBe('one');
});

test('after a statement failed, the operation reads on in another transaction', async () => {
  const context = operationOf(1);
  const before = await context.read(session);
  await expect(context.read((tx) => tx.query('SELECT 1 / 0'))).rejects.toThrow();
  expect(await context.read(session)).not.toBe(before);
});

test('a read transaction can not write', async () => {
  await expect(operationOf(0).read((tx) => rename(tx, 'changed'))).rejects.toThrow();
  expect(await operationOf(1).read(nameOf)).toBe('one');
});

test('a write ends the reads before it, sees itself, and is seen after it', async () => {
  const context = operationOf(0);
  expect(await context.read(nameOf)).toBe('one');
  await context.write('test.rename', 1, async (tx) => {
    await rename(tx, 'renamed');
    expect(await context.read(nameOf)).toBe('renamed');
  });
  expect(await context.read(nameOf)).toBe('renamed');
  await context.write('test.rename', 1, (tx) => rename(tx, 'one'));
});

test('a write that fails leaves nothing, and the operation goes on', async () => {
  const context = operationOf(0);
  const failing = context.write('test.rename', 1, async (tx) => {
    await rename(tx, 'half');
    throw new Error('changed my mind');
  });
  await expect(failing).rejects.toThrow('changed my mind');
  expect(await context.read(nameOf)).toBe('one');
});

test('a customer writes for itself only, and one write at a time', async () => {
  await expect(operationOf(1).write('test.foreign', 2, session)).rejects.toThrow('may not write');
  const context = operationOf(1);
  await context.write('test.outer', 1, async () => {
    await expect(context.write('test.inner', 1, session)).rejects.toThrow('a write is open');
  });
});

test('a loader asks once for a key in an operation, and again after a write', async () => {
  const asked: string[][] = [];
  const names = defineLoader<string, string>('names', async (keys, context) => {
    asked.push([...keys]);
    const rows = await context.read((tx) =>
      tx.query<{ key: string; name: string }>('SELECT client_id::text AS key, name FROM client WHERE client_id = ANY($1::int4[])', [keys]),
    );
    return keys.map((key) => rows.find((row) => row.key === key)?.name ?? null);
  });
  const context = operationOf(0);
  expect(await Promise.all(['1', '2', '1', '9'].map((key) => context.load(names, key)))).toEqual(['one', 'two', 'one', null]);
  await context.load(names, '2');
  expect(asked).toEqual([['1', '2', '9']]);
  await context.write('test.rename', 2, (tx) => tx.query('UPDATE client SET name = $2 WHERE client_id = $1', [2, 'zwei']));
  expect(await context.load(names, '2')).toBe('zwei');
});
