/** Trying a detector on past days before it is enabled: through the public door, with a partner's package behind its fence. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Detector } from '../../../src/detector';
import { ApiClient } from '../../../src/commands/demo/api-client';
import { insertBacktest } from '../../../src/detection/backtest/record';
import { BacktestWorker, DetectorRegistry } from '../../../src/detection';
import { ManualClock, SystemEntropy } from '../../../src/runtime';
import { liveCursor } from '../../../src/graphql/live-cursor';
import { OPERATOR_KEY, startTestApp, type TestApp } from '../../support/app';
import { DetectionWorld, tinyDetector } from './support';
import { triedDetectors, writeTriedPartners } from './tried-detectors';
import { testLog } from '../../support/database';
import { settleClient, storeFeatures } from '../population/population-world';

let root: string;
let app: TestApp;
let world: DetectionWorld;
let acme: ApiClient;
let bolt: ApiClient;
let sims: string[];
let north: string;

const DAYS = ['01', '02', '03', '04', '05', '06'];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'simwarden-backtest-'));
  const folders = writeTriedPartners(root);
  app = await startTestApp({
    workers: false,
    now: new Date('2026-11-01T00:00:00Z'),
    config: { detectors: folders, allowPartnerCode: '1', partnerMemoryMegabytes: 128 },
    detectors: triedDetectors,
  });
  world = DetectionWorld.on(app.app.database);
  const acmeId = await world.client('Acme');
  await world.client('Bolt');
  north = await world.fleet(acmeId, 'North');
  sims = [...(await world.sims(acmeId, 3, { fleet: north })), ...(await world.sims(acmeId, 2))];
  for (const day of DAYS)
    await world.usage(
      acmeId,
      sims.map((sim, i) => ({ sim, at: `2026-11-${day}T08:00`, bytes: bytesOf(i, Number(day)) })),
    );
  await world.deviceEvents(acmeId, [{ sim: sims[1]!, at: '2026-11-03T09:00', type: 'REBOOT', count: 50 }]);
  app.clock.set(new Date('2026-11-08T12:30:00Z'));
  await app.app.settle();
  await world.write(async (tx) => {
    await tx.query(
      `INSERT INTO service_hour (client_id, hour, country, service, counted, dialogues, successes) VALUES ($1, '2026-11-04T05:00:00Z', 'ES', 'MAP', 9, 9, 4)`,
      [acmeId],
    );
  }, acmeId);
  acme = new ApiClient(app.url, await app.keyFor('Acme', 'CLIENT_ADMIN'));
  bolt = new ApiClient(app.url, await app.keyFor('Bolt', 'CLIENT_ADMIN'));
});
afterAll(async () => {
  await acme.close();
  await bolt.close();
  await app.close();
  rmSync(root, { recursive: true, force: true });
});

/** The first SIM is over 100 bytes on the 2nd, 3rd and 6th, the last on the 5th; the others use 10. */
function bytesOf(sim: number, day: number): number {
  return (sim === 0 && [2, 3, 6].includes(day)) || (sim === 4 && day === 5) ? 200 + day : 10;
}

interface Backtest {
  id: string;
  state: string;
  error: string | null;
  warnings: string[];
  findingCount: number;
  simDays: number;
  days: { day: string; findings: number; failedPages: number; error: string | null }[];
  kinds: object[];
  findings: { nodes: { day: string }[]; pageInfo: { endCursor: string; hasNextPage: boolean } };
}

const SHOWN = `id state error warnings detectorId detectorVersion scope from to options daysDone daysTotal simDays rowsJudged rowsAbstained findingCount findingsPer1000SimDays
  requestedBy detector { id } client { name } fleet { name } sim { id } kinds { kind title findings subjects alerts findingsPer1000SimDays }
  days { day simDays rowsJudged rowsAbstained findings failedPages error }
  findings { totalCount pageInfo { endCursor hasNextPage } nodes { kind subject network country day windowStart windowEnd severity score evidence { column observed text } sim { id } fleet { name } } }`;

interface Asked {
  backtestDetector: {
    run: object | null;
    backtest: Backtest | null;
    userErrors: { code: string; message: string; path: string[] | null }[];
  };
}

