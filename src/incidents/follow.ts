/** Brings an incident in line with its alerts: title, severity, live alerts, proposed root cause; each step goes to its log. */
import { isLive, isWorse, worst } from '../alerts';
import type { Transaction } from '../database/database';
import { LogAction, SIMWARDEN, type EditedIncident, type LogEntry } from './incident-change';
import { incidentsWithRetractions, readAlertsOf, type StandingAlert } from './incident-storage';
import { IncidentState, nextIncidentState } from './lifecycle';
import { proposeRootCause } from './root-cause';

/** Of those that are open; a closed incident stays as it was closed. */
export async function followAlerts(tx: Transaction, clientId: number, edited: readonly EditedIncident[], now: Date): Promise<void> {
  const open = edited.filter(({ record }) => record.state === IncidentState.OPEN);
  if (open.length === 0) return;
  const alertsOf = new Map<string, StandingAlert[]>(open.map(({ record }) => [record.incidentId, []]));
  for (const alert of await readAlertsOf(tx, clientId, [...alertsOf.keys()])) alertsOf.get(alert.incidentId!)!.push(alert);
  for (const incident of open) follow(incident, alertsOf.get(incident.record.incidentId)!);
  const empty = open.filter(({ before, record }) => before && before.liveAlerts > 0 && alertsOf.get(record.incidentId)!.length === 0);
  const retracted = await incidentsWithRetractions(
    tx,
    clientId,
    empty.map(({ record }) => record.incidentId),
  );
  for (const incident of empty) if (retracted.has(incident.record.incidentId)) withdraw(incident, now);
}

/**
 * What it was about did not happen, as is known now: an incident that nobody has taken up is no case (ITIL: a false positive is closed, with its
 * reason on record). Where somebody works on it, or gave a verdict, that person closes it.
 */
function withdraw({ record, log }: EditedIncident, now: Date): void {
  if (record.assignee !== null || record.rootCause !== null) return;
  Object.assign(record, { state: nextIncidentState(record.state, 'withdraw'), closedAt: now, closedBy: SIMWARDEN });
  log.push(automatic(LogAction.CLOSED, 'Data that came later took back all of its alerts.'));
}

function follow(incident: EditedIncident, alerts: readonly StandingAlert[]): void {
  const { before, record, log, joinedAlertIds } = incident;
  for (const alert of alerts.filter(({ alertId }) => joinedAlertIds.includes(alertId)))
    log.push(automatic(LogAction.ALERT_JOINED, `${alert.severity}: ${alert.title}`));
  // Late data may show that the trouble began earlier, or later, than it seemed when the incident was opened.
  record.openedAt = alerts[0]?.firstWindowStart ?? record.openedAt;
  if (record.titleBy === null) record.title = earliest(alerts)?.firstTitle ?? record.title;
  const live = alerts.filter(({ state }) => isLive(state));
  // Without a live alert the severity stays as it was: it says how bad it got to who closes the incident.
  const severity = worst(live.map((alert) => alert.severity)) ?? record.severity;
  if (before && severity !== record.severity) {
    log.push(
      automatic(
        LogAction.SEVERITY_CHANGED,
        `${isWorse(severity, record.severity) ? 'Worse' : 'Better'}: ${record.severity} to ${severity}.`,
      ),
    );
  }
  record.severity = severity;
  if (record.liveAlerts > 0 && live.length === 0)
    log.push(automatic(LogAction.ALERTS_RESOLVED, 'All alerts are resolved. Close the incident with its root cause.'));
  if (before && record.liveAlerts === 0 && live.length > 0)
    log.push(automatic(LogAction.FIRING_AGAIN, `${live.length} alert(s) live again.`));
  record.liveAlerts = live.length;
  const proposal = proposeRootCause(alerts);
  if (proposal.cause !== record.proposedRootCause) {
    log.push(
      automatic(LogAction.ROOT_CAUSE_PROPOSED, `${proposal.cause}: ${proposal.evidence[0]?.text ?? 'nothing speaks for another cause.'}`),
    );
  }
  record.proposedRootCause = proposal.cause;
  record.proposedEvidence = proposal.evidence;
}

/** The alert whose first window is earliest; of several the worst, then by detector and kind: whatever the order in which they became known. */
function earliest(alerts: readonly StandingAlert[]): StandingAlert | undefined {
  const rank = (alert: StandingAlert): string => `${alert.detectorId} ${alert.kind}`;
  return [...alerts].sort((a, b) => {
    const sooner = a.firstWindowStart.getTime() - b.firstWindowStart.getTime();
    if (sooner !== 0) return sooner;
    if (a.firstSeverity !== b.firstSeverity) return isWorse(a.firstSeverity, b.firstSeverity) ? -1 : 1;
    return rank(a) < rank(b) ? -1 : 1;
  })[0];
}

export function automatic(action: LogAction, text: string): LogEntry {
  return { action, text, actor: SIMWARDEN };
}
