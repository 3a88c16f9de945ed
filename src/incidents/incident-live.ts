/** incidentChanged: what happens to incidents, as it happens. */
import { Arg, Ctx, Field, ID, InputType, Int, ObjectType, Resolver, Root, Subscription } from 'type-graphql';
import { singleton } from 'tsyringe';
import { AlertSeverity } from '../alerts';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId, toGlobalId } from '../graphql/global-id';
import { liveField, type LiveRoot, type LoggedEvent } from '../graphql/live';
import { ReplayGap } from '../graphql/replay-gap';
import { Incident } from './incident';
import { findIncident } from './incident-queries';
import { IncidentState } from './lifecycle';

@InputType({ description: 'Which changes of incidents to follow; all conditions hold at once.' })
export class IncidentChangedFilter {
  @Field(() => ID, { nullable: true, description: 'Only incidents of this client.' })
  client?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only this incident.' })
  incident?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only incidents of this SIM.' })
  sim?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only incidents that began in this fleet.' })
  fleet?: string | null;
  @Field(() => [IncidentState], { nullable: true, description: 'Only changes that end in one of these states.' })
  state?: IncidentState[] | null;
  @Field(() => [AlertSeverity], { nullable: true, description: 'Only incidents that have one of these severities then.' })
  severity?: AlertSeverity[] | null;
}

const edges = [
  { argument: 'incident', type: 'Incident', keyIs: 'uuid', keyOf: (event: LoggedEvent) => event.subjectId },
  { argument: 'sim', type: 'Sim', keyIs: 'int8', keyOf: (event: LoggedEvent) => event.attributes['simId'] },
  { argument: 'fleet', type: 'Fleet', keyIs: 'uuid', keyOf: (event: LoggedEvent) => event.attributes['fleetId'] },
] as const;

export function incidentEventMatches(event: LoggedEvent, filter: IncidentChangedFilter): boolean {
  if (filter.client && requireGlobalId(filter.client, 'Client', 'int8')?.key !== String(event.clientId)) return false;
  for (const { argument, type, keyIs, keyOf } of edges) {
    const given = filter[argument];
    if (!given) continue;
    const id = requireGlobalId(given, type, keyIs);
    if (id?.clientId !== event.clientId || id.key !== keyOf(event)) return false;
  }
  const among = (given: readonly string[] | null | undefined, value: unknown): boolean => !given || given.some((one) => one === value);
  return among(filter.state, event.attributes['state']) && among(filter.severity, event.attributes['severity']);
}

@ObjectType({ description: 'A change of an incident; or, where `gap` is set, the word that changes were missed.' })
export class IncidentChanged {
  @Field(() => String, { description: 'Where this change stands; pass it as `after` to go on from here.' })
  cursor: string;
  @Field(() => ReplayGap, {
    nullable: true,
    description: 'Set where changes were missed, because the cursor was too old; all else is null then.',
  })
  gap: ReplayGap | null;
  @Field(() => ID, { nullable: true, description: 'Id of the incident.' })
  incidentId: string | null;
  @Field(() => Incident, { nullable: true, description: 'The incident as it is now, which may be newer than this change.' })
  incident: Incident | null;
  @Field(() => [String], { description: 'Names of the fields that changed.' })
  changedFields: readonly string[];
  @Field(() => IncidentState, { nullable: true, description: 'State before the change; null for a new incident.' })
  fromState: IncidentState | null;
  @Field(() => IncidentState, { nullable: true, description: 'State after the change.' })
  toState: IncidentState | null;
  @Field(() => Int, { nullable: true, description: 'Number of the change of this incident: 1, 2, 3 …' })
  sequence: number | null;
}

@singleton()
@Resolver()
export class IncidentLive {
  @Subscription(() => IncidentChanged, {
    description:
      'Each change of an incident that you may see: first those after the cursor, then what happens, without a gap and without a double.',
    subscribe: liveField({
      name: 'incidentChanged',
      eventType: 'INCIDENT_CHANGED',
      matches: (event, { filter }) => incidentEventMatches(event, filter ?? {}),
    }),
  })
  async incidentChanged(
    @Root() { event, cursor, gap }: LiveRoot,
    @Ctx() context: GraphqlContext,
    @Arg('filter', () => IncidentChangedFilter, { nullable: true, description: 'Which changes; default: all that you may see.' })
    _filter?: IncidentChangedFilter | null,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of the last change received; default: from now on.' })
    _after?: string | null,
  ): Promise<IncidentChanged> {
    if (event === null)
      return { cursor, gap, incidentId: null, incident: null, changedFields: [], fromState: null, toState: null, sequence: null };
    const { clientId, subjectId, fields, fromState, toState, sequence } = event;
    return {
      cursor,
      gap,
      incidentId: toGlobalId('Incident', clientId, subjectId),
      incident: await findIncident(context, clientId, subjectId),
      changedFields: fields,
      fromState: fromState as IncidentState | null,
      toState: toState as IncidentState | null,
      sequence,
    };
  }
}
