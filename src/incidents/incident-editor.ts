/** What people do to incidents; each step is checked against the lifecycle, logged, announced and audited in one transaction. */
import { singleton } from 'tsyringe';
import { maySee, recordAudit } from '../access';
import { AlertWriter, isLive, lockAlerts, takeAction, type AlertRecord, type Edited } from '../alerts';
import type { Severity } from '../detector';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId, toGlobalId, type GlobalId } from '../graphql/global-id';
import { followAlerts } from './follow';
import { edit, LogAction, type EditedIncident } from './incident-change';
import type { IncidentRecord } from './incident-record';
import { alertIdsOf, insertIncidents, lockIncidents, writeIncidents } from './incident-storage';
import { IncidentState, nextIncidentState, type IncidentStep } from './lifecycle';
import { RootCause } from './root-cause';

export interface NewIncident {
  readonly clientId: number;
  readonly simId: string | null;
  readonly fleetId: string | null;
  readonly title: string;
  readonly severity: Severity;
  /** Keys of alerts that become part of it. */
  readonly alertIds: readonly string[];
}

/** What an editing step is given: the incident, already checked and moved to its next state. */
type Work = (tx: Transaction, incident: EditedIncident, now: Date) => Promise<void> | void;

@singleton()
export class IncidentEditor {
  constructor(private readonly alerts: AlertWriter) {}

  /** Makes an incident by hand. Of a SIM only one may be open. */
  async open(context: GraphqlContext, wanted: NewIncident): Promise<IncidentRecord> {
    const { clientId, simId, fleetId, title, severity } = wanted;
    return context.write('incidents.openIncident', clientId, async (tx) => {
      const now = context.clock.now();
      const incidentId = context.entropy.uuid();
      const record: IncidentRecord = {
        clientId,
        incidentId,
        correlationKey: simId === null ? `manual:${incidentId}` : `sim:${simId}`,
        state: IncidentState.OPEN,
        title,
        titleBy: context.caller.name,
        severity,
        simId,
        fleetId,
        liveAlerts: 0,
        proposedRootCause: RootCause.UNKNOWN,
        proposedEvidence: [],
        rootCause: null,
        rootCauseBy: null,
        assignee: null,
        openedAt: now,
        closedAt: null,
        closedBy: null,
        mergedInto: null,
        sequence: 0,
        createdAt: now,
        updatedAt: now,
      };
      if ((await insertIncidents(tx, clientId, [record])).size === 0) {
        throw new SimwardenError('ALREADY_EXISTS', { what: 'open incident', key: 'sim', given: toGlobalId('Sim', clientId, simId!) }, [
          'sim',
        ]);
      }
      const incident: EditedIncident = {
        before: null,
        record,
        joinedAlertIds: [],
        log: [{ action: LogAction.OPENED, text: title, actor: context.caller.name }],
      };
      const left = await this.take(tx, context, incident, wanted.alertIds);
      await followAlerts(tx, clientId, [incident, ...left], now);
      await writeIncidents(tx, context.entropy, clientId, [incident, ...left], now);
      await recordAudit(tx, context, {
        clientId,
        action: 'openIncident',
        subject: `Incident:${incidentId}`,
        detail: { title, severity, simId, alerts: wanted.alertIds },
      });
      return record;
    });
  }

  /** One step on one incident. `detail` goes to the audit log. */
  async change(
    context: GraphqlContext,
    action: string,
    id: string,
    step: IncidentStep,
    detail: Record<string, unknown>,
    work: Work,
  ): Promise<IncidentRecord> {
    const { clientId, key } = this.idOf(context, id, 'incident');
    return context.write(`incidents.${action}`, clientId, async (tx) => {
      const now = context.clock.now();
      const incident = await lockOne(tx, context, clientId, key, 'incident');
      const next = nextIncidentState(incident.record.state, step);
      await work(tx, incident, now);
      incident.record.state = next;
      await writeIncidents(tx, context.entropy, clientId, [incident], now);
      await recordAudit(tx, context, { clientId, action, subject: `Incident:${key}`, detail });
      return incident.record;
    });
  }

  /** Closes it; its live alerts are resolved with it, so that none lives on without an incident. */
  async close(context: GraphqlContext, id: string, rootCause: RootCause, note: string | null): Promise<IncidentRecord> {
    return this.change(context, 'closeIncident', id, 'close', { rootCause, note }, async (tx, incident, now) => {
      const { record, log } = incident;
      const actor = context.caller.name;
      await this.resolveAlerts(tx, context, incident, note ?? `Incident closed: ${rootCause}`);
      await followAlerts(tx, record.clientId, [incident], now);
      if (rootCause !== record.rootCause) Object.assign(record, { rootCause, rootCauseBy: actor });
      Object.assign(record, { closedAt: now, closedBy: actor });
      log.push({ action: LogAction.CLOSED, text: note ? `${rootCause}: ${note}` : rootCause, actor });
    });
  }

