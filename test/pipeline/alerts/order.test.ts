/** The state in which alerts end doesn't depend on the order in which windows, clearances and day closings become known. */
import * as fc from 'fast-check';
import { AT_LENGTH } from '../../support/at-length';
import { openTestDatabase, type TestDatabase } from '../../support/database';
import { AlertStory, type Hit, type Said } from './alert-story';

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

const DAYS = 14;

/** What is finally true of a day of a SIM, and what may have been said of it before that. */
const dayStory = fc.record({
  day: fc.integer({ min: 1, max: DAYS }),
  sim: fc.constantFrom('1', '2'),
  said: fc.array(fc.constantFrom<Hit['severity'] | null>('WARNING', 'CRITICAL', null), { minLength: 1, maxLength: 3 }),
});

interface Step {
  readonly of: string;
  readonly said: Said;
}

/** Steps of one day keep their order, since the later knows more; days come as they like, and days close in between. */
function interleave(sequences: readonly (readonly Step[])[], picks: readonly number[]): Said[] {
  const queues = sequences.map((steps) => [...steps]);
  const said: Said[] = [];
  let closed: number | undefined;
  for (let turn = 0; queues.some((queue) => queue.length > 0); turn += 1) {
    const waiting = queues.filter((queue) => queue.length > 0);
    const step = waiting[(picks[turn % picks.length] ?? 0) % waiting.length]!.shift()!;
    if (step.said.closed !== undefined) closed = Math.max(closed ?? 0, step.said.closed);
    said.push({ ...step.said, closed });
  }
  return said;
}

async function play(said: readonly Said[]): Promise<unknown[]> {
  const story = await AlertStory.ofNewClient(db.database, 'Acme');
  for (const one of said) await story.say({ ...one, now: new Date('2026-11-20T00:00:00Z') });
  return story.digest();
}

test('any order of windows, retractions and closings ends in the same alerts', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(dayStory, { selector: ({ day, sim }) => `${sim}@${day}`, minLength: 1, maxLength: 9 }),
      fc.subarray(Array.from({ length: DAYS }, (_, index) => index + 1)),
      fc.infiniteStream(fc.nat(1_000)).map((stream) => [...stream.take(40)]),
      async (days, closings, picks) => {
        const sequences = days.map(({ day, sim, said }) =>
          said.map((severity): Step => ({
            of: `${sim}@${day}`,
            said: severity === null ? { clear: [{ day, sim }] } : { hits: [{ day, sim, severity }] },
          })),
        );
        const closed = closings.map((day): Step[] => [{ of: 'close', said: { closed: day } }]);
        const inOrder = [...sequences].sort((a, b) => dayOf(a) - dayOf(b));
        const final = { closed: Math.max(0, ...closings) || undefined };
        const expected = await play([...inOrder.flat().map(({ said }) => said), final]);
        expect(await play([...interleave([...sequences, ...closed], picks), final])).toEqual(expected);
        // All at once, only what is finally true.
        const last = sequences.map((steps) => steps.at(-1)!.said);
        expect(
          await play([{ hits: last.flatMap(({ hits }) => hits ?? []), clear: last.flatMap(({ clear }) => clear ?? []) }, final]),
        ).toEqual(expected);
      },
    ),
    { numRuns: Number(process.env['SIMWARDEN_PROPERTY_RUNS'] ?? (AT_LENGTH ? 200 : 30)) },
  );
});

function dayOf(steps: readonly Step[]): number {
  const { hits, clear } = steps[0]!.said;
  return (hits ?? clear)![0]!.day;
}
