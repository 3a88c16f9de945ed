/** Nobody outside can hold back live delivery by leaving a transaction open. `npm run faults` holds it for a minute, with a limit on each alert's way. */
import { testServerUrl } from '../support/database';
import { deliverWhileHeld } from './held-transaction';

/** The embedded database has no outside clients; there is no PostgreSQL unless TEST_DATABASE_URL names one. */
const onPostgresql = testServerUrl === null ? test.skip : test;

onPostgresql('portals get alerts while an outside client holds a transaction open, and what it wrote when it commits', async () => {
  const delivery = await deliverWhileHeld(20);
  expect(delivery.milliseconds).toHaveLength(20);
  expect(delivery.lateEventCame).toBe(true);
});
