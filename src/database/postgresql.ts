/** The PostgreSQL backend: a pool of connections through TypeORM's driver, COPY by stream, pokes by NOTIFY. */
import pg, { type ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { Log } from '../runtime';
import type { Backend } from './backend';
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
    copyBinary,
    afterMigrations: () => Promise.resolve(),
    close: async () => {
      await pokes.close();
      await dataSource.destroy();
    },
  };
}

async function copyBinary(connection: ClientBase, target: string, data: Uint8Array): Promise<number> {
  const copy = connection.query(copyFrom(`COPY ${target} FROM STDIN (FORMAT binary)`));
  await pipeline(Readable.from(slices(data)), copy);
  return copy.rowCount;
}

/** Pieces of a size that a socket takes at once. */
function* slices(data: Uint8Array, bytes = 1 << 18): Generator<Buffer> {
  const whole = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  for (let start = 0; start < whole.length; start += bytes) yield whole.subarray(start, start + bytes);
}
