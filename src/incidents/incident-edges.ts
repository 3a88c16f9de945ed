/** From an incident to its client, alerts, log, SIM and fleet; and from alerts and SIMs to their incidents. */
import { Arg, Args, Ctx, Field, FieldResolver, ObjectType, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { Alert, AlertConnection, alertPage, findAlert } from '../alerts';
import { Client, clientLoader, Fleet, fleetLoader, loaderKey, Sim, simLoader } from '../fleet';
import { decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { Incident, IncidentConnection, IncidentLogConnection, IncidentLogEntry, type LogRow } from './incident';
import { findIncident, incidentPage } from './incident-queries';
import { IncidentState } from './lifecycle';

@ObjectType({ description: 'One reason for a proposed root cause.' })
export class RootCauseEvidence {
  @Field(() => String, { description: 'The reason in words.' })
  text: string;
  @Field(() => String, { nullable: true, description: 'Kind of the alert that it comes from; null for the reasoning itself.' })
  kind: string | null;
  @Field(() => Alert, { nullable: true, description: 'The alert that it comes from, with its numbers; null for the reasoning itself.' })
  alert: Alert | null;
}

@singleton()
@Resolver(() => Incident)
export class IncidentEdges {
  @FieldResolver(() => Client, {
    nullable: true,
    description: 'The client that it is about; null for an incident of the platform as a whole, and for embed tokens.',
  })
  async client(@Root() { record }: Incident, @Ctx() context: GraphqlContext): Promise<Client | null> {
    return record.clientId === 0 ? null : context.load(clientLoader, loaderKey(record.clientId, String(record.clientId)));
  }

  @FieldResolver(() => Sim, {
    nullable: true,
    description: 'The SIM that it is about; null where it is about a fleet, a network or the client.',
  })
  async sim(@Root() { record }: Incident, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return record.simId === null ? null : context.load(simLoader, `${record.clientId}:${record.simId}`);
  }

  @FieldResolver(() => Fleet, { nullable: true, description: 'The fleet in which it began; null without one.' })
  async fleet(@Root() { record }: Incident, @Ctx() context: GraphqlContext): Promise<Fleet | null> {
    return record.fleetId === null ? null : context.load(fleetLoader, `${record.clientId}:${record.fleetId}`);
  }

  @FieldResolver(() => Incident, { nullable: true, description: 'The incident that it was merged into; null where it was not.' })
  async mergedInto(@Root() { record }: Incident, @Ctx() context: GraphqlContext): Promise<Incident | null> {
    return record.mergedInto === null ? null : findIncident(context, record.clientId, record.mergedInto);
  }

  @FieldResolver(() => [RootCauseEvidence], { description: 'Why that root cause is proposed.' })
  async proposedEvidence(@Root() { record }: Incident, @Ctx() context: GraphqlContext): Promise<RootCauseEvidence[]> {
    return Promise.all(
      record.proposedEvidence.map(async ({ alertId, kind, text }) => ({
        text,
        kind,
        alert: alertId === null ? null : await findAlert(context, record.clientId, alertId),
      })),
    );
  }

  @FieldResolver(() => AlertConnection, { description: 'Its alerts, latest raised first.' })
  async alerts(
    @Root() incident: Incident,
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<Connection<Alert>> {
    return alertPage(context, { incident: incident.id }, page);
  }

  @FieldResolver(() => IncidentLogConnection, { description: 'What happened to it, oldest first.' })
  async log(
    @Root() { record }: Incident,
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<Connection<IncidentLogEntry>> {
    const [after] = page.after ? decodeCursor(page.after, ['uuid']) : [null];
    const of = [record.clientId, record.incidentId];
    const rows = await context.read((tx) =>
      tx.query<LogRow>(
        `SELECT entry_id AS "entryId", at, actor, action, text FROM incident_log
       WHERE client_id = $1 AND incident_id = $2 AND ($3::uuid IS NULL OR entry_id > $3) ORDER BY entry_id LIMIT ${page.first + 1}`,
        [...of, after],
      ),
    );
    const count = async (): Promise<number> => {
      const [counted] = await context.read((tx) =>
        tx.query<{ count: number }>('SELECT count(*)::int4 AS count FROM incident_log WHERE client_id = $1 AND incident_id = $2', of),
      );
      return counted!.count;
    };
    return pageOf(
      rows,
      page,
      ({ entryId }) => [entryId],
      (row) => IncidentLogEntry.of(row),
      count,
    );
  }
}

@singleton()
@Resolver(() => Alert)
export class AlertIncidentEdge {
  @FieldResolver(() => Incident, {
    nullable: true,
    description: 'The incident that it is part of; null for a late alert that joined none.',
  })
  async incident(@Root() { record }: Alert, @Ctx() context: GraphqlContext): Promise<Incident | null> {
    return record.incidentId === null ? null : findIncident(context, record.clientId, record.incidentId);
  }
}

@singleton()
@Resolver(() => Sim)
export class SimIncidentEdge {
  @FieldResolver(() => IncidentConnection, { description: 'Incidents of the SIM, latest made first.' })
  async incidents(
    @Root() sim: Sim,
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('state', () => [IncidentState], { nullable: true, description: 'Only incidents in one of these states; default: all.' })
    state?: IncidentState[] | null,
  ): Promise<Connection<Incident>> {
    return incidentPage(context, { sim: sim.id, state }, page);
  }
}
