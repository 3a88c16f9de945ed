/** The embedded backend: PostgreSQL in WebAssembly in a thread, reached by the same pg client and TypeORM driver as a server. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg, { type ClientBase } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { Log } from '../../runtime';
import type { Backend } from '../backend';
import type { Database } from '../database';
import type { Migration } from '../migrations';
import { LocalPokes } from '../pokes';
import { prepareConnection } from '../prepare-connection';
import { valueParsers } from '../value-parsers';
import { holdDirectory, type DirectoryLock } from './directory-lock';
import { SeedImage } from './seed-image';
import { EmbeddedSession } from './session';
import { Upkeep } from './upkeep';
import { WireStream } from './wire-stream';

export interface EmbeddedOptions {
  /** null: in memory only. */
  readonly directory: string | null;
  /** A lock on the directory that the caller holds already; without one, it is taken and given back here. */
  readonly lock?: DirectoryLock;
  readonly leaseTimeoutMs: number;
  readonly entities: NonNullable<DataSourceOptions['entities']>;
  readonly migrations: readonly Migration[];
  readonly log: Log;
}

export async function connectEmbedded(options: EmbeddedOptions): Promise<Backend> {
  const { log } = options;
  const { session, dataSource, start, close } = embeddedDataSource(options);
  const upkeep = new Upkeep({ session, dataSource, log });
  try {
    await session.open();
    await dataSource.initialize();
  } catch (error) {
    await close();
    throw error;
  }
  if (options.directory !== null) {
    log.logger.info(
      { directory: options.directory },
      'embedded database: what is acknowledged survives a killed process, but not a power cut; set DATABASE_URL for that',
    );
  }
  return {
    kind: 'embedded',
    dataSource,
    pokes: new LocalPokes(),
    limitStatements: (_connection, milliseconds) => {
      session.statementBudgetMs = milliseconds;
    },
    copyBinary: (_connection, target, pieces) => session.copy(`COPY ${target} FROM '/dev/blob' (FORMAT binary)`, joined(pieces)),
    afterMigrations: async (database) => {
      if (start.imagePath === null && start.isNew) {
        await grantBlobs(database);
        await session
          .dump()
          .then((bytes) => start.image.store(bytes))
          .catch((error: unknown) =>
            log.logger.warn({ err: error }, 'the seed image could not be kept; the next first start is slow again'),
          );
      }
      start.place?.finish();
      upkeep.start();
    },
    close: async () => {
      await upkeep.stop();
      await close();
    },
  };
}

function joined(pieces: Iterable<Uint8Array>): Uint8Array {
  return Buffer.concat(Array.from(pieces, (piece) => Buffer.from(piece)));
}

interface EmbeddedDataSource {
  readonly session: EmbeddedSession;
  readonly dataSource: DataSource;
  readonly start: FirstStart;
  readonly close: () => Promise<void>;
}

/** A DataSource that takes the directory and starts the database when it is first used. */
export function embeddedDataSource(options: EmbeddedOptions): EmbeddedDataSource {
  const start = new FirstStart(options);
  const session = new EmbeddedSession({ directory: start.place?.data ?? null, prepare: () => start.prepare(), log: options.log });
  const dataSource = openDataSource(session, options);
  const close = async (): Promise<void> => {
    if (dataSource.isInitialized) await dataSource.destroy();
    await session.close();
    await start.ownLock?.release();
  };
  return { session, dataSource, start, close };
}

/** Before the database is opened: the directory is ours alone, and a new database has an image to begin with. */
class FirstStart {
  readonly image: SeedImage;
  readonly place: DataPlace | null;
  isNew = false;
  imagePath: string | null = null;
  ownLock: DirectoryLock | null = null;

  constructor(private readonly options: EmbeddedOptions) {
    this.image = new SeedImage(options.migrations);
    this.place = options.directory === null ? null : new DataPlace(options.directory);
  }

  async prepare(): Promise<string | null> {
    const { directory, lock } = this.options;
    if (directory !== null && !lock) this.ownLock = await holdDirectory(directory);
    this.isNew = this.place?.beginIfNew() ?? true;
    this.imagePath = this.isNew ? this.image.find() : null;
    return this.imagePath;
  }
}

/** A pool of one: checking its connection out is the exclusive lease on the session, and who waits too long gets DATABASE_BUSY. */
function openDataSource(session: EmbeddedSession, options: EmbeddedOptions): DataSource {
  const { log } = options;
  return new DataSource({
    type: 'postgres',
    driver: pg,
    entities: options.entities,
    poolSize: 1,
    connectTimeoutMS: options.leaseTimeoutMs,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    logging: false,
    poolErrorHandler: (error: unknown) => log.logger.warn({ err: error }, 'the embedded session was lost while idle'),
    extra: {
      stream: () => new WireStream(session),
      ssl: false,
      idleTimeoutMillis: 0,
      types: valueParsers,
      onConnect: (connection: ClientBase) => prepareConnection(connection, log),
    },
  });
}

/** Here COPY reads a file (/dev/blob holds the bytes), which PostgreSQL allows these roles only; the ingest role alone gets them. */
async function grantBlobs(database: Database): Promise<void> {
  await database.transaction({ name: 'embedded.grant', role: 'owner' }, (transaction) =>
    transaction.query('GRANT pg_read_server_files, pg_write_server_files TO simwarden_ingest WITH INHERIT TRUE'),
  );
}

/** Where the data lies within the directory, and whether its making was finished: a start that was killed half-way begins anew. */
class DataPlace {
  readonly data: string;
  private readonly unfinished: string;

  constructor(directory: string) {
    this.data = join(resolve(directory), 'pgdata');
    this.unfinished = join(resolve(directory), 'unfinished');
  }

  beginIfNew(): boolean {
    if (existsSync(this.data) && !existsSync(this.unfinished)) return false;
    writeFileSync(this.unfinished, 'The database beside this file was not made to its end; the next start makes it again.\n');
    rmSync(this.data, { recursive: true, force: true });
    mkdirSync(this.data, { recursive: true, mode: 0o700 });
    return true;
  }

  finish(): void {
    rmSync(this.unfinished, { force: true });
  }
}
