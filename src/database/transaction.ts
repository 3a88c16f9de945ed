/** One open transaction as the code sees it, and the single round trip that opens it under its role, client and time limit. */
import type { ClientBase } from 'pg';
import type { EntityManager, QueryRunner } from 'typeorm';
import type { Backend } from './backend';
import { CopyOut, type TakeRow } from './copy-out';
import type { DatabaseRole, PokeChannel, Transaction, TransactionOptions } from './database';

const databaseRoles: Record<Exclude<DatabaseRole, 'owner'>, string> = {
  tenant: 'simwarden_tenant',
  operator: 'simwarden_operator',
  ingest: 'simwarden_ingest',
};

/** BEGIN, role, client and statement timeout in one simple query, so in one round trip. */
export function openingStatement(options: TransactionOptions, statementTimeoutMs: number): string {
  const { role, clientId, readOnly } = options;
  if (role === 'tenant' && clientId === undefined)
    throw new Error(`Transaction "${options.name}" runs as tenant but names no client; give clientId.`);
  // These numbers become part of the statement, so nothing but a number may pass.
  if (clientId !== undefined && !Number.isInteger(clientId))
    throw new Error(`Transaction "${options.name}": clientId ${String(clientId)} is not an integer.`);
  return [
    readOnly ? 'BEGIN READ ONLY' : 'BEGIN',
    `SET LOCAL statement_timeout = ${Math.trunc(statementTimeoutMs)}`,
    // Said for the owner too: a role that someone set for the whole session must not reach the next transaction.
    `SET LOCAL ROLE ${role === 'owner' ? 'NONE' : databaseRoles[role]}`,
    // What set_client() does, said directly: on the embedded database the function call takes twice as long as all the rest together.
    ...(clientId === undefined ? [] : [`SET LOCAL simwarden.client_id = ${clientId}`]),
  ].join('; ');
}

export class OpenTransaction implements Transaction {
  readonly role: DatabaseRole;
  readonly clientId: number | undefined;
  private readonly pokes = new Set<PokeChannel>();
  private readonly actions: (() => void)[] = [];
  private open = true;

  constructor(
    private readonly options: TransactionOptions,
    private readonly backend: Backend,
    private readonly runner: QueryRunner,
    private readonly connection: ClientBase,
    private readonly onStatement?: (sql: string, options: TransactionOptions) => void,
  ) {
    this.role = options.role;
    this.clientId = options.clientId;
  }

  get manager(): EntityManager {
    return this.runner.manager;
  }

  async query<Row extends object = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]> {
    this.mustBeOpen();
    this.onStatement?.(sql, this.options);
    const result = await this.connection.query<Row>(sql, parameters as unknown[] | undefined);
    // Several statements without parameters answer an array; the last one's rows count.
    return Array.isArray(result) ? ((result as { rows: Row[] }[]).at(-1)?.rows ?? []) : result.rows;
  }

  async copyBinary(table: string, columns: readonly string[], data: Uint8Array | Iterable<Uint8Array>): Promise<number> {
    this.mustBeOpen();
    const target = `${identifier(table)} (${columns.map(identifier).join(', ')})`;
    return this.backend.copyBinary(this.connection, target, data instanceof Uint8Array ? [data] : data);
  }

  async copyOut(select: string, take: TakeRow): Promise<void> {
    this.mustBeOpen();
    this.onStatement?.(select, this.options);
    await this.connection.query(new CopyOut(`COPY (${select}) TO STDOUT (FORMAT binary)`, take)).done;
  }

  poke(channel: PokeChannel): void {
    this.pokes.add(channel);
  }

  afterCommit(action: () => void): void {
    this.actions.push(action);
  }

  /** Called when the transaction ends: a query that was not awaited must not run on a connection that is someone else's by then. */
  close(): void {
    this.open = false;
  }

  announceCommit(): void {
    for (const action of this.actions) action();
    for (const channel of this.pokes) this.backend.pokes.send(channel);
  }

  private mustBeOpen(): void {
    if (!this.open) throw new Error('This transaction has ended; its work must await every query before it returns.');
  }
}

/** A quoted identifier; telemetry partitions and columns are plain words, so anything else is a mistake. */
export function identifier(name: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) throw new Error(`"${name}" is not a table or column name.`);
  return `"${name}"`;
}