const ask = async (by: ApiClient, input: object) =>
  (
    await by.graphql<Asked>(
      `mutation B($input: BacktestDetectorInput!) { backtestDetector(input: $input) { run { id } backtest { id state } userErrors { code message path } } }`,
      { input },
    )
  ).backtestDetector;
const read = async (by: ApiClient, id: string) =>
  (await by.graphql<{ backtest: Backtest }>(`query R($id: ID!) { backtest(id: $id) { ${SHOWN} } }`, { id })).backtest;

async function tried(by: ApiClient, input: object): Promise<Backtest> {
  const { backtest, userErrors } = await ask(by, input);
  expect(userErrors).toEqual([]);
  await app.app.settle();
  return read(by, backtest!.id);
}

const week = { from: '2026-11-01', to: '2026-11-06' };
const simId = (index: number) => Buffer.from(`Sim:${clientNumber}:${sims[index]}`).toString('base64url');
let clientNumber = 0;
beforeAll(
  async () =>
    (clientNumber = Number(
      Buffer.from(await app.clientId('Acme'), 'base64url')
        .toString()
        .split(':')[1],
    )),
);

it("says what a partner's detector would have raised, by kind, day and SIM, and raises nothing", async () => {
  const alerts = '{ alerts(first: 100) { nodes { id } } detectionRuns(first: 100) { nodes { id rowsEvaluated hits } } }';
  const before = await acme.graphql(alerts);
  const done = await tried(app.operator, { detector: 'acme-limit', ...week, scope: { client: await app.clientId('Acme') } });
  expect(done).toMatchObject({
    state: 'SUCCEEDED',
    error: null,
    warnings: [],
    detectorVersion: '1.0.0',
    scope: 'CLIENT',
    options: null,
    daysDone: 6,
    daysTotal: 6,
    simDays: 30,
    rowsJudged: 30,
    rowsAbstained: 0,
    findingCount: 4,
    client: { name: 'Acme' },
    // the 6th begins 48 hours after the 3rd ended, so that the first SIM's are one alert
    kinds: [{ kind: 'HIGH', title: 'High', findings: 4, subjects: 2, alerts: 2 }],
  });
  expect(done.days.map(({ day, findings }) => [day.slice(8), findings])).toEqual([
    ['01', 0],
    ['02', 1],
    ['03', 1],
    ['04', 0],
    ['05', 1],
    ['06', 1],
  ]);
  expect(done.findings.nodes[0]).toEqual({
    kind: 'HIGH',
    subject: 'SIM',
    network: null,
    country: null,
    day: '2026-11-06',
    windowStart: '2026-11-06T00:00:00.000Z',
    windowEnd: '2026-11-07T00:00:00.000Z',
    severity: 'WARNING',
    score: 2.06,
    evidence: [{ column: 'dayBytes', observed: 206, text: 'too much' }],
    sim: { id: simId(0) },
    fleet: { name: 'North' },
  });
  expect(await acme.graphql(alerts)).toEqual(before);
});

it('takes other options, a fleet, or one SIM, and pages through what it found', async () => {
  const stricter = await tried(acme, { detector: 'acme-limit', ...week, options: { limitBytes: 204 } });
  expect(stricter).toMatchObject({ findingCount: 2, options: { limitBytes: 204 }, findingsPer1000SimDays: (1000 * 2) / 30 });
  const fleet = await tried(acme, {
    detector: 'acme-limit',
    ...week,
    scope: { fleet: Buffer.from(`Fleet:${clientNumber}:${north}`).toString('base64url') },
  });
  expect(fleet).toMatchObject({ scope: 'FLEET', fleet: { name: 'North' }, simDays: 18, findingCount: 3 });
  const one = await tried(acme, { detector: 'acme-limit', ...week, scope: { sim: simId(4) } });
  expect(one).toMatchObject({ scope: 'SIM', sim: { id: simId(4) }, simDays: 6, findingCount: 1 });
  const paged = `query P($id: ID!, $after: String) { backtest(id: $id) { findings(first: 2, after: $after, kind: "HIGH") { pageInfo { endCursor hasNextPage } nodes { day } } } }`;
  const days: string[] = [];
  for (let after: string | null = null, more = true; more;) {
    const { backtest }: { backtest: Pick<Backtest, 'findings'> } = await acme.graphql(paged, { id: fleet.id, after });
    days.push(...backtest.findings.nodes.map(({ day }) => day.slice(8)));
    ({ endCursor: after, hasNextPage: more } = backtest.findings.pageInfo);
  }
  expect(days).toEqual(['06', '03', '02']);
});

