/** What is decided of a day, as people meet it: what matters first, and what somebody said of it before. */
import { ApiClient } from '../../../src/commands/demo/api-client';
import { encodeCursor } from '../../../src/graphql/connection';
import { toGlobalId } from '../../../src/graphql/global-id';
import { startTestApp, type TestApp } from '../../support/app';
import { DetectionWorld } from '../detection/support';
import { farFromMedian, type Fleet } from './feature-town';
import { settleClient, storeFeatures, type Settled } from './population-world';

const fleets: readonly Fleet[] = [
  { country: 'ES', life: 0, devices: 120 },
  { country: 'FR', life: 1, devices: 60 },
];
const [spain, france] = fleets as [Fleet, Fleet];
const DETECTOR = 'far-from-median';

let app: TestApp;
let acme: ApiClient;
let settled: Settled;
let bolt: Settled;

beforeAll(async () => {
  app = await startTestApp({ workers: false, detectors: [farFromMedian], now: new Date('2026-11-11T06:00:00Z') });
  const world = DetectionWorld.on(app.app.database);
  settled = await settleClient(world, 'Acme', fleets);
  bolt = await settleClient(world, 'Bolt', fleets);
  for (const day of [8, 9, 10]) {
    await storeFeatures(app.app.database, settled, day === 10 ? [{ ...spain, rejected: 30 }, france] : fleets, day);
    await storeFeatures(app.app.database, bolt, fleets, day);
  }
  acme = new ApiClient(app.url, await app.keyFor('Acme', 'CLIENT_ADMIN'));
  const enable = `mutation { configureDetector(input: { detector: "${DETECTOR}", mode: ENABLED }) { userErrors { message } } }`;
  await app.operator.graphql(enable);
});
afterAll(async () => {
  await acme.close();
  await app.close();
});

let seed = 0;
async function judge(day: string): Promise<void> {
  seed += 1;
  await app.operator.graphql(`mutation { runDetection(input: { day: "${day}", seed: ${seed} }) { userErrors { message } } }`);
  await app.app.settle();
}

/** Each word is given a minute after the one before. */
async function say(anomaly: string, verdict: string, more: object = {}): Promise<void> {
  app.clock.set(new Date(app.clock.now().getTime() + 60_000));
  const { recordFeedback } = await acme.graphql<{ recordFeedback: { results: { error: object | null }[] } }>(
    'mutation F($input: RecordFeedbackInput!) { recordFeedback(input: $input) { results { error { message } } userErrors { message } } }',
    { input: { anomalies: [anomaly], verdict, ...more } },
  );
  expect(recordFeedback.results).toEqual([{ error: null }]);
}

interface Listed {
  readonly id: string;
  readonly feedback: { readonly verdict: string } | null;
  readonly suppressedBy: { readonly verdict: string; readonly reason: string; readonly until: string | null; readonly by: string } | null;
}

/** The anomaly as it is listed: among those that show, or those that are hidden; null where it is in neither. */
async function listed(field: 'anomalies' | 'clientAnomalies', id: string): Promise<(Omit<Listed, 'id'> & { hidden: boolean }) | null> {
  const day = Buffer.from(id, 'base64url').toString('utf8').split(':')[2]!;
  const found = [];
  for (const hidden of [false, true]) {
    const page = await acme.graphql<Record<string, { nodes: Listed[] }>>(
      `{ ${field}(day: "${day}", first: 100, filter: { detector: "${DETECTOR}", suppressed: ${hidden} }) {
        nodes { id feedback { verdict } suppressedBy { verdict reason until by } } } }`,
    );
    found.push(
      ...page[field]!.nodes.filter((node) => node.id === id).map(({ feedback, suppressedBy }) => ({ feedback, suppressedBy, hidden })),
    );
  }
  expect(found.length).toBeLessThan(2);
  return found[0] ?? null;
}

