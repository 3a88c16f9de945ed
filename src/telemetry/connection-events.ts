/** Connection events over GraphQL. */
import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, ObjectType, Query, registerEnumType, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { Sim } from '../fleet';
import { connectionOf, PageArgs, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { Node, registerNode } from '../graphql/nodes';
import { ByteCountScalar, DateTimeScalar, ImeiScalar, PlmnScalar } from '../graphql/scalars';
import { CONNECTION_EVENT_TYPES } from './record-kind';
import { findRecord, recordGlobalId, recordPage, simOf, type RecordRow, type RecordTable } from './record-page';

export type ConnectionEventTypeName = (typeof CONNECTION_EVENT_TYPES)[number];
export const ConnectionEventType = Object.fromEntries(CONNECTION_EVENT_TYPES.map((type) => [type, type])) as {
  readonly [Name in ConnectionEventTypeName]: Name;
};

registerEnumType(ConnectionEventType, {
  name: 'ConnectionEventType',
  description: 'What happened between a SIM and a network.',
  valuesConfig: {
    ATTACHMENT_ACCEPTED: { description: 'The network let the SIM in.' },
    ATTACHMENT_REJECTED: { description: 'The network, or the home network, refused it.' },
    ATTACHMENT_FAILED: { description: 'The attempt broke off or timed out.' },
    DETACHED: { description: 'The SIM left the network.' },
    DATA_SESSION_STARTED: { description: 'A data session began.' },
    DATA_SESSION_UPDATED: { description: 'A data session went on; bytes since its last report.' },
    DATA_SESSION_ENDED: { description: 'A data session ended; the SIM stays attached.' },
    DATA_SESSION_FAILED: { description: 'A data session could not begin.' },
  },
});

interface ConnectionEventRow extends RecordRow {
  readonly event_id: string;
  readonly type: ConnectionEventTypeName;
  readonly occurred_at: Date;
  readonly imei: string | null;
  readonly plmn: string | null;
  readonly rat: string | null;
  readonly session_id: string | null;
  readonly uplink_bytes: string | null;
  readonly downlink_bytes: string | null;
  readonly received_at: Date;
}

const CONNECTIONS: RecordTable = {
  table: 'connection_event',
  time: 'occurred_at',
  id: 'event_id',
  columns:
    'client_id, source, day, event_id, sim_id, type, occurred_at, imei, plmn, rat, session_id, uplink_bytes, downlink_bytes, received_at',
};

@ObjectType({ implements: Node, description: 'Something that happened between a SIM and a network.' })
export class ConnectionEvent extends Node {
  @Field(() => String, { description: 'Source that delivered it.' })
  source: string;
  @Field(() => String, { description: 'Its id at the source; derived from its content where the source gave none.' })
  eventId: string;
  @Field(() => ConnectionEventType, { description: 'What happened.' })
  type: ConnectionEventTypeName;
  @Field(() => DateTimeScalar, { description: 'When it happened.' })
  occurredAt: Date;
  @Field(() => ImeiScalar, { nullable: true, description: 'Device that the SIM was in; null: unknown.' })
  imei: string | null;
  @Field(() => PlmnScalar, { nullable: true, description: 'The network; null: unknown.' })
  plmn: string | null;
  @Field(() => String, { nullable: true, description: 'Radio access: GERAN, UTRAN, EUTRAN, LTE_M, NB_IOT or NR; null: unknown.' })
  rat: string | null;
  @Field(() => String, { nullable: true, description: 'Data session that it belongs to; null: none, or unknown.' })
  sessionId: string | null;
  @Field(() => ByteCountScalar, { nullable: true, description: 'Bytes sent, as evidence: they never enter usage. null: unknown.' })
  uplinkBytes: string | null;
  @Field(() => ByteCountScalar, { nullable: true, description: 'Bytes received, as evidence: they never enter usage. null: unknown.' })
  downlinkBytes: string | null;
  @Field(() => DateTimeScalar, { description: 'When it arrived here.' })
  receivedAt: Date;
  clientId: number;
  simId: string;

  static of(row: ConnectionEventRow): ConnectionEvent {
    return Object.assign(new ConnectionEvent(), {
      id: recordGlobalId('ConnectionEvent', row, row.event_id),
      clientId: row.client_id,
      simId: row.sim_id,
      source: row.source,
      eventId: row.event_id,
      type: row.type,
      occurredAt: row.occurred_at,
      imei: row.imei,
      plmn: row.plmn,
      rat: row.rat,
      sessionId: row.session_id,
      uplinkBytes: row.uplink_bytes,
      downlinkBytes: row.downlink_bytes,
      receivedAt: row.received_at,
    });
  }
}

@ObjectType({ description: 'A page of connection events.' })
export class ConnectionEventConnection extends connectionOf(ConnectionEvent, 'ConnectionEvent') {}

@InputType({ description: 'Which connection events to show; all conditions hold at once.' })
export class ConnectionEventFilter {
  @Field(() => ID, { description: 'The SIM.' })
  sim: string;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only events at or after this time.' })
  from?: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only events before this time.' })
  to?: Date | null;
  @Field(() => ConnectionEventType, { nullable: true, description: 'Only events of this type.' })
  type?: ConnectionEventTypeName | null;
  @Field(() => PlmnScalar, { nullable: true, description: 'Only events in this network.' })
  plmn?: string | null;
}

@singleton()
@Resolver(() => ConnectionEvent)
export class ConnectionEventResolver {
  @Query(() => ConnectionEventConnection, { description: 'Connection events of a SIM, latest first.' })
  connectionEvents(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => ConnectionEventFilter, { description: 'Which events to show.' }) filter: ConnectionEventFilter,
  ): Promise<Connection<ConnectionEvent>> {
    const { type, plmn } = filter;
    return recordPage<ConnectionEventRow, ConnectionEvent>(context, CONNECTIONS, filter, { type, plmn }, page, (row) =>
      ConnectionEvent.of(row),
    );
  }

  @FieldResolver(() => Sim, { nullable: true, description: 'The SIM.' })
  sim(@Root() event: ConnectionEvent, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return simOf(context, event);
  }
}

registerNode('ConnectionEvent', 'text', async (context, clientId, key) => {
  const row = await findRecord<ConnectionEventRow>(context, CONNECTIONS, clientId, key);
  return row && ConnectionEvent.of(row);
});
