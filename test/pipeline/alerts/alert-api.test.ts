/** What operators and customers do with alerts over GraphQL, and what stays when they fire again. */
import { Role } from '../../../src/graphql/caller';
import { ResolveMovedSims } from '../../../src/alerts';
import { type AlertStory, day } from './alert-story';
import type { IncidentStory } from '../incidents/incident-story';
import { openAlertHouse, operator, tenant, type AlertHouse } from './alert-house';

let house: AlertHouse;
let acme: IncidentStory;
let other: IncidentStory;
let story: AlertStory;
let me: ReturnType<typeof tenant>;
beforeAll(async () => {
  house = await openAlertHouse();
});
afterAll(() => house.close());
beforeEach(async () => {
  [acme, other] = [await house.newClient('Acme'), await house.newClient('Other')];
  story = acme.alerts;
  me = tenant(story.clientId);
  house.clock.set(day(1.5));
});

const RESULTS = 'results { id error { code } alert { state note acknowledgedBy dismissedReason } } remaining userErrors { code path }';
const acknowledge = (input: object, caller = me) =>
  house
    .ask(caller, `mutation M($input: AcknowledgeAlertsInput!) { acknowledgeAlerts(input: $input) { ${RESULTS} } }`, { input })
    .then((data) => data.acknowledgeAlerts);
const resolve = (input: object, caller = me) =>
  house
    .ask(caller, `mutation M($input: ResolveAlertsInput!) { resolveAlerts(input: $input) { ${RESULTS} } }`, { input })
    .then((data) => data.resolveAlerts);
const dismiss = (input: object, caller = me) =>
  house
    .ask(caller, `mutation M($input: DismissAlertsInput!) { dismissAlerts(input: $input) { ${RESULTS} } }`, { input })
    .then((data) => data.dismissAlerts);
const list = (filter: object = {}, caller = me) =>
  house
    .ask(caller, 'query Q($filter: AlertFilter) { alerts(filter: $filter) { nodes { id state kind } totalCount } }', { filter })
    .then((data) => data.alerts);

async function hit(number = 1, severity: 'WARNING' | 'CRITICAL' = 'WARNING'): Promise<string> {
  house.clock.set(day(number + 0.5));
  await acme.say({ hits: [{ day: number, severity }] });
  return house.idOf('Alert', acme, (await story.alerts()).at(-1)!.alert_id);
}

test('an acknowledged alert stays so, with its note, when it fires again; a worse one asks again', async () => {
  const id = await hit(1);
  expect(await acknowledge({ ids: [id], note: 'calling the customer' })).toMatchObject({
    results: [{ id, error: null, alert: { state: 'ACKNOWLEDGED' } }],
    remaining: 0,
    userErrors: [],
  });
  await hit(2);
  expect(await story.alert()).toMatchObject({
    state: 'ACKNOWLEDGED',
    note: 'calling the customer',
    acknowledged_by: me.name,
    days: [1, 2],
  });
  await hit(3, 'CRITICAL');
  expect(await story.alert()).toMatchObject({ state: 'OPEN', note: 'calling the customer', severity: 'CRITICAL' });
});

test('an acknowledged alert that cleared comes back acknowledged', async () => {
  await acknowledge({ ids: [await hit(1)], note: 'mine' });
  await story.say({ closed: 2 });
  expect(await story.alert()).toMatchObject({ state: 'RESOLVED', resolution: 'AUTO' });
  await hit(3);
  expect(await story.alert()).toMatchObject({ state: 'ACKNOWLEDGED', note: 'mine' });
});

test('a dismissed alert swallows hits until its date', async () => {
  await dismiss({ ids: [await hit(1)], reason: 'field test', until: day(6) });
  await hit(2);
  await hit(5);
  expect(await story.alert()).toMatchObject({ state: 'DISMISSED', days: [1, 2, 5] });
  await hit(6);
  expect(await story.alert()).toMatchObject({ state: 'OPEN', days: [1, 2, 5, 6], dismissed_reason: 'field test' });
});

test('a higher severity breaks a dismissal for good', async () => {
  await dismiss({ ids: [await hit(1)], reason: 'known' });
  await hit(30);
  expect(await story.alert()).toMatchObject({ state: 'DISMISSED', days: [1, 30] });
  await hit(31, 'CRITICAL');
  expect(await story.alert()).toMatchObject({ state: 'OPEN', severity: 'CRITICAL' });
});

