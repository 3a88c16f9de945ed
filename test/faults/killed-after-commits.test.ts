/** A process that dies with a transaction just committed: what should have come next is done by the next one. */
import { AT_LENGTH } from '../support/at-length';
import { testServerUrl } from '../support/database';
import { KillStory } from './killed-at-each-commit';

/** On the embedded database; PostgreSQL has the kills before a commit, since what is stored is the same after one or before the next. `npm run faults`: both. */
const here = AT_LENGTH || testServerUrl === null ? test : test.skip;

here('a record reaches the portal exactly once although the process is killed right after any commit on its way', async () => {
  const story = await KillStory.begin();
  try {
    const commits = await story.run('after');
    process.stdout.write(`killed right after each of ${commits.length} commits: ${commits.join(', ')}\n`);
    expect([...commits].sort()).toEqual(onTheWay);
  } finally {
    await story.end();
  }
});

const onTheWay = ['evaluation.raise', 'evaluation.turn', 'evaluation.turnOver', 'events.sequence', 'ingest.chunk', 'ingest.chunk'];
