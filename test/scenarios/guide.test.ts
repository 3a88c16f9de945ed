/** The guide "How to detect IoT fraud and anomalies", step by step, on six customers' fleets: as an operator would walk it through the API. */
import { columns, makePopulation, simsCsv, telemetryBetween, toCsv, type StoryKind } from '../../seeds';
import { startTestApp, type TestApp } from '../support/app';

const HOUR = 3_600_000;
const END = new Date('2026-11-15T00:00:00Z');
const population = makePopulation({ sims: 60, days: 12, seed: 2, end: END });
/** Before it nothing is wrong. */
const STORIES_FROM = END.getTime() - 5 * 24 * HOUR;
const DAILY_LIMIT_MEGABYTES: Readonly<Record<string, number>> = {
  'River Research': 20,
  'Volta Charging': 120,
  'Gatekeeper Cameras': 500,
  'Andes Metering': 5,
  'Iberia Tracking': 40,
  'Quiet Elevators': 40,
};

interface SeenAlert {
  readonly id: string;
  readonly detector: string;
  readonly kind: string;
  readonly severity: string;
  readonly state: string;
  /** The clock when it was raised. */
  readonly createdAt: string;
  readonly network: string | null;
  readonly sim: { readonly iccid: string } | null;
  readonly evidence: readonly { readonly text: string }[];
}

let house: TestApp;
/** Client name → id. */
const clients = new Map<string, string>();
const ask = <Data extends object>(query: string, variables: Record<string, unknown> = {}) => house.operator.graphql<Data>(query, variables);

/** Days while nothing is wrong, then twelve hours at a time, each delivered when it has passed. */
beforeAll(async () => {
  house = await startTestApp({ now: population.from, workers: false });
  await house.operator.ingest('sims', simsCsv(population), 'sims');
  for (const client of new Set(population.sims.map((sim) => sim.client))) clients.set(client, await house.clientId(client));
  for (const [client, megabytes] of Object.entries(DAILY_LIMIT_MEGABYTES)) {
    await ask('mutation Limit($input: SetThresholdInput!) { setThreshold(input: $input) { userErrors { message } } }', {
      input: { client: clients.get(client), measure: 'PER_SIM', period: 'DAY', limitBytes: String(megabytes * 1e6) },
    });
  }
  for (let from = population.from.getTime(); from < END.getTime();) {
    const to = from + (from < STORIES_FROM ? 24 : 12) * HOUR;
    const { usage, connectionEvents, deviceEvents } = telemetryBetween(population, new Date(from), new Date(to));
    house.clock.set(new Date(to));
    const batch = new Date(from).toISOString();
    await house.operator.ingest('usage', toCsv(usage, columns.usage), batch);
    await house.operator.ingest('connection-events', toCsv(connectionEvents, columns.connectionEvents), batch);
    await house.operator.ingest('device-events', toCsv(deviceEvents, columns.deviceEvents), batch);
    await house.app.settle();
    from = to;
  }
});
afterAll(() => house.close());

function storyOf(kind: StoryKind) {
  return population.stories.find((story) => story.kind === kind)!;
}

async function alertsOf(client: string): Promise<SeenAlert[]> {
  const { alerts } = await ask<{ alerts: { nodes: SeenAlert[] } }>(
    `query Alerts($client: ID) {
      alerts(first: 100, filter: { client: $client }) { nodes { id detector kind severity state createdAt network sim { iccid } evidence { text } } }
    }`,
    { client: clients.get(client) },
  );
  return alerts.nodes;
}

/** Which detectors spoke of the story's SIMs, and whether anyone else was accused. */
async function found(kind: StoryKind): Promise<{ detectors: Set<string>; bystanders: SeenAlert[] }> {
  const story = storyOf(kind);
  const alerts = (await alertsOf(story.client)).filter(({ severity }) => severity !== 'INFO');
  const concerns = ({ sim }: SeenAlert) => sim === null || story.iccids.includes(sim.iccid);
  return {
    detectors: new Set(alerts.filter(concerns).map(({ detector }) => detector)),
    bystanders: alerts.filter((alert) => !concerns(alert)),
  };
}

async function incidentOf(
  iccid: string,
): Promise<{ id: string; state: string; proposedRootCause: string; rootCause: string | null; severity: string }> {
  const { simByIccid } = await ask<{
    simByIccid: { incidents: { nodes: { id: string; state: string; proposedRootCause: string; rootCause: null; severity: string }[] } };
  }>(
    'query Incidents($iccid: ICCID!) { simByIccid(iccid: $iccid) { incidents(first: 1) { nodes { id state proposedRootCause rootCause severity } } } }',
    { iccid },
  );
  return simByIccid.incidents.nodes[0]!;
}

