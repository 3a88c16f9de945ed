/** Transactions as every slice uses them: isolated, rolled back, retried, announced, on both databases. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Transaction } from '../../../src/database/database';
import { keepLease, releaseLease, takeLease } from '../../../src/database/lease';
import { openTestDatabase, type TestDatabase } from '../../support/database';

let db: TestDatabase;

beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

const ingest = <T>(work: (tx: Transaction) => Promise<T>, retries?: number): Promise<T> =>
  db.database.transaction({ name: 'test', role: 'ingest', retries }, work);

const insertClient = (tx: Transaction, name: string): Promise<{ client_id: number }[]> =>
  tx.query(`INSERT INTO client (name, created_at, updated_at) VALUES ($1, 'epoch', 'epoch') RETURNING client_id`, [name]);

const countClients = async (name: string): Promise<number> => {
  const rows = await ingest((tx) => tx.query<{ n: number }>('SELECT count(*)::int4 AS n FROM client WHERE name = $1', [name]));
  return rows[0]!.n;
};

test('what a transaction wrote is there after it, and nobody saw it before', async () => {
  let seenBefore = -1;
  await ingest(async (tx) => {
    await insertClient(tx, 'committed');
    if (db.database.kind === 'postgresql') seenBefore = await countClients('committed');
  });
  expect(await countClients('committed')).toBe(1);
  expect(seenBefore).toBe(db.database.kind === 'postgresql' ? 0 : -1);
});

test('what a failing transaction wrote is gone, and its error reaches the caller', async () => {
  await expect(
    ingest(async (tx) => {
      await insertClient(tx, 'rolled back');
      throw new Error('changed my mind');
    }),
  ).rejects.toThrow('changed my mind');
  expect(await countClients('rolled back')).toBe(0);
});

test('a swallowed statement error never passes for a commit', async () => {
  await expect(
    ingest(async (tx) => {
      await insertClient(tx, 'swallowed');
      await tx.query('SELECT 1/0').catch(() => undefined);
    }),
  ).rejects.toThrow('swallowed');
  expect(await countClients('swallowed')).toBe(0);
});

test("a query that was not awaited can't run in someone else's transaction", async () => {
  let escaped: Transaction | undefined;
  await ingest((tx) => {
    escaped = tx;
    return Promise.resolve();
  });
  await expect(escaped!.query('SELECT 1')).rejects.toThrow('has ended');
});

test('a read-only transaction refuses to write', async () => {
  const write = db.database.transaction({ name: 'test', role: 'ingest', readOnly: true }, (tx) => insertClient(tx, 'read only'));
  await expect(write).rejects.toMatchObject({ code: '25006' });
});

test('a serialisation failure is run again, and only what finally committed is announced', async () => {
  let attempts = 0;
  const announced: number[] = [];
  await ingest(async (tx) => {
    attempts += 1;
    const attempt = attempts;
    tx.afterCommit(() => announced.push(attempt));
    await insertClient(tx, 'retried');
    if (attempts < 3) await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`);
  });
  expect(announced).toEqual([3]);
  expect(await countClients('retried')).toBe(1);
});

test('retries end', async () => {
  let attempts = 0;
  const failing = ingest(async (tx) => {
    attempts += 1;
    await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$`);
  }, 1);
  await expect(failing).rejects.toMatchObject({ code: '40P01' });
  expect(attempts).toBe(2);
});

test('a poke is delivered after the commit and never after a rollback', async () => {
  let pokes = 0;
  const stop = db.database.onPoke('outbox', () => (pokes += 1));
  await ingest((tx) => {
    tx.poke('outbox');
    tx.poke('outbox');
    expect(pokes).toBe(0);
    return Promise.resolve();
  });
  expect(pokes).toBe(1);
  await ingest((tx) => {
    tx.poke('outbox');
    return Promise.reject(new Error('no'));
  }).catch(() => undefined);
  stop();
  db.database.poke('outbox');
  expect(pokes).toBe(1);
});

test('a tenant transaction without a client is refused, and so is a client that is no integer', async () => {
  await expect(db.database.transaction({ name: 'test', role: 'tenant' }, (tx) => tx.query('SELECT 1'))).rejects.toThrow('names no client');
  const injected = '1; RESET ROLE' as unknown as number;
  await expect(db.database.transaction({ name: 'test', role: 'tenant', clientId: injected }, (tx) => tx.query('SELECT 1'))).rejects.toThrow(
    'not an integer',
  );
});

test('many transactions at once take turns and all finish', async () => {
  const results = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      ingest(async (tx) => {
        await insertClient(tx, 'many');
        await nextTurn();
        return index;
      }),
    ),
  );
  expect(results).toHaveLength(40);
  expect(await countClients('many')).toBe(40);
});

test("TypeORM's manager works in the same transaction and doesn't commit it", async () => {
  await ingest(async (tx) => {
    await tx.manager.query(`INSERT INTO client (name, created_at, updated_at) VALUES ('by manager', 'epoch', 'epoch')`);
    await tx.manager.transaction(async (inner) => {
      await inner.query(`INSERT INTO client (name, created_at, updated_at) VALUES ('by inner manager', 'epoch', 'epoch')`);
    });
    throw new Error('no');
  }).catch(() => undefined);
  expect(await countClients('by manager')).toBe(0);
  expect(await countClients('by inner manager')).toBe(0);
});

test('closing lets a running transaction commit, refuses new ones, and may be said twice', async () => {
  const other = await openTestDatabase();
  let begun = (): void => undefined;
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const running = other.database.transaction({ name: 'test', role: 'ingest' }, async (tx) => {
    begun();
    await nextTurn();
    return tx.query('SELECT 1 AS one');
  });
  await hasBegun;
  const closing = Promise.all([other.database.close(), other.database.close()]);
  await expect(other.database.transaction({ name: 'test', role: 'ingest' }, (tx) => tx.query('SELECT 1'))).rejects.toMatchObject({
    code: 'SHUTTING_DOWN',
  });
  expect(await running).toEqual([{ one: 1 }]);
  await closing;
  await other.close();
});

describe('a lease', () => {
  const first = '00000000-0000-7000-8000-000000000001';
  const second = '00000000-0000-7000-8000-000000000002';
  const at = (second: number): Date => new Date(Date.UTC(2026, 10, 1, 0, 0, second));

  test('is held by one at a time, kept by its holder, and taken over when it has run out', async () => {
    const take = (holder: string, until: number, now: number): Promise<boolean> =>
      ingest((tx) => takeLease(tx, 'job', holder, at(until), at(now)));
    expect(await take(first, 10, 0)).toBe(true);
    expect(await take(second, 15, 5)).toBe(false);
    expect(await ingest((tx) => keepLease(tx, 'job', first, at(20)))).toBe(true);
    expect(await take(second, 25, 15)).toBe(false);
    expect(await take(second, 30, 20)).toBe(true);
    expect(await ingest((tx) => keepLease(tx, 'job', first, at(40)))).toBe(false);
    await ingest((tx) => releaseLease(tx, 'job', first));
    expect(await take(first, 40, 21)).toBe(false);
    await ingest((tx) => releaseLease(tx, 'job', second));
    expect(await take(first, 40, 21)).toBe(true);
  });
});