test("a dismissal is the same for every browser: it is on the alert and in everyone's list", async () => {
  await dismiss({ ids: [await hit(1)], reason: 'known' });
  expect(await list({ state: ['DISMISSED'] }, tenant(story.clientId, Role.CLIENT_VIEWER))).toMatchObject({ totalCount: 1 });
});

test('what an operator resolved stays resolved for the window he saw; the next day opens it again', async () => {
  await resolve({ ids: [await hit(1)], reason: 'modem replaced' });
  await acme.say({ hits: [{ day: 1, score: 99 }] });
  expect(await story.alert()).toMatchObject({ state: 'RESOLVED', resolution: 'OPERATOR' });
  await hit(2);
  expect(await story.alert()).toMatchObject({ state: 'OPEN', days: [1, 2] });
});

test('more than 24 hours after an operator resolved it, it is another alert that knows the one before', async () => {
  const first = await hit(1);
  await resolve({ ids: [first], reason: 'modem replaced' });
  const second = await hit(3);
  expect(
    await house.ask(me, 'query Q($id: ID!) { alert(id: $id) { state previousAlert { id state previousAlert { id } } } }', { id: second }),
  ).toEqual({ alert: { state: 'OPEN', previousAlert: { id: first, state: 'RESOLVED', previousAlert: null } } });
});

test('a bulk action answers per alert, and a dry run changes nothing', async () => {
  await acme.say({ hits: [{ day: 1 }, { day: 1, sim: '2' }, { day: 1, sim: '3' }] });
  const { nodes } = await list();
  const [open, over, ...rest] = nodes.map(({ id }: { id: string }) => id) as string[];
  await resolve({ ids: [over], reason: 'over' });
  const nowhere = house.idOf('Alert', acme, '01a200cf-0836-770b-9fed-c6960fa2cd64');
  const ids = [open, over, nowhere];
  const expected = {
    results: [
      { id: open, error: null, alert: { state: 'ACKNOWLEDGED' } },
      { id: over, error: { code: 'ILLEGAL_TRANSITION' }, alert: { state: 'RESOLVED' } },
      { id: nowhere, error: { code: 'NOT_FOUND' }, alert: null },
    ],
  };
  const before = [await story.alerts(), await story.events()];
  expect(await acknowledge({ ids, dryRun: true })).toMatchObject(expected);
  expect([await story.alerts(), await story.events()]).toEqual(before);
  expect(await acknowledge({ ids })).toMatchObject(expected);
  expect((await list({ state: ['OPEN'] })).nodes.map(({ id }: { id: string }) => id)).toEqual(rest);
  const audit = await story.query<{ action: string; person: string }>(
    'SELECT action, person FROM audit_log WHERE client_id = $1 ORDER BY audit_id',
  );
  expect(audit).toEqual([
    { action: 'resolveAlerts', person: 'ana' },
    { action: 'acknowledgeAlerts', person: 'ana' },
  ]);
});

test('thousands of alerts of a filter are handled in calls of a thousand, none twice', async () => {
  await story.say({ hits: Array.from({ length: 1_002 }, (_, index) => ({ day: 1, sim: String(index) })) });
  const first = await resolve({ filter: { kind: 'DAILY_LIMIT' }, reason: 'limit was wrong' });
  expect([first.results.length, first.remaining]).toEqual([1_000, 2]);
  const second = await resolve({ filter: { kind: 'DAILY_LIMIT' }, reason: 'limit was wrong' });
  expect([second.results.length, second.remaining]).toEqual([2, 0]);
});