it('judges each SIM as it is configured where no options are given, whatever its mode', async () => {
  const configure = (input: object) =>
    acme.graphql('mutation C($input: ConfigureDetectorInput!) { configureDetector(input: $input) { userErrors { message } } }', { input });
  await configure({ detector: 'acme-limit', mode: 'DISABLED', options: { limitBytes: 1 }, scope: { sim: simId(3) } });
  const done = await tried(acme, { detector: 'acme-limit', ...week });
  expect(done).toMatchObject({ options: null, findingCount: 4 + 6 });
  await configure({ detector: 'acme-limit', scope: { sim: simId(3) } });
});

it('tries detectors of events and of services, built-in ones too', async () => {
  const events = await tried(acme, { detector: 'tried-events', ...week });
  expect(events).toMatchObject({
    state: 'SUCCEEDED',
    findingCount: 1,
    findings: { nodes: [{ day: '2026-11-03', sim: { id: simId(1) } }] },
  });
  const services = await tried(acme, { detector: 'tried-services', ...week });
  expect(services).toMatchObject({
    daysTotal: 1,
    simDays: 0,
    findingsPer1000SimDays: null,
    warnings: [expect.stringMatching(/^5 of the 6 days left out, not being closed with services/)],
    findings: { nodes: [{ day: '2026-11-04', subject: 'COUNTRY', country: 'ES', sim: null }] },
  });
  const builtIn = await tried(acme, { detector: 'device-event-storm', ...week });
  expect(builtIn).toMatchObject({ state: 'SUCCEEDED', daysDone: 6 });
});

it('tries a detector of features on the days that have them', async () => {
  const fleets = [{ country: 'ES', life: 0 as const, devices: 5 }];
  const settled = await settleClient(world, 'Signaling', fleets);
  await storeFeatures(app.app.database, settled, fleets, 5);
  await world.write(
    (tx) =>
      tx.query(`INSERT INTO day_close (client_id, day, closed_at, incomplete, evaluated_at) VALUES ($1, '2026-11-05', $2, false, $2)`, [
        settled.clientId,
        new Date('2026-11-06T06:00:00Z'),
      ]),
    settled.clientId,
  );
  const done = await tried(app.operator, {
    detector: 'aggressive-signaling',
    ...week,
    scope: { client: await app.clientId('Signaling') },
    options: {},
  });
  expect(done).toMatchObject({ state: 'SUCCEEDED', daysDone: 1, simDays: 5, options: {} });
});

it('ends one that keeps failing, tells why, and leaves the same detector where it runs for real in peace', async () => {
  const done = await tried(acme, { detector: 'acme-exits', ...week });
  // three days in a row never fail: 2, 3; 5, 6
  expect(done).toMatchObject({ state: 'SUCCEEDED', findingCount: 0 });
  expect(done.days.filter(({ failedPages }) => failedPages > 0).map(({ day, error }) => [day.slice(8), error])).toEqual(
    ['02', '03', '05', '06'].map((day) => [day, expect.stringContaining('exited with code 1')]),
  );
  const hopeless = await tried(acme, { detector: 'tried-throws', ...week });
  expect(hopeless).toMatchObject({
    state: 'FAILED',
    daysDone: 3,
    error: 'It failed on 3 days in a row, after which it would be switched off: RangeError: no luck',
  });
  const { detector } = await acme.graphql<{ detector: { failedSince: string | null } }>('{ detector(id: "acme-exits") { failedSince } }');
  expect(detector.failedSince).toBeNull();
});

