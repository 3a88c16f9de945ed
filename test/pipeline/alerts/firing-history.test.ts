/** Detection asks what fired before, for hysteresis and for runs of windows. */
import { AlertFiringHistory } from '../../../src/alerts';
import { openTestDatabase, type TestDatabase } from '../../support/database';
import { AlertStory, day } from './alert-story';

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

test.each([
  ['a few subjects', ['1', '2', '9']],
  ['a whole client', ['1', '2', ...Array.from({ length: 10_001 }, (_, index) => String(index + 100))]],
])('the windows that fired are known for %s, whatever became of their alerts', async (_, subjectIds) => {
  const story = await AlertStory.ofNewClient(db.database, 'Acme');
  await story.say({ hits: [{ day: 1 }, { day: 2 }, { day: 2, sim: '2' }, { day: 2, kind: 'MONTHLY_LIMIT' }, { day: 2, sim: '3' }] });
  await story.say({ closed: 9 });
  const other = await AlertStory.ofNewClient(db.database, 'Other');
  await other.say({ hits: [{ day: 2 }] });
  const kind = { detectorId: 'threshold', kind: 'DAILY_LIMIT', subject: 'SIM' } as const;
  const ask = (from: Date, to: Date) =>
    db.database.transaction({ name: 'test.history', role: 'ingest', clientId: story.clientId }, (tx) =>
      new AlertFiringHistory().windows(tx, story.clientId, { kinds: [kind], subjectIds: { SIM: subjectIds }, from, to }),
    );
  expect(await ask(day(1), day(3))).toEqual([
    { detectorId: 'threshold', kind: 'DAILY_LIMIT', subjectId: '1', windowStart: day(1) },
    { detectorId: 'threshold', kind: 'DAILY_LIMIT', subjectId: '1', windowStart: day(2) },
    { detectorId: 'threshold', kind: 'DAILY_LIMIT', subjectId: '2', windowStart: day(2) },
  ]);
  expect(await ask(day(1), day(2))).toEqual([{ detectorId: 'threshold', kind: 'DAILY_LIMIT', subjectId: '1', windowStart: day(1) }]);
});

test('the windows of fleets are known beside those of SIMs, each by its own kind', async () => {
  const story = await AlertStory.ofNewClient(db.database, 'Fleets');
  await story.say({ hits: [{ day: 1 }, { day: 2, subject: 'FLEET', subjectId: 'f', kind: 'FLEET_DAILY_LIMIT' }] });
  const kinds = [
    { detectorId: 'threshold', kind: 'DAILY_LIMIT', subject: 'SIM' },
    { detectorId: 'threshold', kind: 'FLEET_DAILY_LIMIT', subject: 'FLEET' },
  ] as const;
  const windows = await db.database.transaction({ name: 'test.history', role: 'ingest', clientId: story.clientId }, (tx) =>
    new AlertFiringHistory().windows(tx, story.clientId, { kinds, subjectIds: { SIM: ['1'], FLEET: ['f'] }, from: day(1), to: day(3) }),
  );
  expect(windows).toEqual([
    { detectorId: 'threshold', kind: 'DAILY_LIMIT', subjectId: '1', windowStart: day(1) },
    { detectorId: 'threshold', kind: 'FLEET_DAILY_LIMIT', subjectId: 'f', windowStart: day(2) },
  ]);
});
