/** correlate: alerts that ask for attention join the open incident of their subject, or open one; the incident says what its alerts say. */
import { singleton } from 'tsyringe';
import { AlertChangeListener, AlertWriter, attachIncident, isLive, lockAlerts, type AlertChange, type AlertRecord } from '../alerts';
import type { Transaction } from '../database/database';
import { Entropy } from '../runtime';
import { automatic, followAlerts } from './follow';
import { edit, LogAction, type EditedIncident, type IncidentChange } from './incident-change';
import type { IncidentRecord } from './incident-record';
import { insertIncidents, lockIncidents, readAlertFacts, writeIncidents, type AlertFacts } from './incident-storage';
import { IncidentState } from './lifecycle';
import { RootCause } from './root-cause';

/** What brings alerts together: the SIM; else the fleet, the network, the country or the client that the alert is about. */
export function correlationKey(change: Pick<AlertChange, 'simId' | 'subject' | 'subjectId'>): string {
  if (change.simId !== null) return `sim:${change.simId}`;
  return `${change.subject.toLowerCase()}:${change.subjectId}`;
}

@singleton()
export class Correlator extends AlertChangeListener {
  constructor(
    private readonly entropy: Entropy,
    private readonly alerts: AlertWriter,
  ) {
    super();
  }

  async alertsChanged(tx: Transaction, changes: readonly AlertChange[], now: Date): Promise<void> {
    await this.correlate(tx, changes, now);
  }

  /** All changes are of one client, made in this transaction. */
  async correlate(tx: Transaction, changes: readonly AlertChange[], now: Date): Promise<IncidentChange[]> {
    if (changes.length === 0) return [];
    const { clientId } = changes[0]!;
    const incidents = new OpenIncidents(
      await lockIncidents(
        tx,
        clientId,
        [...new Set(changes.filter(asks).map(correlationKey))],
        [...new Set(changes.flatMap(({ incidentId }) => incidentId ?? []))],
      ),
    );
    const joining = changes.filter((change) => asks(change) && !incidents.holds(change));
    await this.open(tx, clientId, joining, incidents, now);
    const attachments = joining.flatMap((change) => {
      const incident = incidents.byKey(correlationKey(change));
      if (!incident) return [];
      incident.joinedAlertIds.push(change.alertId);
      return [{ change, incidentId: incident.record.incidentId }];
    });
    await attachIncident(tx, clientId, attachments);
    await this.gather(tx, clientId, incidents, now);
    await followAlerts(tx, clientId, incidents.edited, now);
    return writeIncidents(tx, this.entropy, clientId, incidents.edited, now);
  }

  /** What informed, or came late, before there was an incident joins the one that opened now: as it would have, had it come after. */
  private async gather(tx: Transaction, clientId: number, incidents: OpenIncidents, now: Date): Promise<void> {
    const opened = incidents.edited.filter(({ before }) => before === null).map(({ record }) => record);
    const records = await lockLooseAlerts(tx, clientId, opened);
    const joined = records.flatMap((before) => {
      const incident = incidents.byKey(correlationKey(before));
      return incident ? [{ before, incident, record: { ...before, incidentId: incident.record.incidentId } }] : [];
    });
    for (const { incident, before } of joined) incident.joinedAlertIds.push(before.alertId);
    await this.alerts.write(tx, clientId, joined, now);
  }

