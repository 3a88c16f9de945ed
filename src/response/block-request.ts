/** A block request as GraphQL shows it: who asked for what, what it would do, and what became of each SIM. */
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { BlockMode } from '../fleet';
import { connectionOf } from '../graphql/connection';
import { toGlobalId } from '../graphql/global-id';
import { Node } from '../graphql/nodes';
import { DateTimeScalar } from '../graphql/scalars';
import { BlockOrderState, BlockRequestState } from './block-lifecycle';
import { ShownImpact } from './shown-impact';
import type { StoredOrder, StoredRequest } from './block-store';

export enum BlockOperation {
  BLOCK = 'BLOCK',
  UNBLOCK = 'UNBLOCK',
}
registerEnumType(BlockOperation, {
  name: 'BlockOperation',
  description: 'What the network is asked to do.',
  valuesConfig: {
    BLOCK: { description: 'Cut the SIMs off; needs a confirmation.' },
    UNBLOCK: { description: 'Give them service again; carried out at once.' },
  },
});

registerEnumType(BlockRequestState, {
  name: 'BlockRequestState',
  description: 'Where a block request stands.',
  valuesConfig: {
    REQUESTED: { description: 'Waits for its confirmation; nothing reached the network.' },
    CONFIRMED: { description: 'Is being carried out.' },
    CANCELLED: { description: 'Called off before the network did anything.' },
    COMPLETED: { description: 'Over: every SIM that was not called off is verified.' },
    FAILED: { description: 'Over: at least one SIM failed; see its order.' },
  },
});

registerEnumType(BlockOrderState, {
  name: 'BlockOrderState',
  description: "Where one SIM's part of a block request stands.",
  valuesConfig: {
    REQUESTED: { description: 'Waits for the confirmation.' },
    CONFIRMED: { description: 'On its way to the network.' },
    CARRIED_OUT: { description: 'The network took it; its effect is being looked for.' },
    VERIFIED: { description: 'The effect was seen.' },
    FAILED: { description: 'It did not take effect; `errorCode` and `error` say why.' },
    CANCELLED: { description: 'Called off, or overtaken by a release.' },
  },
});

@ObjectType({ description: "One SIM's part of a block request." })
export class BlockOrder {
  @Field(() => BlockOrderState, { description: 'Where it stands.' })
  state: BlockOrderState;
  @Field(() => String, {
    nullable: true,
    description:
      'Why it failed: REFUSED by the network, CONTRADICTED by what was seen, GIVEN_UP after the last attempt, OVERTAKEN by a release after it was sent; null: it did not.',
  })
  errorCode: string | null;
  @Field(() => String, { nullable: true, description: 'The same in words.' })
  error: string | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When the network took the order; null: it has not.' })
  carriedOutAt: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When the effect was seen; null: it was not.' })
  verifiedAt: Date | null;
  clientId: number;
  simId: string;

  static of(clientId: number, row: StoredOrder): BlockOrder {
    return Object.assign(new BlockOrder(), {
      clientId,
      simId: row.sim_id,
      state: row.state,
      errorCode: row.error_code,
      error: row.error,
      carriedOutAt: row.carried_out_at,
      verifiedAt: row.verified_at,
    });
  }
}

@ObjectType({ description: "A page of a block request's SIMs." })
export class BlockOrderConnection extends connectionOf(BlockOrder, 'BlockOrder') {}

@ObjectType({ implements: Node, description: 'A request to block or unblock SIMs, and what became of it.' })
export class BlockRequest extends Node {
  @Field(() => BlockOperation, { description: 'What the network is asked to do.' })
  operation: BlockOperation;
  @Field(() => BlockMode, { nullable: true, description: 'How the SIMs are cut off; null for UNBLOCK.' })
  mode: BlockMode | null;
  @Field(() => String, { description: 'Why, as the requester put it.' })
  reason: string;
  @Field(() => BlockRequestState, { description: 'Where it stands.' })
  state: BlockRequestState;
  @Field(() => String, { description: 'Name of the credential that asked.' })
  requestedBy: string;
  @Field(() => String, { description: 'The person answerable for that credential.' })
  requestedPerson: string;
  @Field(() => DateTimeScalar, { description: 'When it was asked for.' })
  requestedAt: Date;
  @Field(() => Boolean, { description: 'Whether another person must confirm.' })
  needsSecondPerson: boolean;
  @Field(() => String, { nullable: true, description: 'Why another person must confirm; null: none must.' })
  secondPersonReason: string | null;
  @Field(() => String, {
    nullable: true,
    description: 'Name of the credential that confirmed, or called it off before that; null: undecided.',
  })
  decidedBy: string | null;
  @Field(() => String, { nullable: true, description: 'The person answerable for that credential.' })
  decidedPerson: string | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When that was.' })
  decidedAt: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When the SIMs are unblocked by themselves; null: never.' })
  restoreAt: Date | null;
  @Field(() => ID, { nullable: true, description: 'Id of the incident that it belongs to.' })
  incidentId: string | null;
  @Field(() => ID, { nullable: true, description: 'Id of the alert that led to it.' })
  alertId: string | null;
  @Field(() => ShownImpact, {
    nullable: true,
    description: 'What the block would do, as it stood when it was asked for; null for UNBLOCK.',
  })
  impact: ShownImpact | null;
  @Field(() => DateTimeScalar, { description: 'When the request itself last changed.' })
  updatedAt: Date;
  clientId: number;
  requestId: string;

  static of(row: StoredRequest): BlockRequest {
    return Object.assign(new BlockRequest(), {
      id: toGlobalId('BlockRequest', row.client_id, row.request_id),
      clientId: row.client_id,
      requestId: row.request_id,
      operation: row.operation as BlockOperation,
      mode: row.mode,
      reason: row.reason,
      state: row.state,
      requestedBy: row.requested_by,
      requestedPerson: row.requested_person,
      requestedAt: row.requested_at,
      needsSecondPerson: row.needs_second_person,
      secondPersonReason: row.second_person_reason,
      decidedBy: row.decided_by,
      decidedPerson: row.decided_person,
      decidedAt: row.decided_at,
      restoreAt: row.restore_at,
      incidentId: row.incident_id === null ? null : toGlobalId('Incident', row.client_id, row.incident_id),
      alertId: row.alert_id === null ? null : toGlobalId('Alert', row.client_id, row.alert_id),
      impact: row.impact === null ? null : ShownImpact.of(row.client_id, row.impact),
      updatedAt: row.updated_at,
    });
  }
}

@ObjectType({ description: 'A page of block requests.' })
export class BlockRequestConnection extends connectionOf(BlockRequest, 'BlockRequest') {}
