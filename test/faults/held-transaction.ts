/** An outside PostgreSQL client that holds a transaction open for a while, and what portals notice of it meanwhile. */
import { Client } from 'pg';
import { ApiClient } from '../../src/commands/demo/api-client';
import { createTestDatabase, testServerUrl } from '../support/database';
import { ServerProcess } from '../support/server';
import { Subscriber } from '../support/subscriber';
import { DAY, iccidOf, makeCustomer, OPERATOR_KEY, sendUsage } from './usage-story';

/** What the outsider does before it falls asleep with its transaction open. */
const outsideWork = [
  `SELECT count(*) FROM usage_record`,
  `UPDATE client SET name = name`,
  `UPDATE sim SET updated_at = now()`,
  `INSERT INTO usage_client_hour (client_id, hour, uplink_bytes, downlink_bytes) VALUES (77, '${DAY}T10:00:00Z', 1, 1)`,
  // an event of the customer, older than all that follow: nobody may wait for it, and nobody may lose it
  `INSERT INTO event_pending (client_id, event_id, type, subject_id, sequence, fields, attributes, occurred_at)
   SELECT client_id, '00000000-0000-7000-8000-000000000000', 'ALERT_CHANGED', '00000000-0000-7000-8000-000000000001', 1, '{}', '{}', now() FROM client WHERE client_id > 0`,
];

export interface Delivery {
  /** Milliseconds from sending a record to the frame with the alert it caused, at a portal on another process; one for each record. */
  readonly milliseconds: readonly number[];
  /** Whether the outsider's own event came, and only after its commit. */
  readonly lateEventCame: boolean;
  readonly heldMilliseconds: number;
}

/** Sends record after record as long as the outsider holds on, at most `mostRecords`; by default the outsider waits for all of these. */
export async function deliverWhileHeld(mostRecords: number, holdMilliseconds = Infinity): Promise<Delivery> {
  const database = await createTestDatabase(testServerUrl!);
  const options = { databaseUrl: database.url, dataDirectory: null, operatorKey: OPERATOR_KEY, startsAt: `${DAY}T12:00:00Z` };
  const servers = await Promise.all([ServerProcess.start(options), ServerProcess.start(options)]);
  const outsider = new Client({ connectionString: database.url });
  const [inbound, outbound] = servers.map(({ url }) => url);
  const operator = new ApiClient(inbound!, OPERATOR_KEY);
  const customer = await makeCustomer(operator, 'Acme', 0, mostRecords + 1);
  const portal = new Subscriber('alertChanged', customer.key);
  portal.connect(outbound!);
  try {
    await followRecord(inbound!, portal, mostRecords);
    await outsider.connect();
    await outsider.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    for (const statement of outsideWork) await outsider.query(statement);
    const heldFrom = performance.now();
    const milliseconds: number[] = [];
    while (performance.now() < heldFrom + holdMilliseconds && milliseconds.length < mostRecords)
      milliseconds.push(await followRecord(inbound!, portal, milliseconds.length));
    const cameEarly = portal.changes.some(isLate);
    const heldMilliseconds = performance.now() - heldFrom;
    await outsider.query('COMMIT');
    await portal.change(isLate);
    return { milliseconds, heldMilliseconds, lateEventCame: !cameEarly };
  } finally {
    portal.disconnect();
    await outsider.end();
    await Promise.all(servers.map((server) => server.kill()));
    await database.drop();
  }
}

async function followRecord(url: string, portal: Subscriber, number: number): Promise<number> {
  const sentAt = performance.now();
  const answered = sendUsage(url, `batch ${number}`, number);
  const { receivedAt } = await portal.change(({ iccid }) => iccid === iccidOf(number));
  expect(await answered).toMatchObject({ status: 200, accepted: 1 });
  return receivedAt - sentAt;
}

/** The outsider's event is of an alert that there is none of. */
function isLate({ iccid }: Subscriber['changes'][number]): boolean {
  return iccid === null;
}

export function inWords({ milliseconds, heldMilliseconds }: Delivery): string {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const quantile = (share: number): string => `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!)} ms`;
  return `transaction held ${(heldMilliseconds / 1000).toFixed(1)} s: ${sorted.length} alerts, record to frame p50 ${quantile(0.5)}, p99 ${quantile(0.99)}, longest ${quantile(1)}`;
}
