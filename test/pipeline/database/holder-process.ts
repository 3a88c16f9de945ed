/** A process that holds a data directory until it is killed: run by embedded.test.ts. */
import { holdDirectory } from '../../../src/database/embedded/directory-lock';

void holdDirectory(process.argv[2]!).then(() => {
  process.stdout.write('held\n');
  setInterval(() => undefined, 60_000);
});
