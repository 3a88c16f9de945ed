/** A process that dies with a transaction open: what it was about to commit is done by the next one. */
import { KillStory } from './killed-at-each-commit';

let story: KillStory;
beforeEach(async () => {
  story = await KillStory.begin();
});
afterEach(() => story.end());

test('a record reaches the portal exactly once although the process is killed right before any commit on its way', async () => {
  const commits = await story.run('before');
  process.stdout.write(`killed right before each of ${commits.length} commits: ${commits.join(', ')}\n`);
  expect([...commits].sort()).toEqual(onTheWay);
});

const onTheWay = ['evaluation.raise', 'evaluation.turn', 'evaluation.turnOver', 'events.sequence', 'ingest.chunk', 'ingest.chunk'];
