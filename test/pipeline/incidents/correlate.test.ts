/** Alerts of one SIM are one incident, which says what they say and waits for a human. */
import { openTestDatabase, type TestDatabase } from '../../support/database';
import { day, IncidentStory } from './incident-story';

let db: TestDatabase;
let story: IncidentStory;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  story = await IncidentStory.ofNewClient(db.database, 'Acme');
});

test('the alerts of a SIM join one incident; another SIM, network or client has its own', async () => {
  await story.say({
    hits: [
      { day: 1, severity: 'CRITICAL' },
      { day: 1, kind: 'IMEI_CHANGED' },
      { day: 1, sim: '2' },
    ],
  });
  await story.say({
    hits: [
      { day: 1, kind: 'NETWORK_ROAMING_FAILURE', subject: 'NETWORK', subjectId: '214-07' },
      { day: 1, kind: 'CLIENT_DAILY_TOTAL', subject: 'CLIENT', subjectId: '7' },
    ],
  });
  const incidents = await story.incidents();
  expect(incidents.map(({ correlation_key }) => correlation_key).sort()).toEqual(['client:7', 'network:214-07', 'sim:1', 'sim:2']);
  expect(incidents.find(({ correlation_key }) => correlation_key === 'sim:1')).toMatchObject({
    live_alerts: 2,
    severity: 'CRITICAL',
    state: 'OPEN',
  });
});

test('what only informed before joins the incident that opens later, as it would have after', async () => {
  await story.say({ hits: [{ day: 1, kind: 'NEVER_SEEN', severity: 'INFO' }] });
  await story.say({ hits: [{ day: 1, kind: 'CLIENT_NOTE', subject: 'CLIENT', subjectId: '7', severity: 'INFO' }] });
  expect(await story.incidents()).toEqual([]);
  const {
    incidents: [opened],
  } = await story.say({ hits: [{ day: 2, severity: 'CRITICAL' }] });
  expect(opened!.joinedAlertIds).toHaveLength(2);
  expect(await story.incidents()).toMatchObject([
    { correlation_key: 'sim:1', live_alerts: 2, opened_at: new Date('2026-11-01T00:00:00Z') },
  ]);
  const events = await story.alerts.events();
  expect(events.filter(({ attributes }) => (attributes as { incidentId?: string }).incidentId === opened!.incidentId)).toHaveLength(2);
  await story.say({ hits: [{ day: 2, kind: 'CLIENT_DAILY_TOTAL', subject: 'CLIENT', subjectId: '7' }] });
  expect((await story.incidents()).find(({ correlation_key }) => correlation_key === 'client:7')).toMatchObject({ live_alerts: 2 });
});

test('the alert and its event name the incident from the start, and the incident tells once', async () => {
  const {
    incidents: [change],
  } = await story.say({ hits: [{ day: 1 }] });
  expect(change).toMatchObject({ opened: true, fromState: null, toState: 'OPEN', joinedAlertIds: [expect.any(String)] });
  const events = await story.alerts.events();
  expect(events).toHaveLength(2);
  expect(events.find(({ subject_id }) => subject_id === change!.joinedAlertIds[0])?.attributes).toMatchObject({
    incidentId: change!.incidentId,
  });
  await story.say({ hits: [{ day: 1 }] });
  expect(await story.alerts.events()).toHaveLength(2);
});

test("numbers that grow are the alert's affair: the incident keeps still", async () => {
  await story.say({ hits: [{ day: 1, score: 1 }] });
  expect((await story.say({ hits: [{ day: 1, score: 2 }] })).incidents).toEqual([]);
});

test('a stolen SIM is proposed with its reasons as soon as its IMEI changes', async () => {
  await story.say({ hits: [{ day: 1, kind: 'DAILY_OUTLIER' }] });
  expect(await story.incidents()).toMatchObject([{ proposed_root_cause: 'UNKNOWN' }]);
  await story.say({ hits: [{ day: 1, kind: 'TAC_CHANGED' }] });
  const [incident] = await story.incidents();
  expect(incident).toMatchObject({ proposed_root_cause: 'STOLEN_SIM' });
  expect(incident!.proposed_evidence.map(({ kind }) => kind)).toEqual([null, expect.any(String), expect.any(String)]);
  expect(await story.log()).toContainEqual(expect.stringMatching(/^ROOT_CAUSE_PROPOSED: STOLEN_SIM: The SIM is in another device/));
});