test("a request that can't be understood is the caller's to mend", async () => {
  const id = await hit(1);
  const codes = async (answer: Promise<{ userErrors: { code: string; path: string[] }[] }>) => (await answer).userErrors;
  expect(await codes(acknowledge({}))).toEqual([{ code: 'BAD_USER_INPUT', path: ['ids'] }]);
  expect(await codes(dismiss({ ids: [id], reason: ' ' }))).toEqual([{ code: 'BAD_USER_INPUT', path: ['reason'] }]);
  expect(await codes(dismiss({ ids: [id], reason: 'x', until: day(1) }))).toEqual([{ code: 'BAD_USER_INPUT', path: ['until'] }]);
  expect(await codes(acknowledge({ filter: {} }, operator))).toEqual([{ code: 'CLIENT_REQUIRED', path: ['client'] }]);
  expect(await codes(acknowledge({ ids: [house.idOf('Sim', acme, '1')] }))).toMatchObject([{ code: 'WRONG_ID_TYPE' }]);
});

test("another client's alert is answered exactly as a missing one, and is not changed", async () => {
  await other.say({ hits: [{ day: 1 }] });
  const [theirs] = await other.alerts.alerts();
  const foreign = house.idOf('Alert', other, theirs!.alert_id);
  const absent = house.idOf('Alert', acme, theirs!.alert_id);
  for (const id of [foreign, absent]) {
    expect(await house.ask(me, 'query Q($id: ID!) { alert(id: $id) { id } node(id: $id) { id } }', { id })).toEqual({
      alert: null,
      node: null,
    });
    expect(await resolve({ ids: [id], reason: 'x' })).toEqual({
      results: [{ id, error: { code: 'NOT_FOUND' }, alert: null }],
      remaining: 0,
      userErrors: [],
    });
  }
  for (const filter of [{ client: house.idOf('Client', other, other.alerts.clientId) }, { sim: house.idOf('Sim', other, '1') }]) {
    expect(await list(filter)).toEqual({ nodes: [], totalCount: 0 });
  }
  expect(await list()).toEqual({ nodes: [], totalCount: 0 });
  expect(await list({ client: house.idOf('Client', other, other.alerts.clientId) }, operator)).toMatchObject({ totalCount: 1 });
  expect(await other.alerts.alerts()).toEqual([theirs]);
});

test('a portal that is bound to a fleet sees that fleet only', async () => {
  await hit(1);
  await story.query("UPDATE alert SET fleet_id = '00000000-0000-4000-8000-000000000001' WHERE client_id = $1");
  expect(await list({}, tenant(story.clientId, Role.EMBED, ['00000000-0000-4000-8000-000000000001']))).toMatchObject({ totalCount: 1 });
  expect(await list({}, tenant(story.clientId, Role.EMBED, ['00000000-0000-4000-8000-000000000002']))).toMatchObject({ totalCount: 0 });
});

test('an operator sees whose alert it is, a customer itself, and an embed token no client', async () => {
  await hit(1);
  const whose = async (caller: typeof operator) => {
    const { alerts } = await house.ask(caller, 'query Q($filter: AlertFilter) { alerts(filter: $filter) { nodes { client { id } } } }', {
      filter: { client: house.idOf('Client', acme, story.clientId) },
    });
    return alerts.nodes;
  };
  const itself = [{ client: { id: house.idOf('Client', acme, story.clientId) } }];
  expect([await whose(operator), await whose(me), await whose(tenant(story.clientId, Role.CLIENT_VIEWER))]).toEqual([
    itself,
    itself,
    itself,
  ]);
  expect(await whose(tenant(story.clientId, Role.EMBED))).toEqual([{ client: null }]);
  expect(await whose(tenant(other.alerts.clientId))).toEqual([]);
});

test.each(['CREATED_AT', 'LAST_WINDOW', 'SEVERITY'])('pages by %s show each alert once, both ways', async (field) => {
  for (const [index, severity] of (['WARNING', 'CRITICAL', 'INFO', 'CRITICAL', 'WARNING'] as const).entries()) {
    await acme.say({ hits: [{ day: 1 + index, sim: String(index), severity }] });
  }
  const seen: Record<string, string[]> = { ASC: [], DESC: [] };
  for (const direction of ['ASC', 'DESC']) {
    let after: string | null = null;
    do {
      const { alerts } = await house.ask(
        me,
        'query Q($after: String, $orderBy: AlertOrder) { alerts(first: 2, after: $after, orderBy: $orderBy) { nodes { id } pageInfo { endCursor hasNextPage } } }',
        { after, orderBy: { field, direction } },
      );
      seen[direction]!.push(...alerts.nodes.map(({ id }: { id: string }) => id));
      after = alerts.pageInfo.hasNextPage ? alerts.pageInfo.endCursor : null;
    } while (after);
  }
  expect(new Set(seen['ASC']).size).toBe(5);
  expect(seen['DESC']).toEqual([...seen['ASC']!].reverse());
});

