/** An alert and its windows as stored: one list of columns that reading, inserting and updating share. */
import type { Evidence, Severity } from '../detector';
import type { SubjectKind } from '../detection/verdicts';
import type { AlertResolution, AlertState } from './lifecycle';

/** What a window of trouble says; an alert shows what its latest window says. */
export interface WindowVerdict {
  severity: Severity;
  title: string;
  score: number;
  evidence: readonly Evidence[];
}

/** One occurrence: a window in which the alert's kind fired. */
export interface AlertWindow extends WindowVerdict {
  readonly windowStart: Date;
  readonly windowEnd: Date;
}

export interface AlertRecord extends WindowVerdict {
  readonly clientId: number;
  readonly alertId: string;
  readonly fingerprint: string;
  readonly detectorId: string;
  readonly kind: string;
  readonly subject: SubjectKind;
  readonly subjectId: string;
  readonly simId: string | null;
  fleetId: string | null;
  state: AlertState;
  firstWindowStart: Date;
  lastWindowStart: Date;
  lastWindowEnd: Date;
  occurrenceCount: number;
  late: boolean;
  incidentId: string | null;
  acknowledgedAt: Date | null;
  acknowledgedBy: string | null;
  note: string | null;
  resolvedAt: Date | null;
  resolvedBy: string | null;
  resolution: AlertResolution | null;
  resolutionReason: string | null;
  dismissedAt: Date | null;
  dismissedBy: string | null;
  /** While DISMISSED: until when; null: for good. */
  dismissedUntil: Date | null;
  dismissedReason: string | null;
  /** Severity and latest window that the operator saw when deciding; null where no decision stands. */
  handledSeverity: Severity | null;
  handledThrough: Date | null;
  sequence: number;
  readonly createdAt: Date;
  updatedAt: Date;
}

type Stored = Exclude<keyof AlertRecord, 'clientId'>;

interface Column {
  readonly sql: string;
  readonly type: string;
  /** Set when the alert is made, never after. */
  readonly fixed?: true;
  /** The GraphQL field that shows it, for `changedFields`; absent: not shown. */
  readonly field?: string;
}

export const alertColumns: Readonly<Record<Stored, Column>> = {
  alertId: { sql: 'alert_id', type: 'uuid', fixed: true },
  fingerprint: { sql: 'fingerprint', type: 'text', fixed: true },
  detectorId: { sql: 'detector_id', type: 'text', fixed: true, field: 'detector' },
  kind: { sql: 'kind', type: 'text', fixed: true, field: 'kind' },
  subject: { sql: 'subject', type: 'text', fixed: true, field: 'subject' },
  subjectId: { sql: 'subject_id', type: 'text', fixed: true, field: 'subjectKey' },
  simId: { sql: 'sim_id', type: 'int8', fixed: true, field: 'sim' },
  fleetId: { sql: 'fleet_id', type: 'uuid', field: 'fleet' },
  severity: { sql: 'severity', type: 'text', field: 'severity' },
  state: { sql: 'state', type: 'text', field: 'state' },
  title: { sql: 'title', type: 'text', field: 'title' },
  score: { sql: 'score', type: 'float8', field: 'score' },
  evidence: { sql: 'evidence', type: 'jsonb', field: 'evidence' },
  firstWindowStart: { sql: 'first_window_start', type: 'timestamptz', field: 'firstWindowStart' },
  lastWindowStart: { sql: 'last_window_start', type: 'timestamptz', field: 'lastWindowStart' },
  lastWindowEnd: { sql: 'last_window_end', type: 'timestamptz', field: 'lastWindowEnd' },
  occurrenceCount: { sql: 'occurrence_count', type: 'int4', field: 'occurrenceCount' },
  late: { sql: 'late', type: 'bool', field: 'late' },
  incidentId: { sql: 'incident_id', type: 'uuid', field: 'incident' },
  acknowledgedAt: { sql: 'acknowledged_at', type: 'timestamptz', field: 'acknowledgedAt' },
  acknowledgedBy: { sql: 'acknowledged_by', type: 'text', field: 'acknowledgedBy' },
  note: { sql: 'note', type: 'text', field: 'note' },
  resolvedAt: { sql: 'resolved_at', type: 'timestamptz', field: 'resolvedAt' },
  resolvedBy: { sql: 'resolved_by', type: 'text', field: 'resolvedBy' },
  resolution: { sql: 'resolution', type: 'text', field: 'resolution' },
  resolutionReason: { sql: 'resolution_reason', type: 'text', field: 'resolutionReason' },
  dismissedAt: { sql: 'dismissed_at', type: 'timestamptz', field: 'dismissedAt' },
  dismissedBy: { sql: 'dismissed_by', type: 'text', field: 'dismissedBy' },
  dismissedUntil: { sql: 'dismissed_until', type: 'timestamptz', field: 'dismissedUntil' },
  dismissedReason: { sql: 'dismissed_reason', type: 'text', field: 'dismissedReason' },
  handledSeverity: { sql: 'handled_severity', type: 'text' },
  handledThrough: { sql: 'handled_through', type: 'timestamptz' },
  sequence: { sql: 'sequence', type: 'int4' },
  createdAt: { sql: 'created_at', type: 'timestamptz', fixed: true },
  updatedAt: { sql: 'updated_at', type: 'timestamptz' },
};

const entries = Object.entries(alertColumns) as [Stored, Column][];

/** `alert_id AS "alertId", …`, for reading records; `prefix` is the table's alias with its dot. */
export function selectAlertColumns(prefix = ''): string {
  return [`${prefix}client_id AS "clientId"`, ...entries.map(([name, column]) => `${prefix}${column.sql} AS "${name}"`)].join(', ');
}

export const alertColumnNames = entries.map(([, column]) => column.sql).join(', ');

/** Columns and types of the rows that `alertToRow` makes, for jsonb_to_recordset. */
export const alertRowType = entries.map(([, column]) => `${column.sql} ${column.type}`).join(', ');

export const alertAssignments = entries
  .filter(([, column]) => !column.fixed)
  .map(([, column]) => `${column.sql} = changed.${column.sql}`)
  .join(', ');

export function alertToRow(record: AlertRecord): Record<string, unknown> {
  return Object.fromEntries(entries.map(([name, column]) => [column.sql, record[name]]));
}
