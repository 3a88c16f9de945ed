/** The three kinds of telemetry records: their columns, what makes a record valid, and where it is stored. */
import { createHash } from 'node:crypto';
import { optional, readColumns, isRowError, required, rowError, type ColumnTable, type RowError, type ValuesOf } from './parsing/column';
import { byteCount, destination, deviceEventType, iccid, imei, instant, oneOf, plmn, rat, textUpTo, wholeNumber } from './parsing/values';

export const DAY_MILLISECONDS = 86_400_000;
/** How long usage and events are kept; older records are quarantined, so that partitions are bounded. */
export const RETAINED_DAYS = 400;
/** How far ahead of our clock a record may be. */
export const AHEAD_MILLISECONDS = 5 * 60_000;
const LONGEST_PERIOD_DAYS = 31;

export const CONNECTION_EVENT_TYPES = [
  'ATTACHMENT_ACCEPTED',
  'ATTACHMENT_REJECTED',
  'ATTACHMENT_FAILED',
  'DETACHED',
  'DATA_SESSION_STARTED',
  'DATA_SESSION_UPDATED',
  'DATA_SESSION_ENDED',
  'DATA_SESSION_FAILED',
] as const;

const recordId = optional(textUpTo(200));

export const usageColumns = {
  record_id: recordId,
  iccid: required(iccid),
  started_at: required(instant),
  ended_at: required(instant),
  uplink_bytes: required(byteCount),
  downlink_bytes: required(byteCount),
  plmn: optional(plmn),
  rat: optional(rat),
  imei: optional(imei),
  apn: optional(textUpTo(100)),
  destination: optional(destination),
};

export const connectionEventColumns = {
  event_id: recordId,
  iccid: required(iccid),
  type: required(oneOf(CONNECTION_EVENT_TYPES)),
  occurred_at: required(instant),
  imei: optional(imei),
  plmn: optional(plmn),
  rat: optional(rat),
  session_id: optional(textUpTo(200)),
  uplink_bytes: optional(byteCount),
  downlink_bytes: optional(byteCount),
};

export const deviceEventColumns = {
  event_id: recordId,
  iccid: required(iccid),
  type: required(deviceEventType),
  occurred_at: required(instant),
  count: optional(wholeNumber(1, 2_147_483_647)),
  detail: optional(textUpTo(1000)),
};

export type UsageValues = ValuesOf<typeof usageColumns>;
export type ConnectionEventValues = ValuesOf<typeof connectionEventColumns>;
export type DeviceEventValues = ValuesOf<typeof deviceEventColumns>;

export type KindName = 'usage' | 'connection-events' | 'device-events';

/** A valid record, its SIM not yet found. */
export interface TelemetryRecord<Values = unknown> {
  /** Its own id, else the hash of its content: with client, source and day its identity. */
  readonly id: string;
  /** Tells a repeat from a conflict under the same identity; decimal int8. */
  readonly contentHash: string;
  readonly iccid: string;
  /** Epoch milliseconds; decides the day and the SIM's owner. */
  readonly startedAt: number;
  /** Epoch milliseconds; the latest moment that the record speaks of. */
  readonly endedAt: number;
  readonly values: Values;
}

/** One stored column besides identity, SIM and arrival. */
export interface StoredColumn<Values> {
  readonly name: string;
  readonly type: 'text' | 'int4' | 'int8' | 'timestamptz';
  readonly of: (values: Values) => string | number | bigint | null;
}

export interface RecordKind<Values = unknown> {
  readonly name: KindName;
  readonly columns: ColumnTable;
  readonly table: 'usage_record' | 'connection_event' | 'device_event';
  readonly idColumn: 'record_id' | 'event_id';
  readonly stored: readonly StoredColumn<Values>[];
  /** Reads and checks a row; `now`: the wall clock in epoch milliseconds. */
  read(text: (column: string) => string | undefined, now: number): TelemetryRecord<Values> | RowError;
}

export const usageKind: RecordKind<UsageValues> = {
  name: 'usage',
  columns: usageColumns,
  table: 'usage_record',
  idColumn: 'record_id',
  stored: [
    { name: 'started_at', type: 'timestamptz', of: (values) => values.started_at },
    { name: 'ended_at', type: 'timestamptz', of: (values) => values.ended_at },
    { name: 'uplink_bytes', type: 'int8', of: (values) => values.uplink_bytes },
    { name: 'downlink_bytes', type: 'int8', of: (values) => values.downlink_bytes },
    { name: 'plmn', type: 'text', of: (values) => values.plmn },
    { name: 'rat', type: 'text', of: (values) => values.rat },
    { name: 'imei', type: 'text', of: (values) => values.imei },
    { name: 'apn', type: 'text', of: (values) => values.apn },
    { name: 'destination', type: 'text', of: (values) => values.destination },
  ],
  read(text, now) {
    const values = readColumns(usageColumns, text);
    if (isRowError(values)) return values;
    return (
      periodError(values.started_at, values.ended_at) ??
      timeError(values.started_at, values.ended_at, now) ??
      recordOf(usageColumns, values, values.record_id, values.iccid, values.started_at, values.ended_at)
    );
  },
};

