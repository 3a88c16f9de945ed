/** Which alerts are meant: by lists, by bulk actions and by subscriptions alike. */
import { Field, ID, InputType, registerEnumType } from 'type-graphql';
import { maySee, readScope, RowFilter } from '../access';
import { OrderDirection } from '../fleet';
import type { Caller } from '../graphql/caller';
import { requireGlobalId } from '../graphql/global-id';
import type { LoggedEvent } from '../graphql/live';
import { DateTimeScalar, SafeTextScalar } from '../graphql/scalars';
import { AlertSeverity } from './alert';
import { AlertState } from './lifecycle';

@InputType({ description: 'Which alerts are meant; all conditions hold at once.' })
export class AlertFilter {
  @Field(() => ID, { nullable: true, description: 'Only alerts of this client. Operators who leave it out see all.' })
  client?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only alerts of this SIM.' })
  sim?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only alerts of this fleet and of the SIMs in it.' })
  fleet?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only alerts of this incident.' })
  incident?: string | null;
  @Field(() => [AlertState], { nullable: true, description: 'Only alerts in one of these states.' })
  state?: AlertState[] | null;
  @Field(() => [AlertSeverity], { nullable: true, description: 'Only alerts of one of these severities.' })
  severity?: AlertSeverity[] | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only alerts of this detector, such as `threshold`.' })
  detector?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only alerts of this kind, such as `DAILY_LIMIT`.' })
  kind?: string | null;
  @Field(() => Boolean, { nullable: true, description: 'true: only late alerts; false: only those that were raised in time.' })
  late?: boolean | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only alerts first raised at or after this time (wall clock).' })
  openedAfter?: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only alerts first raised before this time (wall clock).' })
  openedBefore?: Date | null;
}

export enum AlertOrderField {
  CREATED_AT = 'CREATED_AT',
  LAST_WINDOW = 'LAST_WINDOW',
  SEVERITY = 'SEVERITY',
}
registerEnumType(AlertOrderField, {
  name: 'AlertOrderField',
  description: 'What alerts are sorted by.',
  valuesConfig: {
    CREATED_AT: { description: 'When it was first raised.' },
    LAST_WINDOW: { description: 'Start of the latest window.' },
    SEVERITY: { description: 'Severity, then when it was first raised.' },
  },
});

@InputType({ description: 'How alerts are sorted.' })
export class AlertOrder {
  @Field(() => AlertOrderField, { description: 'By what.' })
  field: AlertOrderField;
  @Field(() => OrderDirection, { defaultValue: OrderDirection.DESC, description: 'Which way; default DESC.' })
  direction: OrderDirection;
}

/** One edge named by an id: the client it belongs to must be one the caller may see, and fits the rest of the filter. */
const edges = [
  { argument: 'sim', type: 'Sim', keyIs: 'int8', column: 'sim_id', cast: 'int8' },
  { argument: 'fleet', type: 'Fleet', keyIs: 'uuid', column: 'fleet_id', cast: 'uuid' },
  { argument: 'incident', type: 'Incident', keyIs: 'uuid', column: 'incident_id', cast: 'uuid' },
] as const;

/** The WHERE of these alerts for this caller; null where no alert can be meant, because something named is missing or another's. */
export function alertConditions(caller: Caller, filter: AlertFilter): RowFilter | null {
  const scope = readScope(caller, filter.client);
  if (scope === null) return null;
  const where = new RowFilter();
  if (scope.clientId !== null) where.and('client_id = ?', scope.clientId);
  for (const { argument, type, keyIs, column, cast } of edges) {
    const given = filter[argument];
    if (!given) continue;
    const id = requireGlobalId(given, type, keyIs);
    if (!maySee(caller, id)) return null;
    where.and('client_id = ?', id.clientId).and(`${column} = ?::${cast}`, id.key);
  }
  if (caller.fleetIds) where.and('fleet_id = ANY(?::uuid[])', caller.fleetIds);
  if (filter.state) where.and('state = ANY(?::text[])', filter.state);
  if (filter.severity) where.and('severity = ANY(?::text[])', filter.severity);
  if (filter.detector) where.and('detector_id = ?', filter.detector);
  if (filter.kind) where.and('kind = ?', filter.kind);
  if (typeof filter.late === 'boolean') where.and('late = ?', filter.late);
  if (filter.openedAfter) where.and('created_at >= ?', filter.openedAfter);
  if (filter.openedBefore) where.and('created_at < ?', filter.openedBefore);
  return where;
}

@InputType({ description: 'Which changes of alerts to follow; all conditions hold at once.' })
export class AlertChangedFilter {
  @Field(() => ID, { nullable: true, description: 'Only alerts of this client.' })
  client?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only alerts of this SIM.' })
  sim?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only alerts of this fleet and of the SIMs in it.' })
  fleet?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only alerts of this incident.' })
  incident?: string | null;
  @Field(() => [AlertState], { nullable: true, description: 'Only changes that end in one of these states.' })
  state?: AlertState[] | null;
  @Field(() => [AlertSeverity], { nullable: true, description: 'Only alerts that have one of these severities then.' })
  severity?: AlertSeverity[] | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only alerts of this detector.' })
  detector?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only alerts of this kind.' })
  kind?: string | null;
  @Field(() => Boolean, { nullable: true, description: 'true: only late alerts; false: only others.' })
  late?: boolean | null;
}

const eventEdges = [
  { argument: 'sim', type: 'Sim', keyIs: 'int8', attribute: 'simId' },
  { argument: 'fleet', type: 'Fleet', keyIs: 'uuid', attribute: 'fleetId' },
  { argument: 'incident', type: 'Incident', keyIs: 'uuid', attribute: 'incidentId' },
] as const;

/** Whether an event of an alert is one of those meant. Looks at the event only. */
export function alertEventMatches(event: LoggedEvent, filter: AlertChangedFilter): boolean {
  const { attributes } = event;
  if (filter.client && requireGlobalId(filter.client, 'Client', 'int8')?.key !== String(event.clientId)) return false;
  for (const { argument, type, keyIs, attribute } of eventEdges) {
    const given = filter[argument];
    if (!given) continue;
    const id = requireGlobalId(given, type, keyIs);
    if (id?.clientId !== event.clientId || id.key !== attributes[attribute]) return false;
  }
  return (
    among(filter.state, attributes['state']) &&
    among(filter.severity, attributes['severity']) &&
    (!filter.detector || filter.detector === attributes['detector']) &&
    (!filter.kind || filter.kind === attributes['kind']) &&
    (typeof filter.late !== 'boolean' || filter.late === attributes['late'])
  );
}

function among(given: readonly string[] | null | undefined, value: unknown): boolean {
  return !given || given.some((one) => one === value);
}
