/** Reading and writing incidents, their log and what they need to know of their alerts. */
import type { Severity } from '../detector';
import type { AlertState } from '../alerts';
import type { Transaction } from '../database/database';
import type { Entropy } from '../runtime';
import { announceIncidents, noteIncidentChange, type EditedIncident, type IncidentChange } from './incident-change';
import {
  incidentAssignments,
  incidentColumnNames,
  incidentRowType,
  incidentToRow,
  selectIncidentColumns,
  type IncidentRecord,
} from './incident-record';

/** Locks the open incidents of these correlation keys, and the incidents of these ids whatever their state. */
export async function lockIncidents(
  tx: Transaction,
  clientId: number,
  keys: readonly string[],
  incidentIds: readonly string[],
): Promise<IncidentRecord[]> {
  if (keys.length + incidentIds.length === 0) return [];
  return tx.query<IncidentRecord>(
    `SELECT ${selectIncidentColumns} FROM incident
     WHERE client_id = $1 AND ((state = 'OPEN' AND correlation_key = ANY($2::text[])) OR incident_id = ANY($3::uuid[]))
     ORDER BY incident_id FOR UPDATE`,
    [clientId, keys, incidentIds],
  );
}

/** Makes incidents; answers those made. Where another transaction opened one with the same key, that one counts and is not answered. */
export async function insertIncidents(tx: Transaction, clientId: number, records: readonly IncidentRecord[]): Promise<Set<string>> {
  const sorted = [...records].sort((a, b) => (a.correlationKey < b.correlationKey ? -1 : 1));
  const rows = await tx.query<{ incident_id: string }>(
    `INSERT INTO incident (client_id, ${incidentColumnNames})
     SELECT $1, ${incidentColumnNames} FROM jsonb_to_recordset($2::jsonb) AS added(${incidentRowType})
     ON CONFLICT (client_id, correlation_key) WHERE state = 'OPEN' DO NOTHING RETURNING incident_id`,
    [clientId, JSON.stringify(sorted.map(incidentToRow))],
  );
  return new Set(rows.map(({ incident_id }) => incident_id));
}

/** Writes what was edited, its log and its events, all in a handful of statements; what didn't change is left alone. */
export async function writeIncidents(
  tx: Transaction,
  entropy: Entropy,
  clientId: number,
  edited: readonly EditedIncident[],
  now: Date,
): Promise<IncidentChange[]> {
  const changed = edited.flatMap((one) => {
    const change = noteIncidentChange(one, now, entropy.uuid());
    return change ? [{ one, change }] : [];
  });
  if (changed.length === 0) return [];
  await tx.query(
    `UPDATE incident SET ${incidentAssignments} FROM jsonb_to_recordset($2::jsonb) AS changed(${incidentRowType})
     WHERE incident.client_id = $1 AND incident.incident_id = changed.incident_id`,
    [clientId, JSON.stringify(changed.map(({ one }) => incidentToRow(one.record)))],
  );
  await writeLog(
    tx,
    entropy,
    clientId,
    changed.map(({ one }) => one),
    now,
  );
  const changes = changed.map(({ change }) => change);
  await announceIncidents(tx, clientId, changes, now);
  return changes;
}

async function writeLog(tx: Transaction, entropy: Entropy, clientId: number, edited: readonly EditedIncident[], now: Date): Promise<void> {
  const rows = edited.flatMap(({ record, log }) =>
    log.map((entry) => ({ incident_id: record.incidentId, entry_id: entropy.uuid(), ...entry })),
  );
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO incident_log (client_id, incident_id, entry_id, at, actor, action, text)
     SELECT $1, incident_id, entry_id, $3, actor, action, text
     FROM jsonb_to_recordset($2::jsonb) AS entry(incident_id uuid, entry_id uuid, actor text, action text, text text)
     RETURNING entry_id`,
    [clientId, JSON.stringify(rows), now],
  );
}

/** What an incident is made of. */
export interface AlertFacts {
  readonly alertId: string;
  readonly incidentId: string | null;
  readonly kind: string;
  readonly title: string;
  readonly severity: Severity;
  readonly state: AlertState;
  readonly firstWindowStart: Date;
}

const factColumns = `alert_id AS "alertId", incident_id AS "incidentId", kind, title, severity, state, first_window_start AS "firstWindowStart"`;

export async function readAlertFacts(tx: Transaction, clientId: number, alertIds: readonly string[]): Promise<AlertFacts[]> {
  return tx.query<AlertFacts>(`SELECT ${factColumns} FROM alert WHERE client_id = $1 AND alert_id = ANY($2::uuid[])`, [clientId, alertIds]);
}

/** An alert with what it said in its earliest window, which no later window changes. */
export interface StandingAlert extends AlertFacts {
  readonly firstTitle: string;
  readonly firstSeverity: Severity;
  readonly detectorId: string;
}

/** The alerts of these incidents that stand for something, earliest first: those merged or taken back say nothing. */
export async function readAlertsOf(tx: Transaction, clientId: number, incidentIds: readonly string[]): Promise<StandingAlert[]> {
  return tx.query<StandingAlert>(
    `SELECT alert.alert_id AS "alertId", alert.incident_id AS "incidentId", alert.kind, alert.title, alert.severity, alert.state,
       alert.first_window_start AS "firstWindowStart", alert.detector_id AS "detectorId",
       coalesce(earliest.title, alert.title) AS "firstTitle", coalesce(earliest.severity, alert.severity) AS "firstSeverity"
     FROM alert LEFT JOIN alert_occurrence earliest
       ON earliest.client_id = $1 AND earliest.alert_id = alert.alert_id AND earliest.window_start = alert.first_window_start
     WHERE alert.client_id = $1 AND alert.incident_id = ANY($2::uuid[]) AND alert.occurrence_count > 0
     ORDER BY alert.first_window_start, alert.alert_id`,
    [clientId, incidentIds],
  );
}

/** Those of these incidents that have an alert which later data took back. */
export async function incidentsWithRetractions(tx: Transaction, clientId: number, incidentIds: readonly string[]): Promise<Set<string>> {
  if (incidentIds.length === 0) return new Set();
  const rows = await tx.query<{ incident_id: string }>(
    `SELECT DISTINCT incident_id FROM alert WHERE client_id = $1 AND incident_id = ANY($2::uuid[]) AND resolution = 'RETRACTED'`,
    [clientId, incidentIds],
  );
  return new Set(rows.map(({ incident_id }) => incident_id));
}

export async function alertIdsOf(tx: Transaction, clientId: number, incidentIds: readonly string[]): Promise<string[]> {
  const rows = await tx.query<{ alert_id: string }>('SELECT alert_id FROM alert WHERE client_id = $1 AND incident_id = ANY($2::uuid[])', [
    clientId,
    incidentIds,
  ]);
  return rows.map(({ alert_id }) => alert_id);
}
