/** The population through the public door: asked for, followed, read, talked about. */
import { AlertRaiser } from '../../../src/alerts';
import { DetectorRegistry } from '../../../src/detection';
import { toGlobalId } from '../../../src/graphql/global-id';
import { liveCursor } from '../../../src/graphql/live-cursor';
import { SystemEntropy } from '../../../src/runtime';
import { OPERATOR_KEY, startTestApp, type TestApp } from '../../support/app';
import { codeIn, SocketPeer } from '../../api/graphql/socket-peer';
import { ApiClient } from '../../../src/commands/demo/api-client';
import { DetectionWorld } from '../detection/support';
import { farFromMedian, type Fleet } from './feature-town';
import { settleClient, storeFeatures, type Settled } from './population-world';

const DAY = '2026-11-10';
const acmeFleets: readonly Fleet[] = [
  { country: 'ES', life: 0, devices: 120 },
  { country: 'FR', life: 1, devices: 60 },
];
const boltFleets: readonly Fleet[] = [
  { country: 'ES', life: 0, devices: 100 },
  { country: 'DE', life: 1, devices: 60 },
];

interface Run {
  id: string;
  state: string;
  rowsDone: number;
  result: { detector: string; anomalous: number; clearest: { country: string }[] }[];
}

let app: TestApp;
let acme: ApiClient;
let bolt: ApiClient;
let settled: Settled;

beforeAll(async () => {
  app = await startTestApp({ workers: false, detectors: [farFromMedian], now: new Date('2026-11-11T06:00:00Z') });
  const world = DetectionWorld.on(app.app.database);
  settled = await settleClient(world, 'Acme', acmeFleets);
  const other = await settleClient(world, 'Bolt', boltFleets);
  for (const day of [8, 9]) {
    await storeFeatures(app.app.database, settled, acmeFleets, day);
    await storeFeatures(app.app.database, other, boltFleets, day);
  }
  await storeFeatures(app.app.database, settled, [{ ...acmeFleets[0]!, rejected: 30 }, acmeFleets[1]!], 10);
  await storeFeatures(app.app.database, other, boltFleets, 10);
  acme = new ApiClient(app.url, await app.keyFor('Acme', 'CLIENT_ADMIN'));
  bolt = new ApiClient(app.url, await app.keyFor('Bolt', 'CLIENT_ADMIN'));
  for (const [detector, mode] of [
    ['isolation-forest', 'DISABLED'],
    ['gaussian-mixture', 'DISABLED'],
    ['tukey-fences', 'DISABLED'],
    ['far-from-median', 'ENABLED'],
  ])
    await app.operator.graphql(
      'mutation C($input: ConfigureDetectorInput!) { configureDetector(input: $input) { userErrors { message } } }',
      { input: { detector, mode } },
    );
});
afterAll(async () => {
  await acme.close();
  await bolt.close();
  await app.close();
});

const filter = '{ detector: "far-from-median" }';

test('somebody asks for a day, and it is judged once', async () => {
  const ask = `mutation { runDetection(input: { day: "${DAY}" }) { run { id state } userErrors { code message } } }`;
  const { runDetection } = await app.operator.graphql<{ runDetection: { run: Run } }>(ask);
  const again = await app.operator.graphql<{ runDetection: { run: Run } }>(ask);
  expect(again.runDetection.run.id).toBe(runDetection.run.id);
  expect(runDetection.run.state).toBe('WAITING');
  await app.app.settle();
  const { populationRun: run } = await app.operator.graphql<{ populationRun: Run }>(
    'query R($id: ID!) { populationRun(id: $id) { id state phase rowsDone rowsTotal generation result warnings error } }',
    { id: runDetection.run.id },
  );
  expect(run).toMatchObject({ state: 'SUCCEEDED', rowsDone: 340, result: [{ detector: 'far-from-median', anomalous: 1 }] });
  await expect(
    app.operator.graphql('mutation { runDetection(input: { day: "2026-10-01" }) { run { id } userErrors { message } } }'),
  ).rejects.toThrow('There are no signaling features of 2026-10-01: no dialogues were stored.');
});

