/** Incidents over GraphQL: one, and lists of them. */
import { Arg, Args, Ctx, Field, ID, InputType, Query, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage, maySee, readScope, RowFilter } from '../access';
import { AlertSeverity } from '../alerts';
import { batchByClient } from '../fleet';
import type { Caller } from '../graphql/caller';
import { decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import { defineLoader, type GraphqlContext } from '../graphql/context';
import { requireGlobalId } from '../graphql/global-id';
import { registerNode } from '../graphql/nodes';
import { DateTimeScalar, SafeTextScalar } from '../graphql/scalars';
import { Incident, IncidentConnection } from './incident';
import { selectIncidentColumns, type IncidentRecord } from './incident-record';
import { IncidentState } from './lifecycle';
import { RootCause } from './root-cause';

@InputType({ description: 'Which incidents are meant; all conditions hold at once.' })
export class IncidentFilter {
  @Field(() => ID, { nullable: true, description: 'Only incidents of this client. Operators who leave it out see all.' })
  client?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only incidents of this SIM.' })
  sim?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only incidents that began in this fleet.' })
  fleet?: string | null;
  @Field(() => [IncidentState], { nullable: true, description: 'Only incidents in one of these states.' })
  state?: IncidentState[] | null;
  @Field(() => [AlertSeverity], { nullable: true, description: 'Only incidents of one of these severities.' })
  severity?: AlertSeverity[] | null;
  @Field(() => [RootCause], {
    nullable: true,
    description: 'Only incidents with one of these verdicts; where there is none yet, the proposal counts.',
  })
  rootCause?: RootCause[] | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only incidents of this assignee.' })
  assignee?: string | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only incidents made at or after this time (wall clock).' })
  openedAfter?: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only incidents made before this time (wall clock).' })
  openedBefore?: Date | null;
}

const edges = [
  { argument: 'sim', type: 'Sim', keyIs: 'int8', condition: 'sim_id = ?::int8' },
  { argument: 'fleet', type: 'Fleet', keyIs: 'uuid', condition: 'fleet_id = ?::uuid' },
] as const;

/** null where no incident can be meant, because something named is missing or another's. */
function conditions(caller: Caller, filter: IncidentFilter): RowFilter | null {
  const scope = readScope(caller, filter.client);
  if (scope === null) return null;
  const where = new RowFilter();
  if (scope.clientId !== null) where.and('client_id = ?', scope.clientId);
  for (const { argument, type, keyIs, condition } of edges) {
    const given = filter[argument];
    if (!given) continue;
    const id = requireGlobalId(given, type, keyIs);
    if (!maySee(caller, id)) return null;
    where.and('client_id = ?', id.clientId).and(condition, id.key);
  }
  if (caller.fleetIds) where.and('fleet_id = ANY(?::uuid[])', caller.fleetIds);
  if (filter.state) where.and('state = ANY(?::text[])', filter.state);
  if (filter.severity) where.and('severity = ANY(?::text[])', filter.severity);
  if (filter.rootCause) where.and('coalesce(root_cause, proposed_root_cause) = ANY(?::text[])', filter.rootCause);
  if (filter.assignee) where.and('assignee = ?', filter.assignee);
  if (filter.openedAfter) where.and('created_at >= ?', filter.openedAfter);
  if (filter.openedBefore) where.and('created_at < ?', filter.openedBefore);
  return where;
}

/** A page of incidents, latest made first. */
export async function incidentPage(context: GraphqlContext, filter: IncidentFilter, page: PageArgs): Promise<Connection<Incident>> {
  const where = conditions(context.caller, filter);
  const all = conditions(context.caller, filter);
  if (where === null || all === null) return emptyPage(page);
  if (page.after) where.and('(created_at, incident_id) < (?::timestamptz, ?::uuid)', ...decodeCursor(page.after, ['instant', 'uuid']));
  const rows = await context.read((tx) =>
    tx.query<IncidentRecord>(
      `SELECT ${selectIncidentColumns} FROM incident ${where.where} ORDER BY created_at DESC, incident_id DESC LIMIT ${page.first + 1}`,
      where.parameters,
    ),
  );
  const count = async (): Promise<number> => {
    const [counted] = await context.read((tx) =>
      tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM incident ${all.where}`, all.parameters),
    );
    return counted!.count;
  };
  return pageOf(
    rows,
    page,
    ({ createdAt, incidentId }) => [createdAt.toISOString(), incidentId],
    (record) => Incident.of(record),
    count,
  );
}

/** Key `${clientId}:${incidentId}`. */
export const incidentLoader = defineLoader<string, IncidentRecord>('incident', (keys, context) =>
  batchByClient(keys, async (clientId, incidentIds) => {
    const rows = await context.read((tx) =>
      tx.query<IncidentRecord>(`SELECT ${selectIncidentColumns} FROM incident WHERE client_id = $1 AND incident_id = ANY($2::uuid[])`, [
        clientId,
        incidentIds,
      ]),
    );
    const { fleetIds } = context.caller;
    const visible = rows.filter(({ fleetId }) => fleetIds === null || (fleetId !== null && fleetIds.includes(fleetId)));
    return new Map(visible.map((record) => [record.incidentId, record]));
  }),
);

export async function findIncident(context: GraphqlContext, clientId: number, key: string): Promise<Incident | null> {
  const record = await context.load(incidentLoader, `${clientId}:${key}`);
  return record ? Incident.of(record) : null;
}

@singleton()
@Resolver()
export class IncidentQueries {
  @Query(() => Incident, { nullable: true, description: 'An incident by its id; null when there is none, or it is not yours to see.' })
  async incident(
    @Ctx() context: GraphqlContext,
    @Arg('id', () => ID, { description: 'Id of the incident.' }) id: string,
  ): Promise<Incident | null> {
    const parsed = requireGlobalId(id, 'Incident');
    return maySee(context.caller, parsed) ? findIncident(context, parsed.clientId, parsed.key) : null;
  }

  @Query(() => IncidentConnection, { description: 'Incidents, latest made first.' })
  async incidents(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => IncidentFilter, { nullable: true, description: 'Which incidents; default: all that you may see.' })
    filter?: IncidentFilter | null,
  ): Promise<Connection<Incident>> {
    return incidentPage(context, filter ?? {}, page);
  }
}

registerNode('Incident', 'uuid', findIncident);
