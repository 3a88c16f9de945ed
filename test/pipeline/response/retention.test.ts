/** What left long ago, and answers for repeats, are forgotten; what is still owed never is. */
import { randomUUID } from 'node:crypto';
import { ResponseRetention } from '../../../src/response';
import { testLog } from '../../support/database';
import { World } from './world';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());

const daysAgo = (days: number): Date => new Date(world.clock.now().getTime() - days * 86_400_000);

test('messages go after 90 days, answers for repeats after 7, what is owed stays', async () => {
  const { clientId } = await world.customer({ sims: 1 });
  await world.write(clientId, async (tx) => {
    for (const [key, state, finishedDaysAgo] of [
      ['sent long ago', 'SENT', 91],
      ['dead long ago', 'DEAD', 91],
      ['sent lately', 'SENT', 89],
      ['owed since long', 'PENDING', null],
    ] as const) {
      await tx.query(
        `INSERT INTO outbox (client_id, message_id, order_key, sequence, topic, payload, state, due_at, created_at, finished_at)
         VALUES ($1, $2, $3, 1, 'test', '{}', $4, $5, $5, $6) RETURNING message_id`,
        [clientId, randomUUID(), key, state, daysAgo(400), finishedDaysAgo === null ? null : daysAgo(finishedDaysAgo)],
      );
    }
    for (const [key, days] of [
      ['old', 8],
      ['young', 6],
    ] as const) {
      await tx.query(
        `INSERT INTO idempotency (client_id, operation, key, request_hash, result, created_at) VALUES ($1, 'test', $2, '', '{}', $3) RETURNING key`,
        [clientId, key, daysAgo(days)],
      );
    }
  });
  await new ResponseRetention(world.storage.database, world.clock, testLog).drain();
  expect(await world.query('SELECT order_key FROM outbox WHERE client_id = $1 ORDER BY order_key', [clientId])).toEqual([
    { order_key: 'owed since long' },
    { order_key: 'sent lately' },
  ]);
  expect(await world.query('SELECT key FROM idempotency WHERE client_id = $1', [clientId])).toEqual([{ key: 'young' }]);
});