async function liveAlerts(kind: string): Promise<(string | null)[]> {
  const { alerts } = await acme.graphql<{ alerts: { nodes: { country: string | null; sim: { id: string } | null }[] } }>(
    `{ alerts(first: 100, filter: { kind: "${kind}", state: [OPEN] }) { nodes { country sim { id } } } }`,
  );
  return alerts.nodes.map(({ country, sim }) => sim?.id ?? country);
}

test('HARMLESS of a client in a country hides the days after it, until somebody says later that it is harmful after all', async () => {
  await judge('2026-11-09');
  const spainOn = (day: number) => toGlobalId('ClientAnomaly', settled.clientId, `2026-11-${String(day).padStart(2, '0')}:${DETECTOR}:ES`);
  await say(spainOn(9), 'HARMLESS', { reason: 'a firmware campaign', until: '2026-11-30' });
  await judge('2026-11-10');
  const campaign = { verdict: 'HARMLESS', reason: 'a firmware campaign', until: '2026-11-30', by: expect.any(String) };
  expect(await listed('clientAnomalies', spainOn(10))).toEqual({ hidden: true, feedback: { verdict: 'HARMLESS' }, suppressedBy: campaign });
  expect(await liveAlerts('CLIENT_ANOMALY')).toEqual([]);

  for (const verdict of ['UNSURE', 'EXPECTED', 'DUPLICATE']) {
    await say(spainOn(10), verdict);
    expect(await listed('clientAnomalies', spainOn(10))).toEqual({ hidden: true, feedback: { verdict }, suppressedBy: campaign });
  }

  await say(spainOn(10), 'HARMFUL', { reason: 'no campaign of ours' });
  expect(await listed('clientAnomalies', spainOn(10))).toEqual({ hidden: false, feedback: { verdict: 'HARMFUL' }, suppressedBy: null });
  expect(await listed('clientAnomalies', spainOn(9))).toMatchObject({ hidden: true, suppressedBy: campaign });
  await judge('2026-11-10');
  expect(await liveAlerts('CLIENT_ANOMALY')).toEqual(['ES']);

  await say(spainOn(9), 'HARMLESS', { reason: 'it was one' });
  expect(await listed('clientAnomalies', spainOn(10))).toMatchObject({
    hidden: true,
    feedback: { verdict: 'HARMFUL' },
    suppressedBy: { reason: 'it was one', until: null },
  });
  await judge('2026-11-10');
  expect(await liveAlerts('CLIENT_ANOMALY')).toEqual([]);

  await say(spainOn(9), 'HARMLESS', { reason: 'until the night', until: '2026-11-09' });
  expect(await listed('clientAnomalies', spainOn(10))).toEqual({ hidden: false, feedback: { verdict: 'HARMFUL' }, suppressedBy: null });
  await judge('2026-11-10');
  expect(await liveAlerts('CLIENT_ANOMALY')).toEqual(['ES']);
});

test('HARMLESS of a SIM is taken back by a later HARMFUL, and says meanwhile who hides it and why', async () => {
  const worst = `{ anomalies(day: "2026-11-10", first: 1, filter: { detector: "${DETECTOR}", country: "ES" }) { nodes { id sim { id } } } }`;
  const { anomalies } = await acme.graphql<{ anomalies: { nodes: { id: string; sim: { id: string } }[] } }>(worst);
  const { id: today, sim } = anomalies.nodes[0]!;
  const simId = Buffer.from(today, 'base64url').toString('utf8').split(':').at(-1)!;
  await app.app.database.transaction({ name: 'test.flag', role: 'ingest', clientId: settled.clientId }, (tx) =>
    tx.query(
      `INSERT INTO device_anomaly (client_id, day, detector_id, sim_id, country, cluster, score, raw_score, evidence)
       SELECT $1::int4, date '2026-11-09', detector_id, sim_id, country, cluster, score, raw_score, evidence
         FROM device_anomaly WHERE client_id = $1 AND day = '2026-11-10' AND detector_id = $2 AND sim_id = $3
       ON CONFLICT DO NOTHING`,
      [settled.clientId, DETECTOR, simId],
    ),
  );
  const yesterday = toGlobalId('DeviceAnomaly', settled.clientId, `2026-11-09:${DETECTOR}:${simId}`);
  expect(await liveAlerts('UNUSUAL_SIGNALING')).toContain(sim.id);

  await say(yesterday, 'HARMLESS', { reason: 'a test rig' });
  const rig = { verdict: 'HARMLESS', reason: 'a test rig', until: null, by: expect.any(String) };
  expect(await listed('anomalies', today)).toEqual({ hidden: true, feedback: { verdict: 'HARMLESS' }, suppressedBy: rig });
  await say(today, 'UNSURE');
  expect(await listed('anomalies', today)).toEqual({ hidden: true, feedback: { verdict: 'UNSURE' }, suppressedBy: rig });
  await judge('2026-11-10');
  expect(await liveAlerts('UNUSUAL_SIGNALING')).not.toContain(sim.id);

  await say(today, 'HARMFUL', { reason: 'it is stolen after all' });
  expect(await listed('anomalies', today)).toEqual({ hidden: false, feedback: { verdict: 'HARMFUL' }, suppressedBy: null });
  expect(await listed('anomalies', yesterday)).toMatchObject({ hidden: true, suppressedBy: rig });
  await judge('2026-11-10');
  expect(await liveAlerts('UNUSUAL_SIGNALING')).toContain(sim.id);
});

