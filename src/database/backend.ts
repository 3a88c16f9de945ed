/** What PostgreSQL and the embedded database do differently; everything else is written once, on top of this. */
import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import type { Database } from './database';
import type { Pokes } from './pokes';

export interface Backend {
  readonly kind: 'postgresql' | 'embedded';
  readonly dataSource: DataSource;
  readonly pokes: Pokes;
  /** Bounds the statements of the transaction that this connection begins now, where the database can't do it itself. 0: no bound. */
  limitStatements(connection: ClientBase, milliseconds: number): void;
  /** Loads PostgreSQL's binary COPY format into the columns of a table; answers the number of rows. */
  copyBinary(connection: ClientBase, target: string, pieces: Iterable<Uint8Array>): Promise<number>;
  /** Runs once after the migrations: privileges that only this backend needs. */
  afterMigrations(database: Database): Promise<void>;
  close(): Promise<void>;
}
