/** The events of SIMs on one day: connection events, device events, and usage records as sightings, in one order whatever the order of arrival. */
import type { Transaction } from '../../database/database';
import { addDays, endOfDay, HOUR_MILLISECONDS, startOfDay } from '../days';
import type { ObservationScope } from './observation';

export const eventClasses = ['CONNECTION', 'DEVICE', 'USAGE'] as const;
export type EventClass = (typeof eventClasses)[number];

export interface EventRow {
  readonly eventClass: EventClass;
  readonly simId: string;
  readonly type: string;
  /** Event time in milliseconds since the epoch. */
  readonly at: number;
  readonly count: number;
  readonly imei: string | null;
  readonly network: string | null;
  readonly destination: string | null;
  readonly uplinkBytes: number | null;
  readonly downlinkBytes: number | null;
  /** Source and record id: breaks ties. */
  readonly identity: string;
}

interface StoredEvent {
  sim_id: string;
  type: string;
  at: number;
  count: number;
  imei: string | null;
  plmn: string | null;
  destination: string | null;
  uplink: number | null;
  downlink: number | null;
  source: string;
  id: string;
}

const milliseconds = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

const selections: Readonly<Record<EventClass, string>> = {
  CONNECTION: `SELECT sim_id, type, ${milliseconds('occurred_at')} AS at, 1 AS count, imei, plmn, NULL::text AS destination,
                      uplink_bytes::float8 AS uplink, downlink_bytes::float8 AS downlink, source, event_id AS id FROM connection_event`,
  DEVICE: `SELECT sim_id, type, ${milliseconds('occurred_at')} AS at, count, NULL::text AS imei, NULL::text AS plmn, NULL::text AS destination,
                  NULL::float8 AS uplink, NULL::float8 AS downlink, source, event_id AS id FROM device_event`,
  USAGE: `SELECT sim_id, 'USAGE' AS type, ${milliseconds('started_at')} AS at, 1 AS count, imei, plmn, destination,
                 uplink_bytes::float8 AS uplink, downlink_bytes::float8 AS downlink, source, record_id AS id FROM usage_record`,
};

/** Table and time column of each class, for looks at other days. */
const stored: Readonly<Record<EventClass, readonly [table: string, time: string]>> = {
  CONNECTION: ['connection_event', 'occurred_at'],
  DEVICE: ['device_event', 'occurred_at'],
  USAGE: ['usage_record', 'started_at'],
};

/** Rows by SIM in the scope's order, then event time, class, source and id. */
export async function readEvents(tx: Transaction, scope: ObservationScope): Promise<EventRow[]> {
  const simIds = scope.sims.map((sim) => sim.simId);
  const place = new Map(simIds.map((simId, index) => [simId, index]));
  const rows: EventRow[] = [];
  for (const eventClass of eventClasses) {
    const found = await tx.query<StoredEvent>(`${selections[eventClass]} WHERE client_id = $1 AND day = $2 AND sim_id = ANY($3::int8[])`, [
      scope.clientId,
      scope.day,
      simIds,
    ]);
    for (const row of found) rows.push(eventRow(eventClass, row));
  }
  return rows.sort(
    (a, b) =>
      place.get(a.simId)! - place.get(b.simId)! || a.at - b.at || compare(a.eventClass, b.eventClass) || compare(a.identity, b.identity),
  );
}

