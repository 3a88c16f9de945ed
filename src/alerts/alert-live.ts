/** alertChanged: what happens to alerts, as it happens. */
import { Arg, Ctx, Field, ID, Int, ObjectType, Resolver, Root, Subscription } from 'type-graphql';
import { singleton } from 'tsyringe';
import type { GraphqlContext } from '../graphql/context';
import { toGlobalId } from '../graphql/global-id';
import { liveField, type LiveRoot } from '../graphql/live';
import { ReplayGap } from '../graphql/replay-gap';
import { Alert } from './alert';
import { AlertChangedFilter, alertEventMatches } from './alert-filter';
import { findAlert } from './alert-queries';
import { AlertState } from './lifecycle';

@ObjectType({ description: 'A change of an alert; or, where `gap` is set, the word that changes were missed.' })
export class AlertChanged {
  @Field(() => String, { description: 'Where this change stands; pass it as `after` to go on from here.' })
  cursor: string;
  @Field(() => ReplayGap, {
    nullable: true,
    description: 'Set where changes were missed, because the cursor was too old; all else is null then.',
  })
  gap: ReplayGap | null;
  @Field(() => ID, { nullable: true, description: 'Id of the alert.' })
  alertId: string | null;
  @Field(() => Alert, { nullable: true, description: 'The alert as it is now, which may be newer than this change.' })
  alert: Alert | null;
  @Field(() => [String], { description: 'Names of the fields that changed.' })
  changedFields: readonly string[];
  @Field(() => AlertState, { nullable: true, description: 'State before the change; null for a new alert.' })
  fromState: AlertState | null;
  @Field(() => AlertState, { nullable: true, description: 'State after the change.' })
  toState: AlertState | null;
  @Field(() => Int, { nullable: true, description: 'Number of the change of this alert: 1, 2, 3 …' })
  sequence: number | null;
}

@singleton()
@Resolver()
export class AlertLive {
  @Subscription(() => AlertChanged, {
    description:
      'Each change of an alert that you may see: first those after the cursor, then what happens, without a gap and without a double.',
    subscribe: liveField({
      name: 'alertChanged',
      eventType: 'ALERT_CHANGED',
      matches: (event, { filter }) => alertEventMatches(event, filter ?? {}),
    }),
  })
  async alertChanged(
    @Root() { event, cursor, gap }: LiveRoot,
    @Ctx() context: GraphqlContext,
    @Arg('filter', () => AlertChangedFilter, { nullable: true, description: 'Which changes; default: all that you may see.' })
    _filter?: AlertChangedFilter | null,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of the last change received; default: from now on.' })
    _after?: string | null,
  ): Promise<AlertChanged> {
    if (event === null)
      return { cursor, gap, alertId: null, alert: null, changedFields: [], fromState: null, toState: null, sequence: null };
    const { clientId, subjectId, fields, fromState, toState, sequence } = event;
    return {
      cursor,
      gap,
      alertId: toGlobalId('Alert', clientId, subjectId),
      alert: await findAlert(context, clientId, subjectId),
      changedFields: fields,
      fromState: fromState as AlertState | null,
      toState: toState as AlertState | null,
      sequence,
    };
  }
}
