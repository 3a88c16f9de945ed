/** Reading and writing alerts and their windows in bulk: a handful of statements however many there are. */
import type { Transaction } from '../database/database';
import {
  alertAssignments,
  alertColumnNames,
  alertRowType,
  alertToRow,
  selectAlertColumns,
  type AlertRecord,
  type AlertWindow,
} from './alert-record';
import type { Episode } from './episodes';
import { isLive } from './lifecycle';

/** So that no statement's parameter grows past some megabytes. */
const ROWS_PER_STATEMENT = 5_000;

/** Locks the alerts of these fingerprints that windows from `since` on may join or reopen; null: all of them. Merged ones are history. */
export async function lockAround(
  tx: Transaction,
  clientId: number,
  fingerprints: readonly string[],
  since: Date | null,
): Promise<AlertRecord[]> {
  return tx.query<AlertRecord>(
    `SELECT ${selectAlertColumns()} FROM alert
     WHERE client_id = $1 AND fingerprint = ANY($2::text[]) AND resolution IS DISTINCT FROM 'MERGED'
       AND (state <> 'RESOLVED' OR $3::timestamptz IS NULL OR last_window_end >= $3)
     ORDER BY alert_id FOR UPDATE`,
    [clientId, fingerprints, since],
  );
}

/** Locks the alerts that have had no hit for long enough once days are closed through `closedThrough`. */
export async function lockClearable(tx: Transaction, clientId: number, lastWindowEndBy: Date): Promise<AlertRecord[]> {
  return tx.query<AlertRecord>(
    `SELECT ${selectAlertColumns()} FROM alert
     WHERE client_id = $1 AND state <> 'RESOLVED' AND last_window_end <= $2 AND (state <> 'DISMISSED' OR dismissed_until <= $2)
     ORDER BY alert_id FOR UPDATE`,
    [clientId, lastWindowEndBy],
  );
}

/** Locks alerts by id, those that exist. */
export async function lockAlerts(tx: Transaction, clientId: number, alertIds: readonly string[]): Promise<AlertRecord[]> {
  return tx.query<AlertRecord>(
    `SELECT ${selectAlertColumns()} FROM alert WHERE client_id = $1 AND alert_id = ANY($2::uuid[]) ORDER BY alert_id FOR UPDATE`,
    [clientId, alertIds],
  );
}

/** The alerts' windows that start at one of `starts`, and all windows of `whole`, by alert id. */
export async function readWindows(
  tx: Transaction,
  clientId: number,
  alertIds: readonly string[],
  starts: readonly Date[],
  whole: readonly string[],
): Promise<Map<string, AlertWindow[]>> {
  const rows = await tx.query<AlertWindow & { alertId: string }>(
    `SELECT alert_id AS "alertId", window_start AS "windowStart", window_end AS "windowEnd", severity, title, score, evidence
     FROM alert_occurrence
     WHERE client_id = $1 AND ((alert_id = ANY($2::uuid[]) AND window_start = ANY($3::timestamptz[])) OR alert_id = ANY($4::uuid[]))`,
    [clientId, alertIds, starts, whole],
  );
  const windows = new Map<string, AlertWindow[]>();
  for (const { alertId, ...window } of rows) {
    const known = windows.get(alertId);
    if (known) known.push(window);
    else windows.set(alertId, [window]);
  }
  return windows;
}

/** Writes records that changed. Those that leave the live states go first, so that the unique index never sees two live alerts of a fingerprint. */
export async function writeAlerts(
  tx: Transaction,
  clientId: number,
  changed: readonly { readonly record: AlertRecord; readonly isNew: boolean }[],
): Promise<void> {
  const stored = changed.filter(({ isNew }) => !isNew).map(({ record }) => record);
  await inChunks(
    stored.filter((record) => !isLive(record.state)),
    (rows) => updateAlerts(tx, clientId, rows),
  );
  await inChunks(
    stored.filter((record) => isLive(record.state)),
    (rows) => updateAlerts(tx, clientId, rows),
  );
  await inChunks(
    changed.filter(({ isNew }) => isNew).map(({ record }) => record),
    (rows) => insertAlerts(tx, clientId, rows),
  );
}

async function updateAlerts(tx: Transaction, clientId: number, records: readonly AlertRecord[]): Promise<void> {
  await tx.query(
    `UPDATE alert SET ${alertAssignments} FROM jsonb_to_recordset($2::jsonb) AS changed(${alertRowType})
     WHERE alert.client_id = $1 AND alert.alert_id = changed.alert_id`,
    [clientId, JSON.stringify(records.map(alertToRow))],
  );
}

