/** For TypeORM's command line only (`typeorm query -d …`): the same database that the server would open. The schema is made by src/database/migrations. */
import pino from 'pino';
import { Config } from './src/config';
import { embeddedDataSource } from './src/database/embedded/embedded';
import { readMigrations } from './src/database/migrations';
import { postgresqlDataSource } from './src/database/postgresql';
import { Log } from './src/runtime';

const config = Config.fromEnvironment();
const log: Log = new (class extends Log {
  readonly logger = pino({ level: config.logLevel }, pino.destination(2));
})();
const options = { entities: [], leaseTimeoutMs: config.leaseTimeoutMilliseconds, log };

export const dataSource =
  config.databaseUrl === null
    ? embeddedDataSource({ ...options, directory: config.dataDirectory, migrations: readMigrations() }).dataSource
    : postgresqlDataSource({ ...options, url: config.databaseUrl, poolSize: 2 });
