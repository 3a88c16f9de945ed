/** What people do with incidents over GraphQL: open, note, judge, merge, close. */
import { Role } from '../../../src/graphql/caller';
import { openAlertHouse, operator, tenant, type AlertHouse } from '../alerts/alert-house';
import { day, type IncidentStory } from './incident-story';

let house: AlertHouse;
let acme: IncidentStory;
let other: IncidentStory;
let me: ReturnType<typeof tenant>;
beforeAll(async () => {
  house = await openAlertHouse();
});
afterAll(() => house.close());
beforeEach(async () => {
  [acme, other] = [await house.newClient('Acme'), await house.newClient('Other')];
  me = tenant(acme.alerts.clientId);
  house.clock.set(day(1.5));
});

const SHOWN =
  'incident { id state title assignee severity liveAlerts rootCause rootCauseBy proposedRootCause closedBy mergedInto { id } alerts { nodes { state resolution resolutionReason } } log { nodes { action text actor } } } userErrors { code path }';
function mutate(name: string, input: object, caller = me) {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  return house.ask(caller, `mutation M($input: ${type}!) { ${name}(input: $input) { ${SHOWN} } }`, { input }).then((data) => data[name]);
}
async function incidentId(story = acme): Promise<string> {
  const incidents = await story.incidents();
  return house.idOf('Incident', story, incidents.at(-1)!.incident_id);
}
const actions = (answer: { incident: { log: { nodes: { action: string }[] } } }) => answer.incident.log.nodes.map(({ action }) => action);

test('an incident is worked on: assigned, noted, judged and closed with its cause; its alerts end with it', async () => {
  await acme.say({ hits: [{ day: 1, kind: 'IMEI_CHANGED' }] });
  const incident = await incidentId();
  expect(await mutate('updateIncident', { incident, assignee: 'Ben', title: 'Meter 7' })).toMatchObject({
    incident: { assignee: 'Ben', title: 'Meter 7' },
    userErrors: [],
  });
  await mutate('addIncidentNote', { incident, text: 'Called the site.' });
  expect(await mutate('setRootCause', { incident, rootCause: 'LEGITIMATE' })).toMatchObject({
    incident: { rootCause: 'LEGITIMATE', proposedRootCause: 'STOLEN_SIM', rootCauseBy: me.name },
  });
  const closed = await mutate('closeIncident', { incident, rootCause: 'CONFIGURATION', note: 'Device was swapped by service.' });
  expect(closed).toMatchObject({
    incident: {
      state: 'CLOSED',
      rootCause: 'CONFIGURATION',
      closedBy: me.name,
      liveAlerts: 0,
      alerts: { nodes: [{ state: 'RESOLVED', resolution: 'OPERATOR', resolutionReason: 'Device was swapped by service.' }] },
    },
    userErrors: [],
  });
  expect(actions(closed)).toEqual([
    'OPENED',
    'ALERT_JOINED',
    'ROOT_CAUSE_PROPOSED',
    'EDITED',
    'EDITED',
    'NOTE',
    'ROOT_CAUSE_SET',
    'ALERTS_RESOLVED',
    'CLOSED',
  ]);
  expect(await mutate('closeIncident', { incident, rootCause: 'UNKNOWN' })).toEqual({
    incident: null,
    userErrors: [{ code: 'ILLEGAL_TRANSITION', path: null }],
  });
  expect(actions(await mutate('addIncidentNote', { incident, text: 'Device is back.' })).at(-1)).toBe('NOTE');
});

test('an operator who resolves the last alert is told so by the incident', async () => {
  await acme.say({ hits: [{ day: 1 }] });
  const [alert] = await acme.alerts.alerts();
  await house.ask(me, 'mutation M($input: ResolveAlertsInput!) { resolveAlerts(input: $input) { remaining } }', {
    input: { ids: [house.idOf('Alert', acme, alert!.alert_id)], reason: 'over' },
  });
  expect(await acme.incidents()).toMatchObject([{ state: 'OPEN', live_alerts: 0 }]);
  expect((await acme.log()).at(-1)).toMatch(/^ALERTS_RESOLVED/);
});

test('incidents that are one are merged: alerts, severity and proposal follow', async () => {
  await acme.say({ hits: [{ day: 1 }] });
  const into = await incidentId();
  await acme.say({ hits: [{ day: 2, sim: '2', kind: 'IMEI_CHANGED', severity: 'CRITICAL' }] });
  const from = await incidentId();
  const merged = await mutate('mergeIncidents', { into, from: [from] });
  expect(merged).toMatchObject({
    incident: { id: into, state: 'OPEN', severity: 'CRITICAL', liveAlerts: 2, proposedRootCause: 'STOLEN_SIM' },
    userErrors: [],
  });
  expect(
    await house.ask(me, 'query Q($id: ID!) { incident(id: $id) { state mergedInto { id } alerts { totalCount } } }', { id: from }),
  ).toEqual({ incident: { state: 'CLOSED', mergedInto: { id: into }, alerts: { totalCount: 0 } } });
  await acme.say({ hits: [{ day: 3, sim: '2', kind: 'IMEI_CHANGED', severity: 'CRITICAL' }] });
  expect((await acme.incidents()).filter(({ state }) => state === 'OPEN')).toMatchObject([{ live_alerts: 2 }]);
  expect(await mutate('mergeIncidents', { into, from: [into] })).toMatchObject({
    userErrors: [{ code: 'BAD_USER_INPUT', path: ['from'] }],
  });
  expect(await mutate('mergeIncidents', { into, from: [from] })).toMatchObject({ userErrors: [{ code: 'ILLEGAL_TRANSITION' }] });
});

