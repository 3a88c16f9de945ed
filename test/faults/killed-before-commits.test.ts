/** A process that dies with a transaction open: what it was about to commit is done by the next one. */
import { AT_LENGTH } from '../support/at-length';
import { testServerUrl } from '../support/database';
import { KillStory } from './killed-at-each-commit';

/** On PostgreSQL, where a lost connection leaves a transaction open; the embedded database has the kills after a commit. `npm run faults`: both. */
const here = AT_LENGTH || testServerUrl !== null ? test : test.skip;

here('a record reaches the portal exactly once although the process is killed right before any commit on its way', async () => {
  const story = await KillStory.begin();
  try {
    const commits = await story.run('before');
    process.stdout.write(`killed right before each of ${commits.length} commits: ${commits.join(', ')}\n`);
    expect([...commits].sort()).toEqual(onTheWay);
  } finally {
    await story.end();
  }
});

const onTheWay = ['evaluation.raise', 'evaluation.turn', 'evaluation.turnOver', 'events.sequence', 'ingest.chunk', 'ingest.chunk'];