it('refuses what it can not do in a sentence that says what to do', async () => {
  const client = await app.clientId('Acme');
  const refusals: [ApiClient, object, RegExp][] = [
    [app.operator, { detector: 'acme-limit', ...week }, /must say which client this is for: give `client`/],
    [acme, { detector: 'nobody', ...week }, /Known: threshold/],
    [acme, { detector: 'acme-limit', from: '2026-11-06', to: '2026-11-01' }, /exchange them/],
    [acme, { detector: 'acme-limit', from: '2026-01-01', to: '2026-11-01' }, /name 1 to 62/],
    [
      acme,
      { detector: 'acme-limit', from: '2026-10-01', to: '2026-10-02' },
      /2026-11-01 to 2026-11-\d\d are closed. Name days among these/,
    ],
    [acme, { detector: 'acme-limit', ...week, options: { limitBytes: 0 } }, /limitBytes/],
    [acme, { detector: 'tried-services', ...week, scope: { sim: simId(0) } }, /give client in the scope/],
    [bolt, { detector: 'acme-limit', ...week, scope: { sim: simId(0) } }, /There is no sim/],
    [app.operator, { detector: 'isolation-forest', ...week, scope: { client } }, /leave the scope out/],
    [acme, { detector: 'isolation-forest', ...week }, /judges the whole population/],
  ];
  for (const [by, input, message] of refusals) await expect(ask(by, input)).rejects.toThrow(message);
});

it('is shown to nobody else', async () => {
  const { backtest } = await ask(acme, { detector: 'acme-limit', ...week, scope: { sim: simId(1) } });
  const again = await ask(acme, { detector: 'acme-limit', ...week, scope: { sim: simId(1) } });
  expect(again.backtest!.id).toBe(backtest!.id);
  const seen = 'query S($id: ID!) { backtest(id: $id) { id } node(id: $id) { id } backtests { nodes { id } } }';
  expect(await bolt.graphql(seen, { id: backtest!.id })).toEqual({ backtest: null, node: null, backtests: { nodes: [] } });
  const cancel = 'mutation X($input: CancelBacktestInput!) { cancelBacktest(input: $input) { backtest { state } userErrors { message } } }';
  const itself = { input: { backtest: backtest!.id } };
  await expect(bolt.graphql(cancel, itself)).rejects.toThrow(/There is no back-test with that id, or it is not yours to see/);
  expect(await acme.graphql(cancel, itself)).toEqual({ cancelBacktest: { backtest: { state: 'CANCELLED' }, userErrors: [] } });
  await app.app.settle();
  expect(await read(acme, backtest!.id)).toMatchObject({ state: 'CANCELLED', daysDone: 0 });
  await expect(acme.graphql(cancel, itself)).rejects.toThrow(/in state CANCELLED and can't be cancelled/);
});

it('is followed over the socket to its end', async () => {
  const { backtest } = await ask(acme, { detector: 'acme-limit', ...week, scope: { sim: simId(2) } });
  const operator = new ApiClient(app.url, OPERATOR_KEY);
  const states: string[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    operator.subscribe<{ backtestProgress: { backtest: { state: string; daysDone: number } } }>(
      `subscription { backtestProgress(backtest: "${backtest!.id}", after: "${liveCursor(0n)}") { backtest { state daysDone } } }`,
      ({ backtestProgress: { backtest: now } }) => {
        states.push(now.state);
        if (now.state === 'SUCCEEDED' && now.daysDone === 6) resolve();
      },
      reject,
    );
  });
  await app.app.settle();
  await ended;
  await operator.close();
  expect(states.length).toBeGreaterThan(1);
});

it("finds a partner's detector in shadow: it counts what it would raise, and raises it once somebody enables it", async () => {
  const seen = `{ detector(id: "acme-limit") { mode } detectionRuns(first: 100, filter: { detector: "acme-limit" }) { nodes { hits } }
    alerts(first: 100) { nodes { detector kind sim { id } } } }`;
  interface Seen {
    detector: { mode: string };
    detectionRuns: { nodes: { hits: string }[] };
    alerts: { nodes: { detector: string }[] };
  }
  const ofPartner = ({ alerts }: Seen) => alerts.nodes.filter(({ detector }) => detector === 'acme-limit');
  const before = await acme.graphql<Seen>(seen);
  expect(before.detector.mode).toBe('SHADOW');
  expect(before.detectionRuns.nodes.filter(({ hits }) => hits !== '0').length).toBeGreaterThan(0);
  expect(ofPartner(before)).toEqual([]);
  await acme.graphql(
    'mutation { configureDetector(input: { detector: "acme-limit", mode: ENABLED, options: { limitBytes: 1 } }) { userErrors { message } } }',
  );
  await world.usage(clientNumber, [{ sim: sims[2]!, at: '2026-11-08T10:00', bytes: 500 }]);
  await app.app.settle();
  expect(ofPartner(await acme.graphql<Seen>(seen))).toContainEqual({ detector: 'acme-limit', kind: 'HIGH', sim: { id: simId(2) } });
});

