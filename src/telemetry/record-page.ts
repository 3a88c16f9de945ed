/** Pages of one SIM's records, latest first: what the three lists of records have in common. */
import { emptyPage, maySee } from '../access';
import type { Transaction } from '../database/database';
import { Sim, simLoader } from '../fleet';
import { decodeCursor, pageOf, type Connection, type PageArgs } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId, toGlobalId, type GlobalId } from '../graphql/global-id';
import { dayOf } from './hours';

/** Where a kind's records are, and by which time they are ordered. */
export interface RecordTable {
  readonly table: 'usage_record' | 'connection_event' | 'device_event';
  readonly time: 'started_at' | 'occurred_at';
  readonly id: 'record_id' | 'event_id';
  /** All that the type shows, for `FROM table`. */
  readonly columns: string;
}

export interface RecordRow {
  readonly client_id: number;
  readonly sim_id: string;
  readonly source: string;
  readonly day: string;
}

export interface RecordFilter {
  readonly sim: string;
  readonly from?: Date | null;
  readonly to?: Date | null;
}

interface Conditions {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

/** `equals`: further conditions, column → value. A SIM that is missing, or not the caller's to see, has no records. */
export async function recordPage<Row extends RecordRow, Node>(
  context: GraphqlContext,
  table: RecordTable,
  filter: RecordFilter,
  equals: Readonly<Record<string, string | null | undefined>>,
  page: PageArgs,
  nodeOf: (row: Row) => Node,
): Promise<Connection<Node>> {
  const sim = await visibleSim(context, requireGlobalId(filter.sim, 'Sim', 'int8'));
  if (!sim) return emptyPage(page);
  const all = conditions(table, sim, filter, equals);
  const shown = page.after ? after(table, all, page.after) : all;
  const rows = await context.read((tx) =>
    tx.query<Row>(
      `SELECT ${table.columns} FROM ${table.table} WHERE ${shown.text} ORDER BY ${table.time} DESC, source, ${table.id} LIMIT ${page.first + 1}`,
      shown.parameters,
    ),
  );
  const cursorOf = (row: Row): string[] => {
    const columns = row as unknown as Readonly<Record<string, Date & string>>;
    return [columns[table.time]!.toISOString(), row.source, columns[table.id]!];
  };
  return pageOf(rows, page, cursorOf, nodeOf, () => context.read((tx) => countOf(tx, table, all)));
}

/** null: missing, or not the caller's to see. */
export async function visibleSim(context: GraphqlContext, id: GlobalId | null): Promise<Sim | null> {
  if (!maySee(context.caller, id)) return null;
  const sim = await context.load(simLoader, `${id.clientId}:${id.key}`);
  const { fleetIds } = context.caller;
  return sim && (fleetIds === null || (sim.fleetId !== null && fleetIds.includes(sim.fleetId))) ? sim : null;
}

/** The day is named beside the time, since partitions are chosen by it. */
function conditions(
  table: RecordTable,
  sim: Sim,
  { from, to }: RecordFilter,
  equals: Readonly<Record<string, string | null | undefined>>,
): Conditions {
  const parameters: unknown[] = [sim.clientId, sim.simId];
  const found = ['client_id = $1', 'sim_id = $2'];
  const and = (condition: string, value: unknown): void => {
    parameters.push(value);
    found.push(condition.replace('?', `$${parameters.length}`));
  };
  if (from) {
    and(`${table.time} >= ?`, from);
    and('day >= ?::date', dayOf(from.getTime()));
  }
  if (to) {
    and(`${table.time} < ?`, to);
    and('day <= ?::date', dayOf(to.getTime()));
  }
  for (const [column, value] of Object.entries(equals)) if (value !== null && value !== undefined) and(`${column} = ?`, value);
  return { text: found.join(' AND '), parameters };
}

/** Time falls while source and id rise, so a row comparison alone can't say it. */
function after(table: RecordTable, all: Conditions, cursor: string): Conditions {
  const [time, source, id] = decodeCursor(cursor, ['instant', 'text', 'text']);
  const n = all.parameters.length;
  const rest = `${table.time} <= $${n + 1}::timestamptz AND (${table.time} < $${n + 1}::timestamptz OR (source, ${table.id}) > ($${n + 2}::text, $${n + 3}::text))`;
  return {
    text: `${all.text} AND ${rest} AND day <= $${n + 4}::date`,
    parameters: [...all.parameters, time, source, id, String(time).slice(0, 10)],
  };
}

async function countOf(tx: Transaction, table: RecordTable, all: Conditions): Promise<number> {
  const [row] = await tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM ${table.table} WHERE ${all.text}`, all.parameters);
  return row!.count;
}

/** A record's identity within its client, as its opaque id carries it. */
export function recordGlobalId(type: string, row: RecordRow, id: string): string {
  return toGlobalId(type, row.client_id, JSON.stringify([row.day, row.source, id]));
}

/** The record that such an id names, where the caller may see it. */
export async function findRecord<Row extends RecordRow>(
  context: GraphqlContext,
  table: RecordTable,
  clientId: number,
  key: string,
): Promise<Row | null> {
  const identity = parseIdentity(key);
  if (!identity) return null;
  const [row] = await context.read((tx) =>
    tx.query<Row>(
      `SELECT ${table.columns} FROM ${table.table} WHERE client_id = $1 AND day = $2::date AND source = $3 AND ${table.id} = $4`,
      [clientId, ...identity],
    ),
  );
  if (!row) return null;
  const sim = { type: 'Sim', clientId, key: row.sim_id };
  return (await visibleSim(context, sim)) ? row : null;
}

function parseIdentity(key: string): [string, string, string] | null {
  let value: unknown;
  try {
    value = JSON.parse(key);
  } catch {
    return null;
  }
  if (
    !Array.isArray(value) ||
    value.length !== 3 ||
    !value.every((part) => typeof part === 'string' && !part.includes('\0') && part.isWellFormed())
  )
    return null;
  const [day, source, id] = value as [string, string, string];
  const isDay = /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day);
  return isDay ? [day, source, id] : null;
}

/** The SIM of a record, closed ones too. */
export function simOf(context: GraphqlContext, record: { readonly clientId: number; readonly simId: string }): Promise<Sim | null> {
  return context.load(simLoader, `${record.clientId}:${record.simId}`);
}