  /** The alerts of `from` become alerts of `into`; `from` are closed and point to it. */
  async merge(context: GraphqlContext, into: string, from: readonly string[]): Promise<IncidentRecord> {
    const target = this.idOf(context, into, 'into');
    const sources = from.map((id) => this.idOf(context, id, 'from'));
    const { clientId } = target;
    if (sources.some((source) => source.clientId !== clientId))
      throw new SimwardenError('BAD_USER_INPUT', { what: 'The incidents are of several clients.' }, ['from']);
    return context.write('incidents.mergeIncidents', clientId, async (tx) => {
      const now = context.clock.now();
      const locked = new Map(
        (
          await lockIncidents(
            tx,
            clientId,
            [],
            [target, ...sources].map(({ key }) => key),
          )
        ).map((record) => [record.incidentId, record]),
      );
      const kept = editable(context, locked.get(target.key), 'into');
      // whether all are there comes before the state of any, so that a foreign id is answered as a missing one
      const gone = [...new Set(sources.map(({ key }) => key))].map((key) => editable(context, locked.get(key), 'from'));
      if (sources.some(({ key }) => key === target.key))
        throw new SimwardenError('BAD_USER_INPUT', { what: "An incident can't be merged into itself." }, ['from']);
      nextIncidentState(kept.record.state, 'join');
      const actor = context.caller.name;
      for (const { record, log } of gone) {
        Object.assign(record, {
          state: nextIncidentState(record.state, 'merge'),
          mergedInto: target.key,
          closedAt: now,
          closedBy: actor,
          liveAlerts: 0,
        });
        log.push({ action: LogAction.MERGED, text: `Merged into "${kept.record.title}".`, actor });
        kept.log.push({ action: LogAction.MERGED, text: `Took in "${record.title}".`, actor });
        if (record.openedAt < kept.record.openedAt) kept.record.openedAt = record.openedAt;
      }
      const alertIds = await alertIdsOf(
        tx,
        clientId,
        gone.map(({ record }) => record.incidentId),
      );
      await this.attach(tx, context, kept, await lockAlerts(tx, clientId, alertIds));
      await followAlerts(tx, clientId, [kept], now);
      await writeIncidents(tx, context.entropy, clientId, [kept, ...gone], now);
      await recordAudit(tx, context, {
        clientId,
        action: 'mergeIncidents',
        subject: `Incident:${target.key}`,
        detail: { from: sources.map(({ key }) => key) },
      });
      return kept.record;
    });
  }

  /** Alerts named by an operator join; answers the incidents that they left. */
  private async take(
    tx: Transaction,
    context: GraphqlContext,
    incident: EditedIncident,
    alertIds: readonly string[],
  ): Promise<EditedIncident[]> {
    const { clientId } = incident.record;
    const records = await lockAlerts(tx, clientId, alertIds);
    if (records.length < new Set(alertIds).size) throw new SimwardenError('NOT_FOUND', { what: 'alert' }, ['alerts']);
    const left = [...new Set(records.flatMap(({ incidentId }) => incidentId ?? []))];
    const edited = (await lockIncidents(tx, clientId, [], left)).map(edit);
    await this.attach(tx, context, incident, records);
    return edited;
  }

  private async attach(tx: Transaction, context: GraphqlContext, incident: EditedIncident, records: readonly AlertRecord[]): Promise<void> {
    const { clientId, incidentId } = incident.record;
    incident.joinedAlertIds.push(...records.map(({ alertId }) => alertId));
    await this.alerts.write(
      tx,
      clientId,
      records.map((before) => ({ before, record: { ...before, incidentId } })),
      context.clock.now(),
    );
  }

  private async resolveAlerts(
    tx: Transaction,
    context: GraphqlContext,
    { record: { clientId, incidentId } }: EditedIncident,
    reason: string,
  ): Promise<void> {
    const now = context.clock.now();
    const locked = await lockAlerts(tx, clientId, await alertIdsOf(tx, clientId, [incidentId]));
    const edited = locked
      .filter(({ state }) => isLive(state))
      .map((before): Edited => {
        const record = { ...before };
        takeAction(record, { step: 'resolve', reason }, { name: context.caller.name, at: now });
        return { before, record };
      });
    await this.alerts.write(tx, clientId, edited, now);
  }

  /** Throws NOT_FOUND for what can't be the caller's, before any look at the database. */
  private idOf({ caller }: GraphqlContext, id: string, field: string): GlobalId {
    const parsed = requireGlobalId(id, 'Incident');
    if (!maySee(caller, parsed)) throw missing(field);
    return parsed;
  }
}

async function lockOne(tx: Transaction, context: GraphqlContext, clientId: number, key: string, field: string): Promise<EditedIncident> {
  const [record] = await lockIncidents(tx, clientId, [], [key]);
  return editable(context, record, field);
}

function editable({ caller }: GraphqlContext, record: IncidentRecord | undefined, field: string): EditedIncident {
  const visible = record && (caller.fleetIds === null || (record.fleetId !== null && caller.fleetIds.includes(record.fleetId)));
  if (!visible) throw missing(field);
  return edit(record);
}

function missing(field: string): SimwardenError {
  return new SimwardenError('NOT_FOUND', { what: 'incident' }, [field]);
}