test('an operator sees whose incident it is, a customer itself, and an embed token no client', async () => {
  await acme.say({ hits: [{ day: 1 }] });
  const id = await incidentId();
  const whose = async (caller: typeof operator) =>
    (await house.ask(caller, 'query Q($id: ID!) { incident(id: $id) { client { id } alerts { nodes { client { id } } } } }', { id }))
      .incident;
  const client = { id: house.idOf('Client', acme, acme.alerts.clientId) };
  expect([await whose(operator), await whose(me)]).toEqual(Array(2).fill({ client, alerts: { nodes: [{ client }] } }));
  expect(await whose(tenant(acme.alerts.clientId, Role.EMBED))).toEqual({ client: null, alerts: { nodes: [{ client: null }] } });
  expect(await whose(tenant(other.alerts.clientId))).toBeNull();
});

test('an incident opened by hand takes alerts in', async () => {
  await acme.say({ hits: [{ day: 1 }, { day: 1, sim: '2' }] });
  const alerts = (await acme.alerts.alerts()).map(({ alert_id }) => house.idOf('Alert', acme, alert_id));
  expect(await mutate('openIncident', { title: 'Both meters of site 4', alerts })).toMatchObject({
    incident: { liveAlerts: 2, severity: 'WARNING', title: 'Both meters of site 4' },
    userErrors: [],
  });
  expect((await acme.incidents()).map(({ live_alerts }) => live_alerts).sort()).toEqual([0, 0, 2]);
  const unknown = [house.idOf('Alert', acme, '01a200cf-0836-770b-9fed-c6960fa2cd64')];
  expect(await mutate('openIncident', { title: 'x', alerts: unknown })).toEqual({
    incident: null,
    userErrors: [{ code: 'NOT_FOUND', path: ['alerts'] }],
  });
  expect(await mutate('openIncident', { title: 'x' }, operator)).toMatchObject({ userErrors: [{ code: 'CLIENT_REQUIRED' }] });
});

test("another client's incident is answered exactly as a missing one, and is not changed", async () => {
  await other.say({ hits: [{ day: 1 }] });
  const [theirs] = await other.incidents();
  const foreign = await incidentId(other);
  const absent = house.idOf('Incident', acme, theirs!.incident_id);
  for (const incident of [foreign, absent]) {
    expect(await house.ask(me, 'query Q($id: ID!) { incident(id: $id) { id } node(id: $id) { id } }', { id: incident })).toEqual({
      incident: null,
      node: null,
    });
    for (const [name, input] of [
      ['updateIncident', { incident, title: 'x' }],
      ['addIncidentNote', { incident, text: 'x' }],
      ['setRootCause', { incident, rootCause: 'UNKNOWN' }],
      ['closeIncident', { incident, rootCause: 'UNKNOWN' }],
    ] as const) {
      expect(await mutate(name, input)).toEqual({ incident: null, userErrors: [{ code: 'NOT_FOUND', path: ['incident'] }] });
    }
    expect(await mutate('mergeIncidents', { into: incident, from: [incident] })).toEqual({
      incident: null,
      userErrors: [{ code: 'NOT_FOUND', path: ['into'] }],
    });
  }
  expect(await house.ask(me, '{ incidents { totalCount } }')).toEqual({ incidents: { totalCount: 0 } });
  expect(await other.incidents()).toEqual([theirs]);
});

test('incidents are found by what is known of them, page by page', async () => {
  await acme.say({
    hits: [
      { day: 1, kind: 'TAC_CHANGED', severity: 'CRITICAL' },
      { day: 1, sim: '2' },
      { day: 1, sim: '3' },
    ],
  });
  const ask = (filter: object, after: string | null = null) =>
    house
      .ask(
        me,
        'query Q($filter: IncidentFilter, $after: String) { incidents(filter: $filter, first: 2, after: $after) { nodes { id proposedRootCause } totalCount pageInfo { endCursor hasNextPage } } }',
        { filter, after },
      )
      .then((data) => data.incidents);
  expect(await ask({ rootCause: ['STOLEN_SIM'], severity: ['CRITICAL'], state: ['OPEN'] })).toMatchObject({
    totalCount: 1,
    nodes: [{ proposedRootCause: 'STOLEN_SIM' }],
  });
  const first = await ask({});
  const second = await ask({}, first.pageInfo.endCursor);
  expect(new Set([...first.nodes, ...second.nodes].map(({ id }: { id: string }) => id)).size).toBe(3);
  expect(second.pageInfo.hasNextPage).toBe(false);
});
