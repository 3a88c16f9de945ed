/** `simwarden migrate`: brings the database to this version's schema. Every start does the same; this is for those who want it as a step of its own. */
import type { Config } from '../config';
import { openDatabase } from '../database/open';
import { processLog } from '../log';

export async function migrateCommand(config: Config): Promise<void> {
  const database = await openDatabase({
    url: config.databaseUrl,
    dataDirectory: config.dataDirectory,
    entities: [],
    log: processLog(config.logLevel),
  });
  process.stdout.write(`The ${database.kind} database has this version's schema.\n`);
  await database.close();
}