test('a customer reads its decision, its ranking with reasons, and nobody else does', async () => {
  const decisions = `{ clientAnomalies(day: "${DAY}", filter: ${filter}) { totalCount nodes { country devices flagged zScore correctedPValue verdict mode client { name } } } }`;
  const { clientAnomalies } = await acme.graphql<{ clientAnomalies: { nodes: object[] } }>(decisions);
  expect(clientAnomalies).toMatchObject({
    totalCount: 2,
    nodes: [
      { country: 'ES', devices: 120, verdict: 'ANOMALOUS', mode: 'ENABLED', client: { name: 'Acme' } },
      { country: 'FR', devices: 60, verdict: 'NORMAL' },
    ],
  });
  const others = await bolt.graphql<{ clientAnomalies: { nodes: { client: { name: string } }[] } }>(decisions);
  expect(others.clientAnomalies.nodes.map(({ client }) => client.name)).toEqual(['Bolt', 'Bolt']);

  const ranking = `query A($after: String) { anomalies(day: "${DAY}", filter: ${filter}, after: $after) { pageInfo { endCursor hasNextPage }
    nodes { id score cluster country evidence { text } history { day score } sim { iccid } } } }`;
  interface Page {
    anomalies: {
      pageInfo: { endCursor: string };
      nodes: { id: string; score: number; evidence: { text: string }[]; history: { day: string }[] }[];
    };
  }
  const { anomalies: first } = await acme.graphql<Page>(ranking);
  expect(first.nodes).toHaveLength(20);
  expect(first.nodes[0]).toMatchObject({ country: 'ES', history: [{ day: DAY }] });
  expect(first.nodes[0]!.evidence[0]!.text).toMatch(/^n_map_rejects \d+, usual 3$/);
  const { anomalies: second } = await acme.graphql<Page>(ranking, { after: first.pageInfo.endCursor });
  const scores = [...first.nodes, ...second.nodes].map(({ score }) => score);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
  expect(new Set([...first.nodes, ...second.nodes].map(({ id }) => id)).size).toBe(scores.length);
  const node = 'query N($id: ID!) { node(id: $id) { id } }';
  expect(await bolt.graphql(node, { id: first.nodes[0]!.id })).toEqual({ node: null });
  expect(await acme.graphql(node, { id: first.nodes[0]!.id })).toEqual({ node: { id: first.nodes[0]!.id } });
});

test('an empty list says whether the day was judged', async () => {
  type Judged = Record<'anomalies' | 'clientAnomalies', { judgedAt: string | null }>;
  const judged = (day: string) =>
    `{ anomalies(day: "${day}", filter: ${filter}) { judgedAt } clientAnomalies(day: "${day}", filter: ${filter}) { judgedAt } }`;
  for (const caller of [acme, bolt, app.operator]) {
    const { anomalies, clientAnomalies } = await caller.graphql<Judged>(judged(DAY));
    expect(anomalies.judgedAt).toBe('2026-11-11T06:00:00.000Z');
    expect(clientAnomalies).toEqual(anomalies);
    expect(await caller.graphql(judged('2026-10-01'))).toEqual({ anomalies: { judgedAt: null }, clientAnomalies: { judgedAt: null } });
  }
  const foreign = `{ clients { nodes { id name } } }`;
  const { clients } = await app.operator.graphql<{ clients: { nodes: { id: string; name: string }[] } }>(foreign);
  const acmeId = clients.nodes.find(({ name }) => name === 'Acme')!.id;
  expect(
    await bolt.graphql(
      `{ anomalies(day: "${DAY}", filter: { client: "${acmeId}", detector: "far-from-median" }) { judgedAt totalCount } }`,
    ),
  ).toEqual({ anomalies: { judgedAt: null, totalCount: 0 } });
});

