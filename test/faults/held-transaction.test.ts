/** Nobody outside can hold back live delivery by leaving a transaction open. `npm run faults` holds it for a minute. */
import { testServerUrl } from '../support/database';
import { deliverWhileHeld, inWords } from './held-transaction';

/** The embedded database has no outside clients; there is no PostgreSQL unless TEST_DATABASE_URL names one. */
const onPostgresql = testServerUrl === null ? test.skip : test;

onPostgresql(
  'portals get alerts within a second while an outside client holds a transaction open, and what it wrote when it commits',
  async () => {
    const delivery = await deliverWhileHeld(5_000, 400);
    process.stdout.write(`${inWords(delivery)}\n`);
    expect(delivery.milliseconds.length).toBeGreaterThan(4);
    expect(Math.max(...delivery.milliseconds)).toBeLessThan(1_000);
    expect(delivery.lateEventCame).toBe(true);
  },
  60_000,
);