  /** Opens what is missing. A late alert, or one that only informs, may join an open incident but opens none. */
  private async open(
    tx: Transaction,
    clientId: number,
    joining: readonly AlertChange[],
    incidents: OpenIncidents,
    now: Date,
  ): Promise<void> {
    const openers = joining.filter((change) => !change.late && change.severity !== 'INFO' && !incidents.byKey(correlationKey(change)));
    if (openers.length === 0) return;
    const facts = new Map(
      (
        await readAlertFacts(
          tx,
          clientId,
          openers.map(({ alertId }) => alertId),
        )
      ).map((fact) => [fact.alertId, fact]),
    );
    const made = new Map<string, IncidentRecord>();
    for (const change of openers) {
      const key = correlationKey(change);
      if (!made.has(key)) made.set(key, newIncident(this.entropy.uuid(), change, facts.get(change.alertId)!, now));
    }
    const inserted = await insertIncidents(tx, clientId, [...made.values()]);
    for (const record of made.values()) {
      if (inserted.has(record.incidentId))
        incidents.add({ before: null, record, joinedAlertIds: [], log: [automatic(LogAction.OPENED, record.title)] });
    }
    const lost = [...made.values()].filter(({ incidentId }) => !inserted.has(incidentId)).map(({ correlationKey: key }) => key);
    for (const record of await lockIncidents(tx, clientId, lost, [])) incidents.add(edit(record));
  }
}

/** The incidents of one correlation, by id and by key. */
class OpenIncidents {
  readonly edited: EditedIncident[] = [];
  private readonly openIds = new Set<string>();
  private readonly openKeys = new Map<string, EditedIncident>();

  constructor(records: readonly IncidentRecord[]) {
    for (const record of records) this.add(edit(record));
  }

  add(incident: EditedIncident): void {
    this.edited.push(incident);
    if (incident.record.state !== IncidentState.OPEN) return;
    this.openIds.add(incident.record.incidentId);
    this.openKeys.set(incident.record.correlationKey, incident);
  }

  byKey(key: string): EditedIncident | undefined {
    return this.openKeys.get(key);
  }

  /** True where the alert is in an open incident already. */
  holds({ incidentId }: AlertChange): boolean {
    return incidentId !== null && this.openIds.has(incidentId);
  }
}

/** Alerts that became live, became worse, or ask for attention again need an incident. */
function asks(change: AlertChange): boolean {
  return isLive(change.toState) && (change.opened || change.severityRose || !isLive(change.fromState));
}

function newIncident(incidentId: string, change: AlertChange, facts: AlertFacts, now: Date): IncidentRecord {
  return {
    clientId: change.clientId,
    incidentId,
    correlationKey: correlationKey(change),
    state: IncidentState.OPEN,
    title: facts.title,
    titleBy: null,
    severity: facts.severity,
    simId: change.simId,
    fleetId: change.fleetId,
    liveAlerts: 0,
    proposedRootCause: RootCause.UNKNOWN,
    proposedEvidence: [],
    rootCause: null,
    rootCauseBy: null,
    assignee: null,
    openedAt: facts.firstWindowStart,
    closedAt: null,
    closedBy: null,
    mergedInto: null,
    sequence: 0,
    createdAt: now,
    updatedAt: now,
  };
}

/** The live alerts of these incidents' subjects that are in no incident. */
async function lockLooseAlerts(tx: Transaction, clientId: number, opened: readonly IncidentRecord[]): Promise<AlertRecord[]> {
  if (opened.length === 0) return [];
  const simIds = opened.flatMap(({ simId }) => simId ?? []);
  const others = opened.filter(({ simId }) => simId === null).map(({ correlationKey: key }) => key);
  const rows = await tx.query<{ alert_id: string }>(
    `SELECT alert_id FROM alert
     WHERE client_id = $1 AND sim_id = ANY($2::int8[]) AND state IN ('OPEN', 'ACKNOWLEDGED') AND incident_id IS NULL
     UNION ALL
     SELECT alert_id FROM alert
     WHERE client_id = $1 AND sim_id IS NULL AND lower(subject) || ':' || subject_id = ANY($3::text[]) AND state IN ('OPEN', 'ACKNOWLEDGED')
       AND incident_id IS NULL`,
    [clientId, simIds, others],
  );
  return rows.length === 0
    ? []
    : lockAlerts(
        tx,
        clientId,
        rows.map((row) => row.alert_id),
      );
}