test('1. each model family has its profile of a normal day', async () => {
  const { baselines } = await ask<{
    baselines: { nodes: { family: string; day: string; medianBytes: number; sims: number; days: number }[] };
  }>(
    '{ baselines(first: 100, filter: { period: DAY, from: "2026-11-10", to: "2026-11-11" }) { nodes { family day medianBytes sims days } } }',
  );
  const usual = new Map(baselines.nodes.map((baseline) => [baseline.family, baseline.medianBytes / 1e6]));
  for (const { family } of population.sims) {
    expect(usual.get(family.name)! / family.megabytesPerDay).toBeGreaterThan(0.6);
    expect(usual.get(family.name)! / family.megabytesPerDay).toBeLessThan(1.6);
  }
  expect(baselines.nodes.every(({ sims, days }) => sims === 10 && days >= 7)).toBe(true);
});

test('2. the stolen SIM passes its daily limit as soon as it streams, and is far above its family', async () => {
  const { detectors, bystanders } = await found('STOLEN_SIM');
  expect([...detectors]).toEqual(expect.arrayContaining(['threshold', 'imei-mismatch', 'baseline-multiple', 'unusual-destination']));
  expect(bystanders).toEqual([]);
  const [limit] = (await alertsOf('River Research')).filter(({ kind }) => kind === 'DAILY_LIMIT');
  expect(limit).toMatchObject({ severity: 'CRITICAL', state: 'OPEN' });
  expect(limit!.evidence[0]!.text).toMatch(/GB today, limit 20 MB/);
});

test("3. it leads the list of yesterday's top consumers, which says how often each was there", async () => {
  const { topConsumers } = await ask<{
    topConsumers: { rank: number; daysListed: number; ratioToBaseline: number; sim: { iccid: string } }[];
  }>('query Top($client: ID!) { topConsumers(scope: { client: $client }) { rank daysListed ratioToBaseline sim { iccid } } }', {
    client: clients.get('River Research'),
  });
  expect(topConsumers[0]).toMatchObject({ rank: 1, sim: { iccid: storyOf('STOLEN_SIM').iccids[0] } });
  expect(topConsumers[0]!.ratioToBaseline).toBeGreaterThan(1_000);
  expect(topConsumers.map(({ rank }) => rank)).toEqual(topConsumers.map((_, index) => index + 1));
  expect(topConsumers.every(({ daysListed }) => daysListed >= 1 && daysListed <= 7)).toBe(true);
});

test("4. the device's own events tell the firmware loop apart", async () => {
  const story = storyOf('FIRMWARE_LOOP');
  const { detectors, bystanders } = await found('FIRMWARE_LOOP');
  expect(detectors).toContain('device-event-storm');
  expect(bystanders).toEqual([]);
  for (const iccid of story.iccids) expect(await incidentOf(iccid)).toMatchObject({ proposedRootCause: 'FIRMWARE_BUG', state: 'OPEN' });
  const { simByIccid } = await ask<{ simByIccid: { id: string } }>('query Sim($iccid: ICCID!) { simByIccid(iccid: $iccid) { id } }', {
    iccid: story.iccids[0],
  });
  const { deviceEvents } = await ask<{ deviceEvents: { nodes: { type: string }[] } }>(
    'query Events($sim: ID!) { deviceEvents(first: 50, filter: { sim: $sim }) { nodes { type } } }',
    { sim: simByIccid.id },
  );
  expect(new Set(deviceEvents.nodes.map(({ type }) => type))).toEqual(new Set(['REBOOT', 'TLS_ERROR']));
});

test('6. a root cause is proposed for each: stolen, malware, a network that lets nobody in', async () => {
  expect(await incidentOf(storyOf('STOLEN_SIM').iccids[0]!)).toMatchObject({ proposedRootCause: 'STOLEN_SIM', severity: 'CRITICAL' });
  expect((await found('MALWARE')).detectors).toContain('unusual-destination');
  for (const iccid of storyOf('MALWARE').iccids) expect(await incidentOf(iccid)).toMatchObject({ proposedRootCause: 'MALWARE' });
  const roaming = await found('ROAMING_FAILURE');
  expect(roaming.detectors).toContain('connection-failures');
  expect(roaming.bystanders).toEqual([]);
  const network = (await alertsOf('Iberia Tracking')).filter((alert) => alert.network !== null);
  expect(network).toMatchObject([{ network: '214-07', state: 'OPEN' }]);
});

test('pitfall: a SIM that falls silent is not overlooked, and its neighbours are not suspected', async () => {
  const { bystanders } = await found('DEAD_METER');
  const alerts = await alertsOf('Andes Metering');
  expect(alerts.filter(({ kind }) => kind === 'SILENT_SIM')).toMatchObject([
    { state: 'OPEN', sim: { iccid: storyOf('DEAD_METER').iccids[0] } },
  ]);
  expect(bystanders).toEqual([]);
});