async function insertAlerts(tx: Transaction, clientId: number, records: readonly AlertRecord[]): Promise<void> {
  await tx.query(
    `INSERT INTO alert (client_id, ${alertColumnNames})
     SELECT $1, ${alertColumnNames} FROM jsonb_to_recordset($2::jsonb) AS added(${alertRowType}) RETURNING alert_id`,
    [clientId, JSON.stringify(records.map(alertToRow))],
  );
}

/** Writes what happened to windows: merged alerts' windows move, then hits are written, then those taken back go, then parts that were cut off move. */
export async function writeWindows(tx: Transaction, clientId: number, episodes: readonly Episode[], now: Date): Promise<void> {
  const stored = episodes.filter(({ before }) => before !== null);
  const merges = stored
    .filter(({ mergedInto }) => mergedInto !== null)
    .map((episode) => ({ from: episode.record.alertId, to: home(episode).record.alertId, first: null, last: null }));
  const cuts = episodes
    .filter(({ cutFrom }) => cutFrom !== null)
    .map((episode) => ({
      from: home(episode.cutFrom!).record.alertId,
      to: episode.record.alertId,
      first: episode.record.firstWindowStart,
      last: episode.record.lastWindowStart,
    }));
  const hits = episodes
    .filter(({ mergedInto }) => mergedInto === null)
    .flatMap((episode) => [...episode.written].map((start) => ({ alertId: episode.record.alertId, ...episode.windows.get(start)! })));
  const gone = episodes.flatMap((episode) =>
    [...episode.retracted].map((start) => ({ alert_id: episode.record.alertId, window_start: new Date(start) })),
  );
  await inChunks(merges, (rows) => moveWindows(tx, clientId, rows));
  await inChunks(hits, (rows) => upsertWindows(tx, clientId, rows, now));
  await inChunks(gone, (rows) => deleteWindows(tx, clientId, rows));
  await inChunks(cuts, (rows) => moveWindows(tx, clientId, rows));
}

function home(episode: Episode): Episode {
  return episode.mergedInto ? home(episode.mergedInto) : episode;
}

async function moveWindows(tx: Transaction, clientId: number, moves: readonly object[]): Promise<void> {
  await tx.query(
    `UPDATE alert_occurrence SET alert_id = move."to" FROM jsonb_to_recordset($2::jsonb) AS move("from" uuid, "to" uuid, first timestamptz, last timestamptz)
     WHERE alert_occurrence.client_id = $1 AND alert_occurrence.alert_id = move."from"
       AND (move.first IS NULL OR alert_occurrence.window_start BETWEEN move.first AND move.last)`,
    [clientId, JSON.stringify(moves)],
  );
}

async function upsertWindows(
  tx: Transaction,
  clientId: number,
  windows: readonly (AlertWindow & { alertId: string })[],
  now: Date,
): Promise<void> {
  const rows = windows.map(({ alertId, windowStart, windowEnd, severity, title, score, evidence }) => ({
    alert_id: alertId,
    window_start: windowStart,
    window_end: windowEnd,
    severity,
    title,
    score,
    evidence,
  }));
  await tx.query(
    `INSERT INTO alert_occurrence (client_id, alert_id, window_start, window_end, severity, title, score, evidence, created_at, updated_at)
     SELECT $1, alert_id, window_start, window_end, severity, title, score, evidence, $3, $3
     FROM jsonb_to_recordset($2::jsonb)
       AS hit(alert_id uuid, window_start timestamptz, window_end timestamptz, severity text, title text, score float8, evidence jsonb)
     ON CONFLICT (client_id, alert_id, window_start) DO UPDATE
       SET severity = EXCLUDED.severity, title = EXCLUDED.title, score = EXCLUDED.score, evidence = EXCLUDED.evidence, updated_at = EXCLUDED.updated_at
     RETURNING alert_id`,
    [clientId, JSON.stringify(rows), now],
  );
}

async function deleteWindows(tx: Transaction, clientId: number, windows: readonly object[]): Promise<void> {
  await tx.query(
    `DELETE FROM alert_occurrence USING jsonb_to_recordset($2::jsonb) AS gone(alert_id uuid, window_start timestamptz)
     WHERE alert_occurrence.client_id = $1 AND alert_occurrence.alert_id = gone.alert_id AND alert_occurrence.window_start = gone.window_start`,
    [clientId, JSON.stringify(windows)],
  );
}

async function inChunks<Row>(rows: readonly Row[], write: (chunk: readonly Row[]) => Promise<void>): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) await write(rows.slice(from, from + ROWS_PER_STATEMENT));
}