test('decisions come anomalous first and those with too few devices last, page by page; a cursor of the old order is refused', async () => {
  const rows = [
    [settled, 'ES', 2.7, 'ANOMALOUS'],
    [bolt, 'ES', 9.1, 'ANOMALOUS'],
    [settled, 'FR', 3.1, 'NORMAL'],
    [bolt, 'FR', -1.25, 'NORMAL'],
    [settled, 'PT', 3.6, 'ABSTAINED'],
    [bolt, 'PT', 3.6, 'ABSTAINED'],
    [bolt, 'IT', 11, 'ABSTAINED'],
  ] as const;
  for (const [{ clientId }, country, zScore, verdict] of rows)
    await app.app.database.transaction({ name: 'test.decide', role: 'ingest', clientId }, (tx) =>
      tx.query(
        `INSERT INTO client_anomaly (client_id, day, detector_id, country, scope, mode, devices, flagged, expected, z_score, p_value, corrected_p_value,
           verdict, raised_sims)
         VALUES ($1, '2026-10-05', $2, $3, 'GLOBAL', 'ENABLED', 1, 1, 1, $4, 1, 1, $5, '{}')`,
        [clientId, DETECTOR, country, zScore, verdict],
      ),
    );
  const page = `query P($after: String) { clientAnomalies(day: "2026-10-05", first: 2, after: $after, filter: { detector: "${DETECTOR}" }) {
    nodes { country verdict zScore client { name } } pageInfo { endCursor hasNextPage } } }`;
  interface Page {
    clientAnomalies: {
      nodes: { country: string; verdict: string; zScore: number; client: { name: string } }[];
      pageInfo: { endCursor: string; hasNextPage: boolean };
    };
  }
  const seen: string[] = [];
  for (let after: string | null = null, more = true; more;) {
    const { clientAnomalies }: Page = await app.operator.graphql<Page>(page, { after });
    seen.push(...clientAnomalies.nodes.map(({ country, verdict, zScore, client }) => `${verdict} ${client.name} ${country} ${zScore}`));
    after = clientAnomalies.pageInfo.endCursor;
    more = clientAnomalies.pageInfo.hasNextPage;
  }
  expect(seen).toEqual([
    'ANOMALOUS Bolt ES 9.1',
    'ANOMALOUS Acme ES 2.7',
    'NORMAL Acme FR 3.1',
    'NORMAL Bolt FR -1.25',
    'ABSTAINED Bolt IT 11',
    'ABSTAINED Bolt PT 3.6',
    'ABSTAINED Acme PT 3.6',
  ]);
  await expect(app.operator.graphql(page, { after: encodeCursor(['9.1', bolt.clientId, 'ES']) })).rejects.toThrow(
    'is not one of this list',
  );
});
