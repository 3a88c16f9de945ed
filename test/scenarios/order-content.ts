/** What a database says once names stand for ids and wall-clock columns are left out: equal content, however it came in. */
import { createHash } from 'node:crypto';
import type { Database, Transaction } from '../../src/database/database';

type Cell = unknown;
type Row = Record<string, Cell>;
/** Table → its rows as texts, sorted. */
export type Content = Record<string, string[]>;

/** Columns that say when or under which id something was written, not what is true. */
const written = new Set([
  'received_at',
  'created_at',
  'updated_at',
  'computed_at',
  'closed_at',
  'evaluated_at',
  'last_received_at',
  'bound_at',
  'block_changed_at',
  'resolved_at',
  'quarantine_id',
  'batch_key',
  'line',
  'incident_id',
  'sequence',
  'late_marks',
  'device_id',
  'threshold_id',
  'logged_at',
  'committed_at',
]);

const tables: Readonly<Record<string, string>> = {
  usage_record: 'SELECT * FROM usage_record',
  connection_event: 'SELECT * FROM connection_event',
  device_event: 'SELECT * FROM device_event',
  usage_sim_hour: 'SELECT * FROM usage_sim_hour',
  usage_sim_day: 'SELECT * FROM usage_sim_day',
  usage_fleet_hour: 'SELECT * FROM usage_fleet_hour',
  usage_client_hour: 'SELECT * FROM usage_client_hour',
  sim_presence: 'SELECT * FROM sim_presence',
  imei_binding: 'SELECT * FROM imei_binding',
  source_watermark: 'SELECT * FROM source_watermark',
  baseline: 'SELECT * FROM baseline',
  sighting_sim_day: 'SELECT * FROM sighting_sim_day',
  habit: 'SELECT * FROM habit',
  day_close: 'SELECT * FROM day_close',
  evaluation_queue: 'SELECT * FROM evaluation_queue',
  open_alert: `SELECT client_id, fingerprint, severity, first_window_start, last_window_start, last_window_end, occurrence_count, title, evidence
                 FROM alert WHERE state = 'OPEN'`,
  alert: `SELECT * FROM alert WHERE coalesce(resolution, '') NOT IN ('MERGED', 'RETRACTED')`,
  alert_occurrence: `SELECT occurrence.*, alert.fingerprint FROM alert_occurrence occurrence
                       JOIN alert ON alert.client_id = occurrence.client_id AND alert.alert_id = occurrence.alert_id`,
  open_incident: `SELECT client_id, sim_id, fleet_id, title, severity, live_alerts, proposed_root_cause, opened_at FROM incident WHERE state = 'OPEN'`,
  quarantine: `SELECT client_id, source, kind, record_hash, code, message, record, iccid FROM quarantine WHERE state = 'HELD'`,
};

export async function contentOf(database: Database): Promise<Content> {
  return database.transaction({ name: 'test.content', role: 'operator', readOnly: true }, async (tx) => {
    const names = await namesOf(tx);
    const content: Content = {};
    for (const [table, sql] of Object.entries(tables)) {
      content[table] = (await tx.query<Row>(sql)).map((row) => JSON.stringify(named(row, names))).sort();
    }
    return content;
  });
}

export function digests(content: Content): Record<string, string> {
  return Object.fromEntries(
    Object.entries(content).map(([table, rows]) => [table, createHash('sha256').update(rows.join('\n')).digest('hex')]),
  );
}

/** The first rows that only one of two contents has, for a reader who must find out why. */
export function difference(left: Content, right: Content): Record<string, { onlyLeft: string[]; onlyRight: string[] }> {
  const found: Record<string, { onlyLeft: string[]; onlyRight: string[] }> = {};
  for (const table of Object.keys(left)) {
    const onlyLeft = without(left[table]!, right[table]!);
    const onlyRight = without(right[table]!, left[table]!);
    if (onlyLeft.length + onlyRight.length > 0) found[table] = { onlyLeft: onlyLeft.slice(0, 5), onlyRight: onlyRight.slice(0, 5) };
  }
  return found;
}

function without(rows: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return rows.filter((row) => !known.has(row));
}

type Names = ReadonlyMap<string, string>;

async function namesOf(tx: Transaction): Promise<Names> {
  const names = new Map<string, string>();
  for (const row of await tx.query<{ client_id: number; name: string }>('SELECT client_id, name FROM client'))
    names.set(String(row.client_id), row.name);
  for (const row of await tx.query<{ sim_id: string; iccid: string }>('SELECT sim_id, iccid FROM sim'))
    names.set(`sim ${row.sim_id}`, row.iccid);
  for (const row of await tx.query<{ fleet_id: string; name: string }>('SELECT fleet_id, name FROM fleet'))
    names.set(`fleet ${row.fleet_id}`, row.name);
  return names;
}

function named(row: Row, names: Names): Row {
  const kept: Row = {};
  for (const column of Object.keys(row).sort()) {
    if (written.has(column) || column === 'alert_id' || column === 'queue_id') continue;
    kept[column] = nameOf(column, row[column], row, names);
  }
  return kept;
}

function nameOf(column: string, value: Cell, row: Row, names: Names): Cell {
  if (value === null) return null;
  const text = `${value as string | number}`;
  const of = (key: string): string => names.get(key) ?? `unknown ${key}`;
  switch (column) {
    case 'client_id':
      return of(text);
    case 'sim_id':
      return of(`sim ${text}`);
    case 'fleet_id':
      return of(`fleet ${text}`);
    case 'subject_id':
      return subjectName(row['subject'] as string, text, of);
    case 'fingerprint': {
      const [subject = '', id = '', ...kind] = text.split(':');
      return [subject, subjectName(subject, id, of), ...kind].join(':');
    }
    default:
      return value;
  }
}

function subjectName(subject: string, id: string, of: (key: string) => string): string {
  if (subject === 'SIM') return of(`sim ${id}`);
  if (subject === 'FLEET') return of(`fleet ${id}`);
  return subject === 'CLIENT' ? of(id) : id;
}
