/** Usage records over GraphQL. */
import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { Sim } from '../fleet';
import { connectionOf, PageArgs, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { Node, registerNode } from '../graphql/nodes';
import { ByteCountScalar, DateTimeScalar, ImeiScalar, PlmnScalar } from '../graphql/scalars';
import { findRecord, recordGlobalId, recordPage, simOf, type RecordRow, type RecordTable } from './record-page';

interface UsageRow extends RecordRow {
  readonly record_id: string;
  readonly started_at: Date;
  readonly ended_at: Date;
  readonly uplink_bytes: string;
  readonly downlink_bytes: string;
  readonly plmn: string | null;
  readonly rat: string | null;
  readonly imei: string | null;
  readonly apn: string | null;
  readonly destination: string | null;
  readonly received_at: Date;
}

const USAGE: RecordTable = {
  table: 'usage_record',
  time: 'started_at',
  id: 'record_id',
  columns:
    'client_id, source, day, record_id, sim_id, started_at, ended_at, uplink_bytes, downlink_bytes, plmn, rat, imei, apn, destination, received_at',
};

@ObjectType({ implements: Node, description: 'Data that a SIM used in a window or session, as its source reported it.' })
export class UsageRecord extends Node {
  @Field(() => String, { description: 'Source that delivered it.' })
  source: string;
  @Field(() => String, { description: 'Its id at the source; derived from its content where the source gave none.' })
  recordId: string;
  @Field(() => DateTimeScalar, { description: 'Start of the window.' })
  startedAt: Date;
  @Field(() => DateTimeScalar, { description: 'End of the window, at most 31 days after its start.' })
  endedAt: Date;
  @Field(() => ByteCountScalar, { description: 'Bytes that the device sent in the window.' })
  uplinkBytes: string;
  @Field(() => ByteCountScalar, { description: 'Bytes that the device received in the window.' })
  downlinkBytes: string;
  @Field(() => PlmnScalar, { nullable: true, description: 'Visited network; null: unknown.' })
  plmn: string | null;
  @Field(() => String, { nullable: true, description: 'Radio access: GERAN, UTRAN, EUTRAN, LTE_M, NB_IOT or NR; null: unknown.' })
  rat: string | null;
  @Field(() => ImeiScalar, { nullable: true, description: 'Device that the SIM was in; null: unknown.' })
  imei: string | null;
  @Field(() => String, { nullable: true, description: 'Access point name; null: unknown.' })
  apn: string | null;
  @Field(() => String, { nullable: true, description: 'Where the traffic went: host name, IP address or AS<n>; null: unknown.' })
  destination: string | null;
  @Field(() => DateTimeScalar, { description: 'When it arrived here.' })
  receivedAt: Date;
  clientId: number;
  simId: string;

  static of(row: UsageRow): UsageRecord {
    return Object.assign(new UsageRecord(), {
      id: recordGlobalId('UsageRecord', row, row.record_id),
      clientId: row.client_id,
      simId: row.sim_id,
      source: row.source,
      recordId: row.record_id,
      startedAt: row.started_at,
      endedAt: row.ended_at,
      uplinkBytes: row.uplink_bytes,
      downlinkBytes: row.downlink_bytes,
      plmn: row.plmn,
      rat: row.rat,
      imei: row.imei,
      apn: row.apn,
      destination: row.destination,
      receivedAt: row.received_at,
    });
  }
}

@ObjectType({ description: 'A page of usage records.' })
export class UsageRecordConnection extends connectionOf(UsageRecord, 'UsageRecord') {}

@InputType({ description: 'Which usage records to show; all conditions hold at once.' })
export class UsageRecordFilter {
  @Field(() => ID, { description: 'The SIM.' })
  sim: string;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only records that started at or after this time.' })
  from?: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only records that started before this time.' })
  to?: Date | null;
  @Field(() => PlmnScalar, { nullable: true, description: 'Only records in this network.' })
  plmn?: string | null;
}

@singleton()
@Resolver(() => UsageRecord)
export class UsageRecordResolver {
  @Query(() => UsageRecordConnection, { description: 'Usage records of a SIM, latest first.' })
  usageRecords(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => UsageRecordFilter, { description: 'Which records to show.' }) filter: UsageRecordFilter,
  ): Promise<Connection<UsageRecord>> {
    return recordPage<UsageRow, UsageRecord>(context, USAGE, filter, { plmn: filter.plmn }, page, (row) => UsageRecord.of(row));
  }

  @FieldResolver(() => Sim, { nullable: true, description: 'The SIM that used the data.' })
  sim(@Root() record: UsageRecord, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return simOf(context, record);
  }
}

registerNode('UsageRecord', 'text', async (context, clientId, key) => {
  const row = await findRecord<UsageRow>(context, USAGE, clientId, key);
  return row && UsageRecord.of(row);
});
