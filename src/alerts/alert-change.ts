/** What a change of an alert tells the slices to the right and the subscribers: its event in the log. */
import { isDeepStrictEqual } from 'node:util';
import type { Severity } from '../detector';
import type { SubjectKind } from '../detection/verdicts';
import type { Transaction } from '../database/database';
import { alertColumns, type AlertRecord } from './alert-record';
import { AlertState, isLive } from './lifecycle';
import { isWorse } from './severity';

export interface AlertChange {
  readonly clientId: number;
  readonly alertId: string;
  readonly simId: string | null;
  readonly fleetId: string | null;
  readonly subject: SubjectKind;
  readonly subjectId: string;
  readonly kind: string;
  readonly detectorId: string;
  readonly severity: Severity;
  /** null: the alert is new. */
  readonly fromState: AlertState | null;
  readonly toState: AlertState;
  /** It asks for attention now: new, firing again, worse than what was acknowledged or dismissed, or no longer late. */
  readonly opened: boolean;
  /** Its severity is higher than before; false for a new one. */
  readonly severityRose: boolean;
  /** All its windows arrived more than 48 h after they ended: it neither notifies nor blocks. */
  readonly late: boolean;
  readonly incidentId: string | null;
  /** GraphQL names of the fields that changed. */
  readonly fields: readonly string[];
  readonly sequence: number;
  /** Its row in the event log. */
  readonly eventId: string;
}

/** Compares and, where something changed, gives the record its next sequence; null where nothing did. `windows`: its occurrences changed. */
export function noteChange(
  before: Readonly<AlertRecord> | null,
  record: AlertRecord,
  windows: boolean,
  now: Date,
  eventId: () => string,
): AlertChange | null {
  const fields = changedFields(before, record);
  if (windows) fields.push('occurrences');
  if (fields.length === 0) return null;
  record.sequence += 1;
  record.updatedAt = now;
  const current = isLive(record.state) && before !== null && before.late && !record.late;
  const { clientId, alertId, simId, fleetId, subject, subjectId, kind, detectorId, severity, state, late, incidentId, sequence } = record;
  return {
    clientId,
    alertId,
    simId,
    fleetId,
    subject,
    subjectId,
    kind,
    detectorId,
    severity,
    late,
    incidentId,
    sequence,
    fields,
    fromState: before?.state ?? null,
    toState: state,
    eventId: eventId(),
    opened: (state === AlertState.OPEN && before?.state !== AlertState.OPEN) || current,
    severityRose: before !== null && isWorse(severity, before.severity),
  };
}

function changedFields(before: Readonly<AlertRecord> | null, record: AlertRecord): string[] {
  const fields: string[] = [];
  for (const [name, { field }] of Object.entries(alertColumns)) {
    const value = record[name as keyof AlertRecord];
    if (field && !isDeepStrictEqual(before ? before[name as keyof AlertRecord] : null, value)) fields.push(field);
  }
  return fields;
}

/** Writes the events of many changes in one statement, in the transaction of the changes. */
export async function announceAlerts(tx: Transaction, clientId: number, changes: readonly AlertChange[], now: Date): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes.map((change) => ({
    event_id: change.eventId,
    subject_id: change.alertId,
    sequence: change.sequence,
    fields: change.fields,
    from_state: change.fromState,
    to_state: change.toState,
    attributes: attributesOf(change),
  }));
  await tx.query(
    `INSERT INTO event_pending (client_id, event_id, type, subject_id, sequence, fields, from_state, to_state, attributes, occurred_at)
     SELECT $1, event_id, 'ALERT_CHANGED', subject_id, sequence, fields, from_state, to_state, attributes, $3
     FROM jsonb_to_recordset($2::jsonb)
       AS event(event_id uuid, subject_id text, sequence int4, fields text[], from_state text, to_state text, attributes jsonb)
     RETURNING event_id`,
    [clientId, JSON.stringify(rows), now],
  );
  tx.poke('event_pending');
}

function attributesOf(change: AlertChange): Record<string, string | boolean | null> {
  const { simId, fleetId, severity, toState, kind, detectorId, incidentId, late, subject } = change;
  return { simId, fleetId, severity, state: toState, kind, detector: detectorId, incidentId, late, subject };
}

export interface Attachment {
  readonly change: AlertChange;
  readonly incidentId: string;
}

/** Puts alerts that changed in this transaction into incidents: the alert and its event, which nobody has seen yet, name the incident from the start. */
export async function attachIncident(tx: Transaction, clientId: number, attachments: readonly Attachment[]): Promise<void> {
  if (attachments.length === 0) return;
  const rows = JSON.stringify(
    attachments.map(({ change, incidentId }) => ({ alert_id: change.alertId, event_id: change.eventId, incident_id: incidentId })),
  );
  await tx.query(
    `UPDATE alert SET incident_id = joined.incident_id
     FROM jsonb_to_recordset($2::jsonb) AS joined(alert_id uuid, incident_id uuid)
     WHERE alert.client_id = $1 AND alert.alert_id = joined.alert_id`,
    [clientId, rows],
  );
  await tx.query(
    `UPDATE event_pending SET attributes = event_pending.attributes || jsonb_build_object('incidentId', joined.incident_id)
     FROM jsonb_to_recordset($2::jsonb) AS joined(event_id uuid, incident_id uuid)
     WHERE event_pending.client_id = $1 AND event_pending.event_id = joined.event_id`,
    [clientId, rows],
  );
}
