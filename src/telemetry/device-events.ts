/** Device events over GraphQL. */
import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Int, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { Sim } from '../fleet';
import { connectionOf, PageArgs, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { Node, registerNode } from '../graphql/nodes';
import { DateTimeScalar, SafeTextScalar } from '../graphql/scalars';
import { findRecord, recordGlobalId, recordPage, simOf, type RecordRow, type RecordTable } from './record-page';

interface DeviceEventRow extends RecordRow {
  readonly event_id: string;
  readonly type: string;
  readonly occurred_at: Date;
  readonly count: number;
  readonly detail: string | null;
  readonly received_at: Date;
}

const DEVICES: RecordTable = {
  table: 'device_event',
  time: 'occurred_at',
  id: 'event_id',
  columns: 'client_id, source, day, event_id, sim_id, type, occurred_at, count, detail, received_at',
};

@ObjectType({
  implements: Node,
  description: 'Something that a device reported about itself, or its platform about it: reboots, TLS errors, endless retries.',
})
export class DeviceEvent extends Node {
  @Field(() => String, { description: 'Source that delivered it.' })
  source: string;
  @Field(() => String, { description: 'Its id at the source; derived from its content where the source gave none.' })
  eventId: string;
  @Field(() => String, { description: 'What happened: REBOOT, TLS_ERROR, RETRY_LOOP or another name of A-Z and _, at most 64 characters.' })
  type: string;
  @Field(() => DateTimeScalar, { description: 'When it happened.' })
  occurredAt: Date;
  @Field(() => Int, { description: 'How often it happened, 1 or more.' })
  count: number;
  @Field(() => String, { nullable: true, description: 'What the device said about it, at most 1,000 characters; null: nothing.' })
  detail: string | null;
  @Field(() => DateTimeScalar, { description: 'When it arrived here.' })
  receivedAt: Date;
  clientId: number;
  simId: string;

  static of(row: DeviceEventRow): DeviceEvent {
    return Object.assign(new DeviceEvent(), {
      id: recordGlobalId('DeviceEvent', row, row.event_id),
      clientId: row.client_id,
      simId: row.sim_id,
      source: row.source,
      eventId: row.event_id,
      type: row.type,
      occurredAt: row.occurred_at,
      count: row.count,
      detail: row.detail,
      receivedAt: row.received_at,
    });
  }
}

@ObjectType({ description: 'A page of device events.' })
export class DeviceEventConnection extends connectionOf(DeviceEvent, 'DeviceEvent') {}

@InputType({ description: 'Which device events to show; all conditions hold at once.' })
export class DeviceEventFilter {
  @Field(() => ID, { description: 'The SIM.' })
  sim: string;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only events at or after this time.' })
  from?: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only events before this time.' })
  to?: Date | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only events of this type, such as REBOOT.' })
  type?: string | null;
}

@singleton()
@Resolver(() => DeviceEvent)
export class DeviceEventResolver {
  @Query(() => DeviceEventConnection, { description: 'Device events of a SIM, latest first.' })
  deviceEvents(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => DeviceEventFilter, { description: 'Which events to show.' }) filter: DeviceEventFilter,
  ): Promise<Connection<DeviceEvent>> {
    return recordPage<DeviceEventRow, DeviceEvent>(context, DEVICES, filter, { type: filter.type }, page, (row) => DeviceEvent.of(row));
  }

  @FieldResolver(() => Sim, { nullable: true, description: 'The SIM of the device.' })
  sim(@Root() event: DeviceEvent, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return simOf(context, event);
  }
}

registerNode('DeviceEvent', 'text', async (context, clientId, key) => {
  const row = await findRecord<DeviceEventRow>(context, DEVICES, clientId, key);
  return row && DeviceEvent.of(row);
});
