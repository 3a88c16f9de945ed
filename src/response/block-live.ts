/** Tells portals live how the blocks of their SIMs proceed. */
import { Arg, Ctx, Field, ID, InputType, ObjectType, Resolver, Root, Subscription } from 'type-graphql';
import { singleton } from 'tsyringe';
import { BlockMode, BlockState, loaderKey, Sim, simLoader } from '../fleet';
import type { GraphqlContext } from '../graphql/context';
import { parseGlobalId } from '../graphql/global-id';
import { liveField, type LiveRoot, type LoggedEvent } from '../graphql/live';
import { ReplayGap } from '../graphql/replay-gap';
import { DateTimeScalar } from '../graphql/scalars';

@InputType({ description: 'Which changes to be told of; all conditions hold at once.' })
export class SimBlockStateFilter {
  @Field(() => ID, { nullable: true, description: 'Only SIMs of this client. Operators who leave it out hear of all.' })
  client?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only SIMs that were in this fleet when it happened.' })
  fleet?: string | null;
  @Field(() => [ID], { nullable: true, description: 'Only these SIMs.' })
  sims?: string[] | null;
  @Field(() => [BlockState], { nullable: true, description: 'Only changes to one of these states.' })
  states?: BlockState[] | null;
}

@ObjectType({ description: 'A step in the block state of a SIM, or the marker that steps were missed.' })
export class SimBlockStateChanged {
  @Field(() => String, { description: 'Where this stands in the log: pass it as `after` to go on from here.' })
  cursor: string;
  @Field(() => ReplayGap, { nullable: true, description: 'Not null: steps before this were missed, and the other fields are null.' })
  gap: ReplayGap | null;
  @Field(() => Sim, { nullable: true, description: 'The SIM as it is now.' })
  sim: Sim | null;
  @Field(() => BlockState, { nullable: true, description: 'The state before the step.' })
  fromState: BlockState | null;
  @Field(() => BlockState, { nullable: true, description: 'The state after the step.' })
  toState: BlockState | null;
  @Field(() => BlockMode, { nullable: true, description: "How the SIM is, or was to be, cut off; null where that isn't known." })
  mode: BlockMode | null;
  @Field(() => String, { nullable: true, description: 'Why.' })
  reason: string | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When.' })
  at: Date | null;
}

/** Whether a step passes the filter. Ids that are none of ours match nothing. */
export function matchesBlockFilter(event: LoggedEvent, filter: SimBlockStateFilter | null | undefined): boolean {
  if (!filter) return true;
  const names = (id: string, type: string, key: string): boolean => {
    const parsed = parseGlobalId(id);
    return parsed !== null && parsed.type === type && parsed.clientId === event.clientId && parsed.key === key;
  };
  if (filter.client && !names(filter.client, 'Client', String(event.clientId))) return false;
  if (filter.fleet && !names(filter.fleet, 'Fleet', String(event.attributes['fleetId']))) return false;
  if (filter.sims && !filter.sims.some((id) => names(id, 'Sim', event.subjectId))) return false;
  return !filter.states || filter.states.some((state) => state === event.toState);
}

@singleton()
@Resolver()
export class BlockLiveResolver {
  @Subscription(() => SimBlockStateChanged, {
    description: 'Each step in the block state of a SIM, in order. `after` replays what was missed, up to 7 days, then goes live.',
    subscribe: liveField({
      name: 'simBlockStateChanged',
      eventType: 'SIM_BLOCK_STATE_CHANGED',
      matches: (event, args) => matchesBlockFilter(event, args['filter'] as SimBlockStateFilter | null | undefined),
    }),
  })
  async simBlockStateChanged(
    @Root() root: LiveRoot,
    @Ctx() context: GraphqlContext,
    @Arg('filter', () => SimBlockStateFilter, { nullable: true, description: 'Which changes to be told of.' })
    _filter?: SimBlockStateFilter | null,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of the last step that was seen; left out: from now on.' })
    _after?: string | null,
  ): Promise<SimBlockStateChanged> {
    const { event, cursor, gap } = root;
    if (event === null) return { cursor, gap, sim: null, fromState: null, toState: null, mode: null, reason: null, at: null };
    return {
      cursor,
      gap: null,
      sim: await context.load(simLoader, loaderKey(event.clientId, event.subjectId)),
      fromState: event.fromState as BlockState,
      toState: event.toState as BlockState,
      mode: (event.attributes['mode'] ?? null) as BlockMode | null,
      reason: (event.attributes['reason'] ?? null) as string | null,
      at: event.occurredAt,
    };
  }
}