test('the client and its worst devices raise alerts, each an incident of its own', async () => {
  const { alerts } = await acme.graphql<{ alerts: { nodes: { kind: string; title: string; subject: string }[] } }>(
    '{ alerts(first: 100) { nodes { kind title subject state severity } } }',
  );
  expect(alerts.nodes.filter(({ kind }) => kind === 'CLIENT_ANOMALY')).toMatchObject([
    { title: 'Unusually many devices in ES signal abnormally', subject: 'CLIENT', state: 'OPEN' },
  ]);
  expect(alerts.nodes.filter(({ kind }) => kind === 'UNUSUAL_SIGNALING')).toHaveLength(20);
  expect((await bolt.graphql<{ alerts: { nodes: object[] } }>('{ alerts { nodes { kind } } }')).alerts.nodes).toEqual([]);
  const whose = { nodes: [{ country: 'ES', client: { name: 'Acme' }, incident: { client: { name: 'Acme' } } }] };
  for (const caller of [app.operator, acme]) {
    const about = '{ alerts(filter: { kind: "CLIENT_ANOMALY" }) { nodes { country client { name } incident { client { name } } } } }';
    expect(await caller.graphql(about)).toEqual({ alerts: whose });
  }
});

test('what somebody calls harmless is hidden until its date, and says who and why', async () => {
  const list = (suppressed: boolean) =>
    acme.graphql<{ anomalies: { nodes: { id: string; feedback: object | null }[] } }>(
      `{ anomalies(day: "${DAY}", filter: { detector: "far-from-median", suppressed: ${suppressed} }) { nodes { id feedback { verdict reason until by } } } }`,
    );
  const id = (await list(false)).anomalies.nodes[0]!.id;
  const say =
    'mutation F($input: RecordFeedbackInput!) { recordFeedback(input: $input) { results { id anomaly { id } error { code } } userErrors { message } } }';
  const { recordFeedback } = await acme.graphql<{ recordFeedback: object }>(say, {
    input: { anomalies: [id], verdict: 'HARMLESS', reason: 'a test rig', until: '2026-11-20' },
  });
  expect(recordFeedback).toEqual({ results: [{ id, anomaly: { id }, error: null }], userErrors: [] });
  expect((await list(false)).anomalies.nodes.map((node) => node.id)).not.toContain(id);
  expect((await list(true)).anomalies.nodes).toMatchObject([
    { id, feedback: { verdict: 'HARMLESS', reason: 'a test rig', until: '2026-11-20' } },
  ]);
  const foreign = await bolt.graphql(say, { input: { anomalies: [id], verdict: 'HARMFUL' } });
  const missing = await bolt.graphql(say, {
    input: {
      anomalies: [Buffer.from(`DeviceAnomaly:${settled.clientId}:2026-11-10:far-from-median:999999`).toString('base64url')],
      verdict: 'HARMFUL',
    },
  });
  expect(JSON.stringify(foreign).replaceAll(id, '')).toBe(JSON.stringify(missing).replace(/"id":"[^"]*"/, '"id":""'));
  const next = (await list(false)).anomalies.nodes[0]!.id;
  await acme.graphql(say, { input: { anomalies: [next], verdict: 'HARMFUL' } });
  expect(await acme.graphql('{ detector(id: "far-from-median") { mode feedback { harmful harmless precision } } }')).toEqual({
    detector: { mode: 'ENABLED', feedback: { harmful: 1, harmless: 1, precision: 0.5 } },
  });
});

test('what somebody calls harmless of a client in a country is hidden until its date, raises nothing, and counts for precision', async () => {
  const list = async (suppressed: boolean) =>
    (
      await acme.graphql<{ clientAnomalies: { totalCount: number; nodes: { id: string; country: string; feedback: object | null }[] } }>(
        `{ clientAnomalies(day: "${DAY}", filter: { detector: "far-from-median", suppressed: ${suppressed} }) { totalCount nodes { id country feedback { verdict reason until by } } } }`,
      )
    ).clientAnomalies;
  const { id } = (await list(false)).nodes.find(({ country }) => country === 'ES')!;
  const say = `mutation F($input: RecordFeedbackInput!) { recordFeedback(input: $input) {
    results { id anomaly { id } clientAnomaly { id feedback { verdict } } error { code } } userErrors { message } } }`;
  const input = { anomalies: [id], verdict: 'HARMLESS', reason: 'a firmware campaign', until: '2026-11-11' };
  expect(await acme.graphql(say, { input })).toEqual({
    recordFeedback: {
      results: [{ id, anomaly: null, clientAnomaly: { id, feedback: { verdict: 'HARMLESS' } }, error: null }],
      userErrors: [],
    },
  });
  expect(await list(false)).toMatchObject({ totalCount: 1, nodes: [{ country: 'FR', feedback: null }] });
  expect(await list(true)).toMatchObject({
    totalCount: 1,
    nodes: [{ id, country: 'ES', feedback: { verdict: 'HARMLESS', reason: 'a firmware campaign', until: '2026-11-11' } }],
  });
  const foreign = await bolt.graphql(say, { input });
  const nothing = Buffer.from(`ClientAnomaly:${settled.clientId}:${DAY}:far-from-median:PT`).toString('base64url');
  const missing = await bolt.graphql(say, { input: { ...input, anomalies: [nothing] } });
  expect(JSON.stringify(foreign).replaceAll(id, '')).toBe(JSON.stringify(missing).replaceAll(nothing, ''));
  const node = 'query N($id: ID!) { node(id: $id) { id } }';
  expect([await bolt.graphql(node, { id }), await acme.graphql(node, { id })]).toEqual([{ node: null }, { node: { id } }]);
  expect(await acme.graphql('{ detector(id: "far-from-median") { feedback { harmful harmless precision } } }')).toEqual({
    detector: { feedback: { harmful: 1, harmless: 2, precision: 1 / 3 } },
  });
  await acme.graphql(say, { input: { anomalies: [id], verdict: 'UNSURE' } });
  expect((await list(false)).nodes).toMatchObject([{ id, feedback: { verdict: 'UNSURE' } }, { country: 'FR' }]);
});

test('clusters say what they are like, and how many SIMs of whom they hold', async () => {
  const { clusters } = await acme.graphql<{ clusters: { number: number; description: string; sims: number }[] }>(
    '{ clusters { number description weight means continues sims generation } }',
  );
  expect(clusters.map(({ description, sims }) => [description, sims])).toEqual([
    ['stationary, 2G/3G, low volume', 120],
    ['stationary, 4G, medium volume', 60],
  ]);
});

test('a back-test says what it would have found, and leaves nothing behind', async () => {
  const before = await acme.graphql(`{ clientAnomalies(day: "${DAY}", filter: ${filter}) { nodes { country zScore } } }`);
  const { backtestDetector } = await app.operator.graphql<{ backtestDetector: { run: Run; userErrors: object[] } }>(
    `mutation { backtestDetector(input: { detector: "far-from-median", from: "2026-11-09", to: "${DAY}", options: { modelScope: "GLOBAL" } }) { run { id } userErrors { message } } }`,
  );
  expect(backtestDetector.userErrors).toEqual([]);
  await app.app.settle();
  const { populationRun: run } = await app.operator.graphql<{ populationRun: Run }>(
    'query R($id: ID!) { populationRun(id: $id) { state result } }',
    { id: backtestDetector.run.id },
  );
  expect(run).toMatchObject({
    state: 'SUCCEEDED',
    result: [
      { day: '2026-11-09', scope: 'GLOBAL', anomalous: 0 },
      { day: DAY, anomalous: 1, clearest: [{ client: 'Acme', country: 'ES' }] },
    ],
  });
  expect(await acme.graphql(`{ clientAnomalies(day: "${DAY}", filter: ${filter}) { nodes { country zScore } } }`)).toEqual(before);
});

test('a back-test without options is one of the detector as the operator has it, disabled or not', async () => {
  const configure = 'mutation C($input: ConfigureDetectorInput!) { configureDetector(input: $input) { userErrors { message } } }';
  await app.operator.graphql(configure, { input: { detector: 'tukey-fences', mode: 'DISABLED', options: { modelScope: 'GLOBAL' } } });
  const scopeOf = async (options: string) => {
    const { backtestDetector } = await app.operator.graphql<{ backtestDetector: { run: Run } }>(
      `mutation { backtestDetector(input: { detector: "tukey-fences", from: "${DAY}", to: "${DAY}" ${options} }) { run { id } } }`,
    );
    await app.app.settle();
    const { populationRun } = await app.operator.graphql<{ populationRun: { result: { scope: string }[] } }>(
      'query R($id: ID!) { populationRun(id: $id) { result } }',
      { id: backtestDetector.run.id },
    );
    return populationRun.result.map(({ scope }) => scope);
  };
  expect(await scopeOf('')).toEqual(['GLOBAL']);
  expect(await scopeOf(', options: {}')).toEqual(['PER_CLUSTER']);
});

test('a monitor counts runs by why they ran and how they ended', async () => {
  const metrics = await (await fetch(new URL('/metrics', app.url))).text();
  expect(metrics).toMatch(/^simwarden_population_runs\{trigger="ON_DEMAND",state="SUCCEEDED"\} 1$/m);
  expect(metrics).toMatch(/^simwarden_population_runs\{trigger="BACKTEST",state="SUCCEEDED"\} [1-9]$/m);
  expect(metrics).toMatch(/^simwarden_population_runs\{trigger="SCHEDULE",state="FAILED"\} 0$/m);
});

test('an operator follows a run over the socket to its end, and a customer learns nothing of it', async () => {
  const { backtestDetector } = await app.operator.graphql<{ backtestDetector: { run: Run } }>(
    `mutation { backtestDetector(input: { detector: "far-from-median", from: "${DAY}", to: "${DAY}", seed: 2 }) { run { id } userErrors { message } } }`,
  );
  const { id } = backtestDetector.run;
  const follow = `subscription { detectionRunProgress(runId: "${id}", after: "${liveCursor(0n)}") { run { id state phase rowsDone rowsTotal } } }`;
  type Progress = { detectionRunProgress: { run: Run & { phase: string; rowsTotal: number } } };
  const operator = new ApiClient(app.url, OPERATOR_KEY);
  const seen: Progress['detectionRunProgress']['run'][] = [];
  const ended = new Promise<void>((resolve, reject) => {
    operator.subscribe<Progress>(
      follow,
      ({ detectionRunProgress: { run } }) => {
        seen.push(run);
        if (run.state === 'SUCCEEDED') resolve();
      },
      reject,
    );
  });
  const told: unknown[] = [];
  const refused = new Promise<unknown>((resolve) => acme.subscribe(follow, (data) => told.push(data), resolve));
  expect(JSON.stringify(await refused)).toMatch(/role/);
  await app.app.settle();
  await ended;
  await operator.close();
  expect(seen.every((run) => run.id === id)).toBe(true);
  expect(seen.at(-1)).toMatchObject({ state: 'SUCCEEDED', phase: 'DONE', rowsDone: 340, rowsTotal: 340 });
  expect(told).toEqual([]);
});

test('who follows a run that has ended hears how, and the end; who follows none is told so', async () => {
  const { populationRuns } = await app.operator.graphql<{ populationRuns: { nodes: Run[] } }>('{ populationRuns { nodes { id state } } }');
  const ended = populationRuns.nodes.find(({ state }) => state === 'SUCCEEDED')!;
  const follow =
    'subscription F($id: ID!, $after: String) { detectionRunProgress(runId: $id, after: $after) { cursor gap { missedFrom } run { id state phase } } }';
  const peer = await SocketPeer.greeted(new URL('/graphql', app.url.replace(/^http/, 'ws')).href, OPERATOR_KEY);
  try {
    for (const after of [null, liveCursor(0n)]) {
      peer.subscribe('ended', follow, { id: ended.id, after });
      const { payload } = await peer.next('next');
      expect(payload).toMatchObject({
        data: { detectionRunProgress: { cursor: expect.any(String), gap: null, run: { id: ended.id, state: 'SUCCEEDED', phase: 'DONE' } } },
      });
      expect(await peer.next()).toEqual({ type: 'complete', id: 'ended' });
    }
    const nothing = toGlobalId('PopulationRun', 0, '01a00000-0000-7000-8000-000000000000');
    for (const [id, code] of [
      [nothing, 'NOT_FOUND'],
      ['nonsense', 'NOT_FOUND'],
      [toGlobalId('Client', settled.clientId, settled.clientId), 'WRONG_ID_TYPE'],
    ] as const) {
      peer.subscribe('none', follow, { id });
      expect(codeIn(await peer.next('error'))).toBe(code);
    }
  } finally {
    await SocketPeer.closeAll();
  }
});

test("options of a population detector are the operator's for all clients; a client sets the mode alone", async () => {
  const clients = await app.operator.graphql<{ clients: { nodes: { id: string; name: string }[] } }>('{ clients { nodes { id name } } }');
  const client = clients.clients.nodes.find(({ name }) => name === 'Bolt')!.id;
  const configure = 'mutation C($input: ConfigureDetectorInput!) { configureDetector(input: $input) { userErrors { code path message } } }';
  const input = { detector: 'far-from-median', mode: 'SHADOW' };
  const refused = 'far-from-median judges the whole population with one set of options, which the operator configures for all clients.';
  for (const options of [{ modelScope: 'GLOBAL' }, {}]) {
    await expect(bolt.graphql(configure, { input: { ...input, options } })).rejects.toThrow(refused);
    await expect(app.operator.graphql(configure, { input: { ...input, options, scope: { client } } })).rejects.toThrow(refused);
  }
  const done = { configureDetector: { userErrors: [] } };
  expect(await bolt.graphql(configure, { input })).toEqual(done);
  expect(await bolt.graphql(configure, { input: { ...input, mode: null } })).toEqual(done);
  expect(await app.operator.graphql(configure, { input: { ...input, mode: 'ENABLED', options: {} } })).toEqual(done);
});

test('only operators ask for runs', async () => {
  await expect(acme.graphql(`mutation { runDetection(input: { day: "${DAY}" }) { userErrors { code } } }`)).rejects.toThrow(/role/);
  await expect(acme.graphql('{ populationRuns { nodes { id } } }')).rejects.toThrow(/role/);
});

test("a client's alert outlives the close of the next day, and clears when the population of that day was judged calm", async () => {
  const states = async () => {
    const { alerts } = await acme.graphql<{ alerts: { nodes: { kind: string; state: string; resolution: string | null }[] } }>(
      '{ alerts(first: 100) { nodes { kind state resolution } } }',
    );
    return [...new Set(alerts.nodes.map(({ kind, state, resolution }) => `${kind} ${state} ${resolution}`))].sort();
  };
  const closesDay = (ofPopulation: boolean) =>
    app.app.database.transaction({ name: 'test.close', role: 'ingest', clientId: settled.clientId }, (tx) =>
      new AlertRaiser(new SystemEntropy(), registry).raise(
        tx,
        {
          clientId: settled.clientId,
          findings: [],
          judged: [],
          closedThrough: new Date('2026-11-12T00:00:00Z'),
          ...(ofPopulation ? { ofPopulation } : {}),
        },
        app.clock.now(),
      ),
    );
  const registry = new DetectorRegistry();
  registry.register(farFromMedian);
  expect(await states()).toEqual(['CLIENT_ANOMALY OPEN null', 'UNUSUAL_SIGNALING OPEN null']);
  await closesDay(false);
  expect(await states()).toEqual(['CLIENT_ANOMALY OPEN null', 'UNUSUAL_SIGNALING OPEN null']);
  const calm = { clientId: settled.clientId, simIds: settled.simIds };
  await storeFeatures(app.app.database, calm, acmeFleets, 11);
  app.clock.set(new Date('2026-11-12T12:00:00Z'));
  await app.app.settle();
  // the schedule judged the bad day once more, and what was called harmless meanwhile raises nothing
  const harmless = 'UNUSUAL_SIGNALING RESOLVED RETRACTED';
  expect(await states()).toEqual(['CLIENT_ANOMALY RESOLVED AUTO', 'UNUSUAL_SIGNALING RESOLVED AUTO', harmless]);
  // nor does a client in a country that was called harmless, with the devices there
  const decision = Buffer.from(`ClientAnomaly:${settled.clientId}:${DAY}:far-from-median:ES`).toString('base64url');
  await acme.graphql('mutation F($input: RecordFeedbackInput!) { recordFeedback(input: $input) { userErrors { message } } }', {
    input: { anomalies: [decision], verdict: 'HARMLESS' },
  });
  await app.operator.graphql(`mutation { runDetection(input: { day: "${DAY}", seed: 3 }) { userErrors { message } } }`);
  await app.app.settle();
  expect(await states()).toEqual(['CLIENT_ANOMALY RESOLVED RETRACTED', harmless]);
});