test('an alert shows its windows and its evidence in numbers', async () => {
  await acme.say({
    hits: [
      { day: 1, score: 3 },
      { day: 2, score: 5 },
    ],
  });
  const { alerts } = await house.ask(
    me,
    '{ alerts { nodes { evidence { column observed expected unit text } occurrences(first: 1) { nodes { windowStart score } totalCount } } } }',
  );
  expect(alerts.nodes).toEqual([
    {
      evidence: [{ column: 'dayBytes', observed: 5, expected: 1, unit: 'bytes', text: '5 bytes, limit 1 byte' }],
      occurrences: { nodes: [{ windowStart: day(2).toISOString(), score: 5 }], totalCount: 2 },
    },
  ]);
});

test('a SIM that moves away takes no trouble with it: its alerts end as MOVED, and late hits stay quiet', async () => {
  await hit(1);
  const moved = house.scope.resolve(ResolveMovedSims);
  await house.database.transaction({ name: 'test.move', role: 'operator', clientId: story.clientId }, (tx) =>
    moved.simMoved(tx, { clientId: story.clientId, simId: '1', at: day(2), by: { name: 'operator', person: 'olga' } }),
  );
  expect(await story.alert()).toMatchObject({ state: 'RESOLVED', resolution: 'MOVED' });
  expect(await acme.incidents()).toMatchObject([{ state: 'OPEN', live_alerts: 0 }]);
  await acme.say({ hits: [{ day: 1, score: 77, severity: 'CRITICAL' }] });
  expect(await story.alert()).toMatchObject({ state: 'RESOLVED', resolution: 'MOVED', score: 77 });
});

test('a limit is set once per subject, and has its SIMs evaluated again', async () => {
  const set = (input: object, caller = me) =>
    house
      .ask(
        caller,
        'mutation M($input: SetThresholdInput!) { setThreshold(input: $input) { threshold { id subject limitBytes warnPercent } userErrors { code path } } }',
        { input },
      )
      .then((data) => data.setThreshold);
  const limit = { measure: 'PER_SIM', period: 'DAY', limitBytes: '5000000000' };
  const { threshold } = await set(limit);
  expect(threshold).toMatchObject({ subject: 'CLIENT', limitBytes: '5000000000', warnPercent: 80 });
  expect(await set({ ...limit, warnPercent: 50 })).toMatchObject({ threshold: { id: threshold.id, warnPercent: 50 } });
  expect(house.settings.told).toEqual(['ALL', 'ALL']);
  expect(await set({ ...limit, fleet: house.idOf('Fleet', other, '01a200cf-0836-770b-9fed-c6960fa2cd64') })).toEqual({
    threshold: null,
    userErrors: [{ code: 'NOT_FOUND', path: ['fleet'] }],
  });
  expect(await set({ ...limit, sim: house.idOf('Sim', acme, '1'), measure: 'TOTAL' })).toMatchObject({
    userErrors: [{ code: 'BAD_USER_INPUT', path: ['measure'] }],
  });
  expect(await set({ ...limit, limitBytes: '0' })).toMatchObject({ userErrors: [{ code: 'BAD_USER_INPUT', path: ['limitBytes'] }] });
  expect(await set(limit, operator)).toMatchObject({ userErrors: [{ code: 'CLIENT_REQUIRED' }] });
  const remove = (caller = me) =>
    house
      .ask(caller, 'mutation M($input: DeleteThresholdInput!) { deleteThreshold(input: $input) { deletedId userErrors { code } } }', {
        input: { threshold: threshold.id },
      })
      .then((data) => data.deleteThreshold);
  expect(await remove(tenant(other.alerts.clientId))).toEqual({ deletedId: null, userErrors: [{ code: 'NOT_FOUND' }] });
  expect(await remove()).toEqual({ deletedId: threshold.id, userErrors: [] });
  expect(await house.ask(me, '{ policies { totalCount } }')).toEqual({ policies: { totalCount: 0 } });
});
