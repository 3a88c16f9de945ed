/** The PostgreSQL backend: a pool of connections through TypeORM's driver, COPY by stream, pokes by NOTIFY. */
import pg, { type ClientBase } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { Log } from '../runtime';
import type { Backend } from './backend';
import { copyIn } from './copy-in';
import { NotifyPokes } from './notify-pokes';
import { prepareConnection } from './prepare-connection';
import { valueParsers } from './value-parsers';

export interface PostgresqlOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly leaseTimeoutMs: number;
  readonly entities: NonNullable<DataSourceOptions['entities']>;
  readonly log: Log;
}

/** A DataSource that connects when it is first used. */
export function postgresqlDataSource(options: PostgresqlOptions): DataSource {
  const { log } = options;
  return new DataSource({
    type: 'postgres',
    url: options.url,
    driver: pg,
    entities: options.entities,
    poolSize: options.poolSize,
    connectTimeoutMS: options.leaseTimeoutMs,
    applicationName: 'simwarden',
    installExtensions: false,
    logging: false,
    poolErrorHandler: (error: unknown) => log.logger.warn({ err: error }, 'an idle database connection was lost'),
    extra: { types: valueParsers, keepAlive: true, onConnect: (connection: ClientBase) => prepareConnection(connection, log) },
  });
}

export async function connectPostgresql(options: PostgresqlOptions): Promise<Backend> {
  const { log } = options;
  const dataSource = postgresqlDataSource(options);
  await dataSource.initialize();
  const pokes = new NotifyPokes({ connectionString: options.url, application_name: 'simwarden pokes' }, log);
  try {
    await pokes.start();
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
  return {
    kind: 'postgresql',
    dataSource,
    pokes,
    limitStatements: () => undefined,
    copyBinary: (connection, target, pieces) => copyIn(connection, `COPY ${target} FROM STDIN (FORMAT binary)`, pieces),
    afterMigrations: () => Promise.resolve(),
    close: async () => {
      await pokes.close();
      await dataSource.destroy();
    },
  };
}