test('its severity is that of its worst live alert; when all are resolved it says so and stays open', async () => {
  await story.say({
    hits: [
      { day: 1, severity: 'CRITICAL' },
      { day: 1, kind: 'IMEI_CHANGED' },
    ],
  });
  await story.say({ clear: [{ day: 1 }] });
  expect(await story.incidents()).toMatchObject([{ severity: 'WARNING', live_alerts: 1 }]);
  const {
    incidents: [quiet],
  } = await story.say({ closed: 2 });
  expect(quiet).toMatchObject({ toState: 'OPEN', fields: expect.arrayContaining(['liveAlerts', 'log']) });
  expect(await story.incidents()).toMatchObject([{ state: 'OPEN', live_alerts: 0, severity: 'WARNING' }]);
  await story.say({ hits: [{ day: 3, kind: 'IMEI_CHANGED', severity: 'CRITICAL' }], closed: 2 });
  expect(await story.incidents()).toMatchObject([{ state: 'OPEN', live_alerts: 1, severity: 'CRITICAL' }]);
  expect((await story.log()).map((line) => line.split(':')[0])).toEqual(
    expect.arrayContaining(['ALERTS_RESOLVED', 'FIRING_AGAIN', 'SEVERITY_CHANGED']),
  );
});

test('its title is that of its earliest and then worst alert, in whatever order they become known', async () => {
  const said = [
    { hits: [{ day: 3, kind: 'IMEI_CHANGED', severity: 'CRITICAL' }] },
    { hits: [{ day: 2 }] },
    { hits: [{ day: 4 }] },
  ] as const;
  for (const order of [said, [...said].reverse()]) {
    const teller = await IncidentStory.ofNewClient(db.database, 'Acme');
    for (const one of order) await teller.say({ ...one, now: day(5) });
    expect(await teller.incidents()).toMatchObject([{ title: 'Day 2 over its limit', opened_at: day(2) }]);
  }
});

test('an incident whose alerts were all taken back closes itself, says why, and the next alert opens another', async () => {
  await story.say({ hits: [{ day: 1 }] });
  const {
    incidents: [withdrawn],
  } = await story.say({ clear: [{ day: 1 }] });
  expect(withdrawn).toMatchObject({ fromState: 'OPEN', toState: 'CLOSED' });
  expect(await story.incidents()).toMatchObject([{ state: 'CLOSED', live_alerts: 0 }]);
  expect(await story.log()).toContainEqual('CLOSED: Data that came later took back all of its alerts.');
  await story.say({ hits: [{ day: 1 }] });
  expect(await story.incidents()).toMatchObject([{ state: 'CLOSED' }, { state: 'OPEN', live_alerts: 1 }]);
});

test('one that somebody has taken up stays open when its alerts are taken back', async () => {
  await story.say({ hits: [{ day: 1 }] });
  await story.assign('Ben');
  await story.say({ clear: [{ day: 1 }] });
  expect(await story.incidents()).toMatchObject([{ state: 'OPEN', live_alerts: 0 }]);
});

test('after a human closed it, the next alert opens a new one', async () => {
  const {
    incidents: [first],
  } = await story.say({ hits: [{ day: 1 }] });
  await story.close(first!.incidentId);
  expect((await story.say({ hits: [{ day: 1, score: 9 }] })).incidents).toEqual([]);
  await story.say({ closed: 2 });
  await story.say({ hits: [{ day: 3 }], closed: 2 });
  expect(await story.incidents()).toMatchObject([{ state: 'CLOSED' }, { state: 'OPEN', correlation_key: 'sim:1', live_alerts: 1 }]);
});

test('a late alert opens no incident, but joins one, whichever comes first', async () => {
  expect((await story.say({ hits: [{ day: 1 }], now: day(9) })).incidents).toEqual([]);
  expect(await story.incidents()).toEqual([]);
  await story.say({ hits: [{ day: 8, kind: 'IMEI_CHANGED' }] });
  await story.say({ hits: [{ day: 3, kind: 'UNUSUAL_DESTINATION' }], now: day(9) });
  expect(await story.incidents()).toMatchObject([{ live_alerts: 3, proposed_root_cause: 'STOLEN_SIM' }]);
});

test('evaluations milliseconds apart open one incident', async () => {
  await Promise.all(
    ['IMEI_CHANGED', 'DAILY_LIMIT', 'DAILY_OUTLIER', 'IMEI_CHANGED'].map((kind) => story.say({ hits: [{ day: 1, kind }] })),
  );
  expect(await story.incidents()).toMatchObject([{ live_alerts: 3 }]);
});
