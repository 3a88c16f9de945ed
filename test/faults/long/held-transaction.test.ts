/** The whole minute: an outside client with an open transaction, and alerts all the while. */
import { testServerUrl } from '../../support/database';
import { deliverWhileHeld, inWords } from '../held-transaction';

const onPostgresql = testServerUrl === null ? test.skip : test;

onPostgresql(
  'portals get alerts within a second while an outside client holds a transaction open for 60 s',
  async () => {
    const delivery = await deliverWhileHeld(5_000, 60_000);
    process.stdout.write(`${inWords(delivery)}\n`);
    expect(delivery.heldMilliseconds).toBeGreaterThanOrEqual(60_000);
    expect(Math.max(...delivery.milliseconds)).toBeLessThan(1_000);
    expect(delivery.lateEventCame).toBe(true);
  },
  180_000,
);
