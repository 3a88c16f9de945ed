/** An incident as stored: one list of columns that reading and writing share. */
import type { Severity } from '../detector';
import type { IncidentState } from './lifecycle';
import type { CauseEvidence, RootCause } from './root-cause';

export interface IncidentRecord {
  readonly clientId: number;
  readonly incidentId: string;
  readonly correlationKey: string;
  state: IncidentState;
  title: string;
  /** null: it follows the alerts. */
  titleBy: string | null;
  severity: Severity;
  readonly simId: string | null;
  fleetId: string | null;
  liveAlerts: number;
  proposedRootCause: RootCause;
  proposedEvidence: readonly CauseEvidence[];
  rootCause: RootCause | null;
  rootCauseBy: string | null;
  assignee: string | null;
  openedAt: Date;
  closedAt: Date | null;
  closedBy: string | null;
  mergedInto: string | null;
  sequence: number;
  readonly createdAt: Date;
  updatedAt: Date;
}

type Stored = Exclude<keyof IncidentRecord, 'clientId'>;

/** Name → column, type, and the GraphQL field that shows it. */
export const incidentColumns: Readonly<Record<Stored, readonly [sql: string, type: string, field?: string]>> = {
  incidentId: ['incident_id', 'uuid'],
  correlationKey: ['correlation_key', 'text'],
  state: ['state', 'text', 'state'],
  title: ['title', 'text', 'title'],
  titleBy: ['title_by', 'text'],
  severity: ['severity', 'text', 'severity'],
  simId: ['sim_id', 'int8', 'sim'],
  fleetId: ['fleet_id', 'uuid', 'fleet'],
  liveAlerts: ['live_alerts', 'int4', 'liveAlerts'],
  proposedRootCause: ['proposed_root_cause', 'text', 'proposedRootCause'],
  proposedEvidence: ['proposed_evidence', 'jsonb', 'proposedEvidence'],
  rootCause: ['root_cause', 'text', 'rootCause'],
  rootCauseBy: ['root_cause_by', 'text', 'rootCauseBy'],
  assignee: ['assignee', 'text', 'assignee'],
  openedAt: ['opened_at', 'timestamptz', 'openedAt'],
  closedAt: ['closed_at', 'timestamptz', 'closedAt'],
  closedBy: ['closed_by', 'text', 'closedBy'],
  mergedInto: ['merged_into', 'uuid', 'mergedInto'],
  sequence: ['sequence', 'int4'],
  createdAt: ['created_at', 'timestamptz'],
  updatedAt: ['updated_at', 'timestamptz'],
};

const entries = Object.entries(incidentColumns) as [Stored, readonly [string, string, string?]][];
const fixed: readonly Stored[] = ['incidentId', 'correlationKey', 'simId', 'createdAt'];

export const selectIncidentColumns = ['client_id AS "clientId"', ...entries.map(([name, [sql]]) => `${sql} AS "${name}"`)].join(', ');
export const incidentColumnNames = entries.map(([, [sql]]) => sql).join(', ');
export const incidentRowType = entries.map(([, [sql, type]]) => `${sql} ${type}`).join(', ');
export const incidentAssignments = entries
  .filter(([name]) => !fixed.includes(name))
  .map(([, [sql]]) => `${sql} = changed.${sql}`)
  .join(', ');

export function incidentToRow(record: IncidentRecord): Record<string, unknown> {
  return Object.fromEntries(entries.map(([name, [sql]]) => [sql, record[name]]));
}