test('the customer that behaves has no warning, ever', async () => {
  const alerts = (await alertsOf('Quiet Elevators')).filter(({ severity }) => severity !== 'INFO');
  expect(alerts).toEqual([]);
});

test('nobody is accused before anything was wrong', async () => {
  for (const client of clients.keys()) {
    const early = (await alertsOf(client)).filter(
      ({ severity, createdAt }) => severity !== 'INFO' && Date.parse(createdAt) <= STORIES_FROM,
    );
    expect(early).toEqual([]);
  }
});

test('5. the stolen SIM is blocked in two steps; what the block would do is shown first', async () => {
  const iccid = storyOf('STOLEN_SIM').iccids[0]!;
  const { simByIccid: sim } = await ask<{ simByIccid: { id: string } }>('query Sim($iccid: ICCID!) { simByIccid(iccid: $iccid) { id } }', {
    iccid,
  });
  const { requestBlock } = await ask<{
    requestBlock: { blockRequest: { id: string; needsSecondPerson: boolean; impact: { simCount: number; bytesLast24Hours: string } } };
  }>(
    `mutation Ask($input: RequestBlockInput!) {
      requestBlock(input: $input) { blockRequest { id needsSecondPerson impact { simCount bytesLast24Hours } } userErrors { message } }
    }`,
    {
      input: {
        sims: [sim.id],
        mode: 'PERMANENT_REJECT',
        reason: 'Stolen: another device, streaming video',
        incident: (await incidentOf(iccid)).id,
      },
    },
  );
  const { blockRequest } = requestBlock;
  expect(blockRequest).toMatchObject({ needsSecondPerson: false, impact: { simCount: 1 } });
  expect(Number(blockRequest.impact.bytesLast24Hours)).toBeGreaterThan(1e9);
  await house.app.settle();
  expect(await blockStateOf(iccid)).toBe('BLOCK_REQUESTED');
  await ask('mutation Confirm($input: ConfirmBlockInput!) { confirmBlock(input: $input) { userErrors { message } } }', {
    input: { blockRequest: blockRequest.id },
  });
  await house.app.settle();
  expect(await blockStateOf(iccid)).toBe('BLOCKED');
});

test('5. an elevator is not cut off by one person alone', async () => {
  const { sims } = await ask<{ sims: { nodes: { id: string; iccid: string }[] } }>(
    'query Elevators($client: ID) { sims(first: 1, filter: { client: $client }) { nodes { id iccid } } }',
    { client: clients.get('Quiet Elevators') },
  );
  const [elevator] = sims.nodes;
  const { requestBlock } = await ask<{ requestBlock: { blockRequest: { id: string; needsSecondPerson: boolean } } }>(
    'mutation Ask($input: RequestBlockInput!) { requestBlock(input: $input) { blockRequest { id needsSecondPerson } userErrors { message } } }',
    { input: { sims: [elevator!.id], mode: 'PERMANENT_REJECT', reason: 'By mistake' } },
  );
  expect(requestBlock.blockRequest.needsSecondPerson).toBe(true);
  const confirm = ask('mutation Confirm($input: ConfirmBlockInput!) { confirmBlock(input: $input) { userErrors { message } } }', {
    input: { blockRequest: requestBlock.blockRequest.id },
  });
  await expect(confirm).rejects.toThrow('another person');
  expect(await blockStateOf(elevator!.iccid)).toBe('BLOCK_REQUESTED');
});

test('6. the incident is closed with its root cause, and its log tells how it went', async () => {
  const { id: incident } = await incidentOf(storyOf('STOLEN_SIM').iccids[0]!);
  await ask('mutation Close($input: CloseIncidentInput!) { closeIncident(input: $input) { userErrors { message } } }', {
    input: { incident, rootCause: 'STOLEN_SIM', note: 'Reported to the police.' },
  });
  const { incident: closed } = await ask<{
    incident: { state: string; rootCause: string; liveAlerts: number; log: { nodes: { action: string }[] } };
  }>('query Log($id: ID!) { incident(id: $id) { state rootCause liveAlerts log(first: 100) { nodes { action } } } }', { id: incident });
  expect(closed).toMatchObject({ state: 'CLOSED', rootCause: 'STOLEN_SIM', liveAlerts: 0 });
  expect(closed.log.nodes.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['OPENED', 'ALERT_JOINED', 'ROOT_CAUSE_PROPOSED', 'CLOSED']),
  );
});

async function blockStateOf(iccid: string): Promise<string> {
  const { simByIccid } = await ask<{ simByIccid: { blockState: string } }>(
    'query Sim($iccid: ICCID!) { simByIccid(iccid: $iccid) { blockState } }',
    { iccid },
  );
  return simByIccid.blockState;
}
