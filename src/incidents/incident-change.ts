/** What a change of an incident tells the slices to the right and the subscribers. */
import { isDeepStrictEqual } from 'node:util';
import type { Severity } from '../detector';
import { isWorse } from '../alerts';
import type { Transaction } from '../database/database';
import { incidentColumns, type IncidentRecord } from './incident-record';
import { IncidentState } from './lifecycle';

export interface IncidentChange {
  readonly clientId: number;
  readonly incidentId: string;
  readonly simId: string | null;
  readonly fleetId: string | null;
  readonly severity: Severity;
  /** null: the incident is new. */
  readonly fromState: IncidentState | null;
  readonly toState: IncidentState;
  readonly opened: boolean;
  readonly severityRose: boolean;
  /** Alerts that joined it with this change. */
  readonly joinedAlertIds: readonly string[];
  /** GraphQL names of the fields that changed. */
  readonly fields: readonly string[];
  readonly sequence: number;
  readonly eventId: string;
}

/** An incident in the hands of who changes it. */
export interface EditedIncident {
  /** As stored; null for a new one. */
  readonly before: Readonly<IncidentRecord> | null;
  readonly record: IncidentRecord;
  readonly joinedAlertIds: string[];
  /** What is written to its log. */
  readonly log: LogEntry[];
}

/** `automatic` entries are the correlation's; the others carry the name of who acted. */
export interface LogEntry {
  readonly action: LogAction;
  readonly text: string;
  readonly actor: string;
}

export enum LogAction {
  OPENED = 'OPENED',
  ALERT_JOINED = 'ALERT_JOINED',
  SEVERITY_CHANGED = 'SEVERITY_CHANGED',
  ROOT_CAUSE_PROPOSED = 'ROOT_CAUSE_PROPOSED',
  ALERTS_RESOLVED = 'ALERTS_RESOLVED',
  FIRING_AGAIN = 'FIRING_AGAIN',
  EDITED = 'EDITED',
  NOTE = 'NOTE',
  ROOT_CAUSE_SET = 'ROOT_CAUSE_SET',
  MERGED = 'MERGED',
  CLOSED = 'CLOSED',
}

/** Who acts where no person does. */
export const SIMWARDEN = 'simwarden';

export function edit(record: IncidentRecord): EditedIncident {
  return { before: { ...record }, record, joinedAlertIds: [], log: [] };
}

/** Compares and gives the next sequence; null where neither the incident nor its alerts or log changed. */
export function noteIncidentChange(
  { before, record, joinedAlertIds, log }: EditedIncident,
  now: Date,
  eventId: string,
): IncidentChange | null {
  const fields = Object.entries(incidentColumns).flatMap(([name, [, , field]]) => {
    const key = name as keyof IncidentRecord;
    return field && !isDeepStrictEqual(before ? before[key] : null, record[key]) ? [field] : [];
  });
  if (joinedAlertIds.length > 0) fields.push('alerts');
  if (log.length > 0) fields.push('log');
  if (fields.length === 0) return null;
  record.sequence += 1;
  record.updatedAt = now;
  const { clientId, incidentId, simId, fleetId, severity, state, sequence } = record;
  return {
    clientId,
    incidentId,
    simId,
    fleetId,
    severity,
    fromState: before?.state ?? null,
    toState: state,
    opened: before === null,
    severityRose: before !== null && isWorse(severity, before.severity),
    joinedAlertIds,
    fields,
    sequence,
    eventId,
  };
}

export async function announceIncidents(tx: Transaction, clientId: number, changes: readonly IncidentChange[], now: Date): Promise<void> {
  const rows = changes.map((change) => ({
    event_id: change.eventId,
    subject_id: change.incidentId,
    sequence: change.sequence,
    fields: change.fields,
    from_state: change.fromState,
    to_state: change.toState,
    attributes: { simId: change.simId, fleetId: change.fleetId, severity: change.severity, state: change.toState },
  }));
  await tx.query(
    `INSERT INTO event_pending (client_id, event_id, type, subject_id, sequence, fields, from_state, to_state, attributes, occurred_at)
     SELECT $1, event_id, 'INCIDENT_CHANGED', subject_id, sequence, fields, from_state, to_state, attributes, $3
     FROM jsonb_to_recordset($2::jsonb)
       AS event(event_id uuid, subject_id text, sequence int4, fields text[], from_state text, to_state text, attributes jsonb)
     RETURNING event_id`,
    [clientId, JSON.stringify(rows), now],
  );
  tx.poke('event_pending');
}
