/** Verdicts become alerts: one per trouble, whatever arrives twice, late or at once. */
import { openTestDatabase, type TestDatabase } from '../../support/database';
import { AlertStory, day } from './alert-story';

let db: TestDatabase;
let story: AlertStory;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  story = await AlertStory.ofNewClient(db.database, 'Acme');
});

test('a hit opens one alert with its evidence, and tells it once', async () => {
  const [change] = await story.say({ hits: [{ day: 1, severity: 'CRITICAL', score: 412 }] });
  const alert = await story.alert();
  expect(change).toMatchObject({
    alertId: alert.alert_id,
    fromState: null,
    toState: 'OPEN',
    opened: true,
    late: false,
    simId: '1',
    sequence: 1,
  });
  expect(alert).toMatchObject({ state: 'OPEN', severity: 'CRITICAL', score: 412, days: [1], occurrence_count: 1 });
  expect(await story.events()).toMatchObject([
    {
      subject_id: alert.alert_id,
      sequence: 1,
      from_state: null,
      to_state: 'OPEN',
      attributes: {
        simId: '1',
        severity: 'CRITICAL',
        state: 'OPEN',
        kind: 'DAILY_LIMIT',
        detector: 'threshold',
        late: false,
        subject: 'SIM',
      },
    },
  ]);
});

test('evaluating a window again without a change writes nothing and tells nobody', async () => {
  await story.say({ hits: [{ day: 1 }] });
  const before = await story.alerts();
  expect(await story.say({ hits: [{ day: 1 }] })).toEqual([]);
  expect(await story.alerts()).toEqual(before);
  expect(await story.events()).toHaveLength(1);
});

test('a window whose numbers grow updates its row', async () => {
  await story.say({ hits: [{ day: 1, score: 2 }] });
  const [change] = await story.say({ hits: [{ day: 1, score: 3, severity: 'CRITICAL' }] });
  expect(change).toMatchObject({ opened: false, severityRose: true, fields: expect.arrayContaining(['severity', 'score', 'evidence']) });
  expect(await story.alert()).toMatchObject({ score: 3, severity: 'CRITICAL', days: [1], sequence: 2 });
});

test('days in a row are one alert; it shows its latest day', async () => {
  await story.say({ hits: [{ day: 1, severity: 'CRITICAL' }] });
  await story.say({ hits: [{ day: 2, severity: 'WARNING', score: 7 }] });
  expect(await story.alert()).toMatchObject({
    days: [1, 2],
    occurrence_count: 2,
    severity: 'WARNING',
    score: 7,
    title: 'Day 2 over its limit',
  });
});

test('it clears after a closed day without a hit, by event time', async () => {
  await story.say({ hits: [{ day: 1 }], closed: 1 });
  expect(await story.alert()).toMatchObject({ state: 'OPEN' });
  const [change] = await story.say({ closed: 2 });
  expect(change).toMatchObject({ fromState: 'OPEN', toState: 'RESOLVED', opened: false });
  expect(await story.alert()).toMatchObject({ state: 'RESOLVED', resolution: 'AUTO', resolved_at: day(3) });
});

test('firing, resolved, firing within 24 hours is the same alert; later it is a new one', async () => {
  await story.say({ hits: [{ day: 1 }] });
  await story.say({ closed: 2 });
  const [again] = await story.say({ hits: [{ day: 4 }], closed: 2 });
  expect(again).toMatchObject({ fromState: 'RESOLVED', toState: 'OPEN', opened: true });
  expect(await story.alert()).toMatchObject({ days: [1, 4], state: 'OPEN' });
  await story.say({ closed: 5 });
  await story.say({ hits: [{ day: 8 }], closed: 7 });
  expect(await story.alerts()).toMatchObject([
    { days: [1, 4], state: 'RESOLVED' },
    { days: [8], state: 'OPEN' },
  ]);
});