export const connectionEventKind: RecordKind<ConnectionEventValues> = {
  name: 'connection-events',
  columns: connectionEventColumns,
  table: 'connection_event',
  idColumn: 'event_id',
  stored: [
    { name: 'type', type: 'text', of: (values) => values.type },
    { name: 'occurred_at', type: 'timestamptz', of: (values) => values.occurred_at },
    { name: 'imei', type: 'text', of: (values) => values.imei },
    { name: 'plmn', type: 'text', of: (values) => values.plmn },
    { name: 'rat', type: 'text', of: (values) => values.rat },
    { name: 'session_id', type: 'text', of: (values) => values.session_id },
    { name: 'uplink_bytes', type: 'int8', of: (values) => values.uplink_bytes },
    { name: 'downlink_bytes', type: 'int8', of: (values) => values.downlink_bytes },
  ],
  read(text, now) {
    const values = readColumns(connectionEventColumns, text);
    if (isRowError(values)) return values;
    return (
      timeError(values.occurred_at, values.occurred_at, now) ??
      recordOf(connectionEventColumns, values, values.event_id, values.iccid, values.occurred_at, values.occurred_at)
    );
  },
};

export const deviceEventKind: RecordKind<DeviceEventValues> = {
  name: 'device-events',
  columns: deviceEventColumns,
  table: 'device_event',
  idColumn: 'event_id',
  stored: [
    { name: 'type', type: 'text', of: (values) => values.type },
    { name: 'occurred_at', type: 'timestamptz', of: (values) => values.occurred_at },
    { name: 'count', type: 'int4', of: (values) => values.count ?? 1 },
    { name: 'detail', type: 'text', of: (values) => values.detail },
  ],
  read(text, now) {
    const values = readColumns(deviceEventColumns, text);
    if (isRowError(values)) return values;
    return (
      timeError(values.occurred_at, values.occurred_at, now) ??
      recordOf(deviceEventColumns, values, values.event_id, values.iccid, values.occurred_at, values.occurred_at)
    );
  },
};

export const recordKinds: Readonly<Record<KindName, RecordKind>> = {
  usage: usageKind as RecordKind,
  'connection-events': connectionEventKind as RecordKind,
  'device-events': deviceEventKind as RecordKind,
};

function periodError(startedAt: number, endedAt: number): RowError | null {
  if (endedAt < startedAt) return rowError('PERIOD_NEGATIVE', { given: new Date(endedAt).toISOString() });
  const days = (endedAt - startedAt) / DAY_MILLISECONDS;
  return days > LONGEST_PERIOD_DAYS ? rowError('PERIOD_TOO_LONG', { given: days.toFixed(1) }) : null;
}

function timeError(startedAt: number, endedAt: number, now: number): RowError | null {
  if (endedAt > now + AHEAD_MILLISECONDS) return rowError('TIME_IN_FUTURE', { given: new Date(endedAt).toISOString() });
  if (startedAt < now - RETAINED_DAYS * DAY_MILLISECONDS) {
    return rowError('TIME_TOO_OLD', { given: new Date(startedAt).toISOString(), days: RETAINED_DAYS });
  }
  return null;
}

function recordOf<Values extends object>(
  columns: ColumnTable,
  values: Values,
  ownId: string | null,
  simIccid: string,
  startedAt: number,
  endedAt: number,
): TelemetryRecord<Values> {
  const content: (string | null)[] = [];
  for (const name in columns) {
    if (columns[name] === recordId) continue;
    const value = (values as Readonly<Record<string, string | number | bigint | null>>)[name];
    content.push(value === null || value === undefined ? null : String(value));
  }
  const digest = createHash('sha256').update(JSON.stringify(content)).digest();
  return {
    id: ownId ?? `sha256-${digest.toString('hex', 0, 16)}`,
    contentHash: digest.readBigInt64BE(0).toString(),
    iccid: simIccid,
    startedAt,
    endedAt,
    values,
  };
}
