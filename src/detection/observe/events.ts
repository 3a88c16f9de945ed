/** The events input: one row per event of a SIM on the day, sorted by SIM and event time, with what it says against what is known. */
import type { Transaction } from '../../database/database';
import type { CategoryColumn, ColumnName } from '../../detector';
import { startOfDay } from '../days';
import { eventClasses, readEvents, readNextTimes, readPreviousImeis, readPreviousTimes, type EventRow } from './event-rows';
import { changeBetween, matchAgainst } from './imei';
import { countAttachments, readHabits } from './network-counts';
import { CategoryBuilder, type ColumnValues, type Observation, type ObservationScope } from './observation';

/** The rows of one evaluation and the columns made of them so far. */
interface EventTable {
  readonly scope: ObservationScope;
  readonly rows: readonly EventRow[];
  readonly simOfRow: Int32Array;
  /** SIMs that have rows. */
  readonly simIds: readonly string[];
  readonly columns: Map<ColumnName, ColumnValues>;
}

interface ColumnGroup {
  readonly provides: readonly ColumnName[];
  readonly fill: (tx: Transaction, table: EventTable) => Promise<void>;
}

const groups: readonly ColumnGroup[] = [
  { provides: ['secondsSincePrevious'], fill: fillPrevious },
  { provides: ['secondsUntilNext'], fill: fillNext },
  { provides: ['imeiMatch', 'imeiChange'], fill: fillImei },
  { provides: ['networkSimsTried', 'networkSimsFailed'], fill: fillAttachments },
  { provides: ['networkFamilySims', 'destinationFamilySims', 'familySims'], fill: fillHabits },
];

export async function observeEvents(tx: Transaction, scope: ObservationScope, needs: ReadonlySet<ColumnName>): Promise<Observation> {
  const rows = await readEvents(tx, scope);
  const place = new Map(scope.sims.map((sim, index) => [sim.simId, index]));
  const simOfRow = Int32Array.from(rows, (row) => place.get(row.simId)!);
  const table: EventTable = { scope, rows, simOfRow, simIds: [...new Set(rows.map((row) => row.simId))], columns: new Map() };
  fillRows(table);
  for (const group of groups) {
    if (rows.length === 0 || group.provides.some((name) => needs.has(name))) await group.fill(tx, table);
  }
  return { rows: rows.length, columns: table.columns, simOfRow, networkOfRow: rows.map((row) => row.network) };
}

/** Columns that a row itself, or its SIM, says. */
function fillRows(table: EventTable): void {
  const { scope, simOfRow } = table;
  const midnight = startOfDay(scope.day);
  let ordinal = -1;
  numbers(table, 'subject', (_, row) => (row === 0 || simOfRow[row] !== simOfRow[row - 1] ? ++ordinal : ordinal));
  categories(table, 'eventClass', (event) => event.eventClass);
  categories(table, 'eventType', (event) => event.type);
  numbers(table, 'eventCount', (event) => event.count);
  numbers(table, 'secondOfDay', (event) => (event.at - midnight) / 1000);
  categories(table, 'network', (event) => event.network);
  categories(table, 'destination', (event) => event.destination);
  numbers(table, 'uplinkBytes', (event) => event.uplinkBytes ?? NaN);
  numbers(table, 'downlinkBytes', (event) => event.downlinkBytes ?? NaN);
  numbers(table, 'eventDayClosed', () => (scope.closed ? 1 : 0));
  numbers(table, 'eventBlockedByUs', (_, row) => (scope.sims[simOfRow[row]!]!.blockedByUs ? 1 : 0));
  numbers(table, 'eventCritical', (_, row) => (scope.sims[simOfRow[row]!]!.critical ? 1 : 0));
}

async function fillPrevious(tx: Transaction, table: EventTable): Promise<void> {
  const latest = new Map<string, number>();
  for (const eventClass of eventClasses) {
    const simIds = [...new Set(table.rows.filter((row) => row.eventClass === eventClass).map((row) => row.simId))];
    for (const [simId, at] of await readPreviousTimes(tx, table.scope, eventClass, simIds)) latest.set(`${eventClass} ${simId}`, at);
  }
  numbers(table, 'secondsSincePrevious', (event) => {
    const key = `${event.eventClass} ${event.simId}`;
    const previous = latest.get(key);
    latest.set(key, event.at);
    return previous === undefined ? NaN : (event.at - previous) / 1000;
  });
}

