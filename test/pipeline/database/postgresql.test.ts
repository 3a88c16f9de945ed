/** What only a server has: other processes, and connections that are lost. Runs where TEST_DATABASE_URL names one. */
import { once } from 'node:events';
import { Client } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, PokeChannel } from '../../../src/database/database';
import { openDatabase } from '../../../src/database/open';
import { openTestDatabase, testLog, testServerUrl, type TestDatabase } from '../../support/database';

const onServer = testServerUrl === null ? describe.skip : describe;

onServer('PostgreSQL', () => {
  let db: TestDatabase;
  let outside: Client;

  beforeAll(async () => {
    db = await openTestDatabase({ poolSize: 3 });
    outside = new Client({ connectionString: db.url! });
    await outside.connect();
  });
  afterAll(async () => {
    await outside.end();
    await db.close();
  });

  const ping = (database: Database): Promise<unknown> =>
    database.transaction({ name: 'test', role: 'ingest' }, (tx) => tx.query('SELECT 1 AS one'));
  const killAll = (): Promise<unknown> =>
    outside.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()');
  const heard = (database: Database, channel: PokeChannel): Promise<void> =>
    new Promise((resolve) => {
      const stop = database.onPoke(channel, () => {
        stop();
        resolve();
      });
    });

  test('when the server ends all connections, open transactions fail clearly and the next ones work', async () => {
    await Promise.all([ping(db.database), ping(db.database), ping(db.database)]);
    const inFlight = db.database.transaction({ name: 'test', role: 'ingest' }, async (tx) => {
      await tx.query(`INSERT INTO lease (name, held_until) VALUES ('in flight', 'epoch')`);
      await killAll();
      await tx.query('SELECT 1');
    });
    await expect(inFlight).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    const idle = Array.from({ length: 6 }, () => ping(db.database).catch((error: { code: string }) => error.code));
    for (const outcome of await Promise.all(idle)) expect([[{ one: 1 }], 'DATABASE_UNAVAILABLE']).toContainEqual(outcome);
    expect(await ping(db.database)).toEqual([{ one: 1 }]);
    const { rows } = await outside.query(`SELECT count(*)::int4 AS n FROM lease`);
    expect(rows).toEqual([{ n: 0 }]);
  });

  test('a statement that overruns its time is cancelled by the server, and says so', async () => {
    const slow = db.database.transaction({ name: 'test', role: 'ingest', statementTimeoutMs: 100 }, (tx) =>
      tx.query('SELECT pg_sleep(30)'),
    );
    await expect(slow).rejects.toMatchObject({ code: 'STATEMENT_TIMEOUT', details: { milliseconds: 100 } });
  });

  test('who waits too long for a connection is told so', async () => {
    const waiting = await openDatabase({ url: db.url, entities: [], log: testLog, poolSize: 2, leaseTimeoutMs: 2_000 });
    await waiting.transaction({ name: 'one', role: 'ingest' }, () =>
      waiting.transaction({ name: 'two', role: 'ingest' }, async () => {
        await expect(ping(waiting)).rejects.toMatchObject({ code: 'DATABASE_BUSY' });
      }),
    );
    expect(await ping(waiting)).toEqual([{ one: 1 }]);
    await waiting.close();
  });

  test('a poke after a commit reaches the workers of other processes, and they of it, also after the listening connection was lost', async () => {
    const other = await openDatabase({ url: db.url, entities: [], log: testLog, poolSize: 2 });
    const first = heard(other, 'evaluation');
    await db.database.transaction({ name: 'test', role: 'ingest' }, (tx) => Promise.resolve(tx.poke('evaluation')));
    await first;
    // Coming back, each wakes its workers once, because pokes may have been missed.
    const caughtUp = Promise.all([heard(db.database, 'access'), heard(other, 'access')]);
    await killAll();
    await caughtUp;
    const again = heard(db.database, 'event_pending');
    other.poke('event_pending');
    await again;
    await other.close();
  });

  test('a poke reaches its own process once, and a burst of them is a few notifications', async () => {
    let here = 0;
    const stop = db.database.onPoke('event_log', () => (here += 1));
    await outside.query('LISTEN simwarden_poke');
    let notifications = 0;
    outside.on('notification', () => (notifications += 1));
    const some = once(outside, 'notification');
    for (let poke = 0; poke < 50; poke++) db.database.poke('event_log');
    await some;
    // A second round trip on the listening connection's way: whatever was sent has arrived by then.
    await ping(db.database);
    await outside.query('SELECT 1');
    await delay(0);
    stop();
    expect(here).toBe(50);
    expect(notifications).toBe(1);
  });

  test('an unreachable server is reported as such', async () => {
    await expect(openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', entities: [], log: testLog })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
  });
});