function eventRow(eventClass: EventClass, row: StoredEvent): EventRow {
  return {
    eventClass,
    simId: row.sim_id,
    type: row.type,
    at: row.at,
    count: row.count,
    imei: row.imei,
    network: row.plmn,
    destination: row.destination,
    uplinkBytes: row.uplink,
    downlinkBytes: row.downlink,
    identity: `${row.source}\u0000${row.id}`,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How far back "previous" looks, in days; the bound keeps the answer the same whatever else is stored. */
const PREVIOUS_EVENT_DAYS = 7;
const PREVIOUS_IMEI_DAYS = 28;
/** How far ahead "next" looks past the day: what every close knows, since a day closes when its sources are six hours past it. */
const NEXT_EVENT_MILLISECONDS = 6 * HOUR_MILLISECONDS;

/** Latest event of the class before the day, per SIM. */
export async function readPreviousTimes(
  tx: Transaction,
  scope: ObservationScope,
  eventClass: EventClass,
  simIds: readonly string[],
): Promise<Map<string, number>> {
  const [table, time] = stored[eventClass];
  const found = await lookBack(tx, scope, simIds, PREVIOUS_EVENT_DAYS, `${milliseconds(time)} AS value`, table, time, '');
  return new Map(found.map((row) => [row.sim_id, Number(row.value)]));
}

/** Latest known IMEI before the day, per SIM. */
export async function readPreviousImeis(tx: Transaction, scope: ObservationScope, simIds: readonly string[]): Promise<Map<string, string>> {
  const latest = new Map<string, { at: number; imei: string }>();
  for (const eventClass of ['CONNECTION', 'USAGE'] as const) {
    const [table, time] = stored[eventClass];
    const found = await lookBack(
      tx,
      scope,
      simIds,
      PREVIOUS_IMEI_DAYS,
      `imei AS value, ${milliseconds(time)} AS at`,
      table,
      time,
      'AND imei IS NOT NULL',
    );
    for (const row of found) {
      const known = latest.get(row.sim_id);
      // At the same instant the connection event stands first and the usage record, read second, is the later one.
      if (!known || row.at! >= known.at) latest.set(row.sim_id, { at: row.at!, imei: String(row.value) });
    }
  }
  return new Map([...latest].map(([simId, { imei }]) => [simId, imei]));
}

interface Found {
  sim_id: string;
  value: string | number;
  at?: number;
}

/** One look at the day before, which answers for most SIMs, then one at the further days for the rest. */
async function lookBack(
  tx: Transaction,
  scope: ObservationScope,
  simIds: readonly string[],
  days: number,
  values: string,
  table: string,
  time: string,
  condition: string,
): Promise<Found[]> {
  const look = (asked: readonly string[], from: string, to: string) =>
    tx.query<Found>(
      `SELECT asked.sim_id, earlier.* FROM unnest($2::int8[]) AS asked (sim_id)
      CROSS JOIN LATERAL (
        SELECT ${values} FROM ${table}
         WHERE client_id = $1 AND sim_id = asked.sim_id AND day >= $3 AND day <= $4 ${condition}
         ORDER BY ${time} DESC, source DESC, ${table === 'usage_record' ? 'record_id' : 'event_id'} DESC LIMIT 1
      ) earlier`,
      [scope.clientId, asked, from, to],
    );
  if (simIds.length === 0) return [];
  const yesterday = addDays(scope.day, -1);
  const near = await look(simIds, yesterday, yesterday);
  const answered = new Set(near.map((row) => row.sim_id));
  const rest = simIds.filter((simId) => !answered.has(simId));
  return rest.length === 0 ? near : [...near, ...(await look(rest, addDays(scope.day, -days), addDays(scope.day, -2)))];
}

/** First event of any class after the day, per SIM, within the hours that every close knows. */
export async function readNextTimes(tx: Transaction, scope: ObservationScope, simIds: readonly string[]): Promise<Map<string, number>> {
  const next = new Map<string, number>();
  const [from, to] = [new Date(endOfDay(scope.day)), new Date(endOfDay(scope.day) + NEXT_EVENT_MILLISECONDS)];
  for (const eventClass of eventClasses) {
    const [table, time] = stored[eventClass];
    const found = await tx.query<{ sim_id: string; at: number }>(
      `SELECT sim_id, ${milliseconds(`min(${time})`)} AS at FROM ${table}
        WHERE client_id = $1 AND day = $2 AND sim_id = ANY($3::int8[]) AND ${time} >= $4 AND ${time} < $5 GROUP BY sim_id`,
      [scope.clientId, addDays(scope.day, 1), simIds, from, to],
    );
    for (const row of found) next.set(row.sim_id, Math.min(row.at, next.get(row.sim_id) ?? Infinity));
  }
  return next;
}

/** Of these SIMs, those with an event in the first hours of the day that arrived after `receivedAfter`: the close of the day before did not know it. */
export async function simsHeardEarly(
  tx: Transaction,
  clientId: number,
  day: string,
  simIds: readonly string[],
  receivedAfter: Date,
): Promise<string[]> {
  const heard = new Set<string>();
  const until = new Date(startOfDay(day) + NEXT_EVENT_MILLISECONDS);
  for (const eventClass of eventClasses) {
    const [table, time] = stored[eventClass];
    const rows = await tx.query<{ sim_id: string }>(
      `SELECT DISTINCT sim_id FROM ${table}
        WHERE client_id = $1 AND day = $2 AND sim_id = ANY($3::int8[]) AND ${time} < $4 AND received_at >= $5`,
      [clientId, day, simIds, until, receivedAfter],
    );
    for (const row of rows) heard.add(row.sim_id);
  }
  return [...heard];
}