test('a late hit from before the live alert is an alert of its own, resolved at once', async () => {
  await story.say({ hits: [{ day: 10 }] });
  const changes = await story.say({ hits: [{ day: 3 }], now: day(10.5) });
  expect(changes).toMatchObject([{ toState: 'RESOLVED', opened: false, late: true }]);
  expect(await story.alerts()).toMatchObject([
    { days: [3], state: 'RESOLVED', late: true },
    { days: [10], state: 'OPEN', late: false },
  ]);
});

test('a late hit in a gap shows that two alerts are one', async () => {
  await story.say({ hits: [{ day: 1 }], closed: 3 });
  await story.say({ hits: [{ day: 5 }], closed: 4 });
  expect(await story.alerts()).toHaveLength(2);
  await story.say({ hits: [{ day: 3 }], closed: 4, now: day(5.5) });
  expect(await story.alerts()).toMatchObject([{ days: [1, 3, 5], state: 'OPEN', occurrence_count: 3 }]);
  expect(await story.alerts(true)).toMatchObject([{ state: 'RESOLVED', resolution: 'MERGED', days: [] }, { state: 'OPEN' }]);
});

test('what ended more than 48 hours before it arrived is late, until something fresh joins it', async () => {
  const [late] = await story.say({ hits: [{ day: 1 }], now: day(4.1) });
  expect(late).toMatchObject({ late: true, toState: 'OPEN' });
  const [fresh] = await story.say({ hits: [{ day: 3 }], now: day(4.1) });
  expect(fresh).toMatchObject({ late: false, opened: true, alertId: late!.alertId });
});

test('a finding that later data takes back resolves its alert as retracted, and comes back with its notes', async () => {
  await story.say({ hits: [{ day: 1 }] });
  await story.query("UPDATE alert SET note = 'seen by Ana' WHERE client_id = $1");
  const [gone] = await story.say({ clear: [{ day: 1 }] });
  expect(gone).toMatchObject({ toState: 'RESOLVED', opened: false });
  expect(await story.alerts()).toEqual([]);
  expect(await story.alerts(true)).toMatchObject([{ state: 'RESOLVED', resolution: 'RETRACTED', days: [] }]);
  await story.say({ hits: [{ day: 1 }] });
  expect(await story.alert()).toMatchObject({ state: 'OPEN', days: [1], note: 'seen by Ana', resolution: null });
});

test('taking back the window between splits the alert: the latest part keeps its name', async () => {
  await story.say({ hits: [{ day: 1 }, { day: 3 }, { day: 5 }], now: day(5.5) });
  const { alert_id } = await story.alert();
  await story.say({ clear: [{ day: 3 }], now: day(5.5) });
  const [early, late] = await story.alerts();
  expect(early).toMatchObject({ days: [1], state: 'RESOLVED' });
  expect(late).toMatchObject({ days: [5], state: 'OPEN', alert_id });
});

test('another SIM, another kind and abstaining touch nothing', async () => {
  await story.say({ hits: [{ day: 1 }] });
  expect(await story.say({ clear: [{ day: 1, sim: '2' }, { day: 1, kind: 'MONTHLY_LIMIT' }, { day: 2 }] })).toEqual([]);
  expect(await story.say({})).toEqual([]);
});

test('two evaluations that see the same trouble milliseconds apart raise one alarm', async () => {
  const changes = (
    await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        story.say({
          hits: [
            { day: 1, score: 5 },
            { day: 1, sim: '2', score: index },
          ],
        }),
      ),
    )
  ).flat();
  expect(changes.filter(({ fromState }) => fromState === null)).toHaveLength(2);
  expect(await story.alerts(true)).toMatchObject([
    { days: [1], state: 'OPEN' },
    { days: [1], state: 'OPEN' },
  ]);
});

test('three thousand findings go in a handful of statements', async () => {
  const hits = Array.from({ length: 3_000 }, (_, index) => ({ day: 1, sim: String(index) }));
  expect(await story.say({ hits })).toHaveLength(3_000);
  expect(await story.say({ hits })).toEqual([]);
  expect(await story.say({ clear: hits })).toHaveLength(3_000);
});
