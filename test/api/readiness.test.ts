/** A process says at once whether it may take traffic, even while its database is at something long. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Transaction, TransactionOptions } from '../../src/database/database';
import { healthRouter } from '../../src/health';
import { ManualClock } from '../../src/runtime';
import { openTestDatabase, type TestDatabase } from '../support/database';

let opened: TestDatabase;
let server: Server;
/** What questions to the database wait for. */
let behind: Promise<void> = Promise.resolve();

beforeAll(async () => {
  opened = await openTestDatabase();
  const { database } = opened;
  const busy = Object.assign(Object.create(database) as typeof database, {
    transaction: async <T>(options: TransactionOptions, work: (transaction: Transaction) => Promise<T>) => {
      await behind;
      return database.transaction(options, work);
    },
  });
  const router = healthRouter({ database: busy, clock: new ManualClock(new Date()), accepting: () => true });
  server = createServer(express().use(router)).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.close();
  await opened.close();
});

async function ask(): Promise<{ status: number; state: string; milliseconds: number }> {
  const before = performance.now();
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`);
  const { database } = (await answer.json()) as { database: { state: string } };
  return { status: answer.status, state: database.state, milliseconds: performance.now() - before };
}

test('a busy database leaves the process ready, and whoever asks is not kept waiting for it', async () => {
  expect(await ask()).toMatchObject({ status: 200, state: 'ready' });
  let done = () => {};
  behind = new Promise((resolve) => (done = resolve));
  let answer = await ask();
  // what was asked a moment ago still holds
  while (answer.state === 'ready') answer = await ask();
  expect(answer).toMatchObject({ status: 200, state: 'busy' });
  expect(answer.milliseconds).toBeLessThan(1_000);
  done();
  while (answer.state === 'busy') answer = await ask();
  expect(answer).toMatchObject({ status: 200, state: 'ready' });
});