it('lets a short one of another through, day by day, while a long one is under way', async () => {
  const long = await ask(acme, { detector: 'acme-limit', ...week, scope: { sim: simId(3) } });
  const short = await ask(acme, { detector: 'acme-limit', from: '2026-11-02', to: '2026-11-02', scope: { sim: simId(3) } });
  await app.app.settle();
  const ends = await acme.graphql<{ backtests: { nodes: { id: string; state: string }[] } }>('{ backtests { nodes { id state } } }');
  const states = new Map(ends.backtests.nodes.map(({ id, state }) => [id, state]));
  expect([states.get(long.backtest!.id), states.get(short.backtest!.id)]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  const progress = await world.query<{ subject_id: string }>(
    `SELECT subject_id FROM event_log WHERE type = 'BACKTEST_PROGRESS' AND to_state = 'SUCCEEDED' ORDER BY position DESC LIMIT 2`,
  );
  const ended = progress.map(({ subject_id: key }) => Buffer.from(`Backtest:${clientNumber}:${key}`).toString('base64url'));
  expect(ended).toEqual([long.backtest!.id, short.backtest!.id]);
});

describe('a back-test whose process stops or dies', () => {
  it('goes on where it stopped, and ends as if nothing had happened', async () => {
    const detector = tinyDetector('tried-twice', ['dayBytes'], {}, (at) => ({
      fires: at('dayBytes') > 100 ? 1 : 0,
      score: at('dayBytes'),
    }));
    const calls: string[] = [];
    let third: (() => void) | null = null;
    const gate = new Promise<void>((open) => (third = open));
    let reached: () => void;
    const atThird = new Promise<void>((resolve) => (reached = resolve));
    /** The first process, which stands still over its third day. */
    const stuck: Detector = {
      ...detector,
      async detect(input, context) {
        calls.push('first');
        if (calls.length === 3) {
          reached();
          await gate;
        }
        return detector.detect(input, context);
      },
    };
    const workerOf = (known: Detector, clock: ManualClock): BacktestWorker => {
      const registry = new DetectorRegistry();
      registry.register(known);
      return new BacktestWorker(app.app.database, registry, clock, new SystemEntropy(), testLog);
    };
    const order = {
      detector_id: 'tried-twice',
      detector_version: '1.0.0',
      scope: 'CLIENT',
      scope_id: '',
      from_day: week.from,
      to_day: week.to,
    } as const;
    const insert = () =>
      world.write(
        (tx) =>
          insertBacktest(
            tx,
            new SystemEntropy(),
            { ...order, client_id: clientNumber, options: null, days_total: 6, warnings: [], requestedBy: 'test' },
            app.clock.now(),
          ),
        clientNumber,
      );
    const idOf = (row: { backtest_id: string }) => Buffer.from(`Backtest:${clientNumber}:${row.backtest_id}`).toString('base64url');
    const interrupted = await insert();
    const first = workerOf(stuck, app.clock);
    const gone = first.drain();
    await atThird;
    // its lease has run out, since a process that died gives no sign of life
    const later = new ManualClock(new Date(app.clock.now().getTime() + 121_000));
    await workerOf(detector, later).drain();
    third!();
    await gone;
    const whole = await insert();
    await workerOf(detector, later).drain();
    const [one, other] = [await read(acme, idOf(interrupted)), await read(acme, idOf(whole))];
    const told = ({ days, findings, kinds, state, findingCount, simDays }: Backtest) => ({
      days,
      findings: findings.nodes,
      kinds,
      state,
      findingCount,
      simDays,
    });
    expect(told(one)).toEqual(told(other));
    expect(told(one)).toMatchObject({ state: 'SUCCEEDED', findingCount: 4, simDays: 30 });
    expect(calls).toHaveLength(3);
  });
});