async function fillNext(tx: Transaction, table: EventTable): Promise<void> {
  const later = await readNextTimes(tx, table.scope, table.simIds);
  numbers(table, 'secondsUntilNext', (event, row) => {
    const following = table.simOfRow[row + 1] === table.simOfRow[row] ? table.rows[row + 1]!.at : later.get(event.simId);
    return following === undefined ? NaN : (following - event.at) / 1000;
  });
}

async function fillImei(tx: Transaction, table: EventTable): Promise<void> {
  const simIds = [...new Set(table.rows.filter((row) => row.imei !== null).map((row) => row.simId))];
  const latest = await readPreviousImeis(tx, table.scope, simIds);
  const bound = await readBindings(tx, table.scope.clientId, simIds);
  const matches = new CategoryBuilder(table.rows.length);
  const changes = new CategoryBuilder(table.rows.length);
  table.rows.forEach((event, row) => {
    const previous = latest.get(event.simId) ?? null;
    matches.set(row, matchAgainst(bound.get(event.simId) ?? [], previous, event.imei));
    changes.set(row, changeBetween(previous, event.imei));
    if (event.imei !== null) latest.set(event.simId, event.imei);
  });
  table.columns.set('imeiMatch', matches.column());
  table.columns.set('imeiChange', changes.column());
}

async function readBindings(tx: Transaction, clientId: number, simIds: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await tx.query<{ sim_id: string; imei: string }>(
    'SELECT sim_id, imei FROM imei_binding WHERE client_id = $1 AND sim_id = ANY($2::int8[]) ORDER BY sim_id, imei14',
    [clientId, simIds],
  );
  const bound = new Map<string, string[]>();
  for (const row of rows) bound.set(row.sim_id, [...(bound.get(row.sim_id) ?? []), row.imei]);
  return bound;
}

async function fillAttachments(tx: Transaction, table: EventTable): Promise<void> {
  const counts = await countAttachments(tx, table.scope, [...new Set(table.rows.flatMap((row) => row.network ?? []))]);
  numbers(table, 'networkSimsTried', (event) => (event.network === null ? NaN : (counts.get(event.network)?.tried ?? 0)));
  numbers(table, 'networkSimsFailed', (event) => (event.network === null ? NaN : (counts.get(event.network)?.failed ?? 0)));
}

async function fillHabits(tx: Transaction, table: EventTable): Promise<void> {
  const { rows, scope, simOfRow } = table;
  const familyOf = (row: number) => scope.sims[simOfRow[row]!]!.family;
  const habits = await readHabits(
    tx,
    scope,
    [...new Set(rows.flatMap((row) => (row.network === null ? [] : countryOf(row.network))))],
    [...new Set(rows.flatMap((row) => row.destination ?? []))],
    [...new Set(rows.flatMap((_, row) => familyOf(row) ?? []))],
  );
  numbers(table, 'networkFamilySims', (event) =>
    habits === null || event.network === null ? NaN : habits.network(countryOf(event.network)),
  );
  numbers(table, 'destinationFamilySims', (event, row) => {
    const family = familyOf(row);
    return habits === null || event.destination === null || family === null ? NaN : habits.destination(family, event.destination);
  });
  numbers(table, 'familySims', (_, row) => {
    const family = familyOf(row);
    return habits === null || family === null ? NaN : habits.traffic(family);
  });
}

/** MCC of a PLMN: always three digits. */
function countryOf(network: string): string {
  return network.slice(0, 3);
}

function numbers(table: EventTable, name: ColumnName, valueOf: (event: EventRow, row: number) => number): void {
  table.columns.set(name, Float64Array.from(table.rows, valueOf));
}

function categories(table: EventTable, name: ColumnName, nameOf: (event: EventRow) => string | null): void {
  const builder = new CategoryBuilder(table.rows.length);
  table.rows.forEach((event, row) => builder.set(row, nameOf(event)));
  const column: CategoryColumn = builder.column();
  table.columns.set(name, column);
}
