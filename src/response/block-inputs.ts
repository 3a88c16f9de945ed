/** What the blocking mutations take and answer. */
import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { BlockMode, BlockState, Criticality } from '../fleet';
import { SafeTextScalar, DateTimeScalar } from '../graphql/scalars';
import { UserError } from '../graphql/user-error';
import { BlockRequest } from './block-request';
import { ShownImpact } from './shown-impact';

@InputType({ description: 'Which SIMs; all conditions hold at once, at least one is given.' })
export class BlockTargetFilter {
  @Field(() => ID, { nullable: true, description: 'SIMs of this fleet.' })
  fleet?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'SIMs in devices of this model family.' })
  family?: string | null;
  @Field(() => Criticality, { nullable: true, description: 'SIMs in devices of this criticality.' })
  criticality?: Criticality | null;
  @Field(() => [BlockState], { nullable: true, description: 'SIMs in one of these block states.' })
  blockStates?: BlockState[] | null;
}

@InputType({ description: 'SIMs, by their ids or by a filter: exactly one of both. At most 1,000.' })
abstract class BlockTargets {
  @Field(() => ID, { nullable: true, description: 'The client; customers leave it out, operators may where `sims` names it.' })
  client?: string | null;
  @Field(() => [ID], { nullable: true, description: 'Ids of SIMs of one client, 1 to 1,000.' })
  sims?: string[] | null;
  @Field(() => BlockTargetFilter, { nullable: true, description: 'Or every SIM that this filter finds, at most 1,000.' })
  filter?: BlockTargetFilter | null;
  @Field(() => String, {
    nullable: true,
    description: 'Makes the call repeatable: the same key and input answer the same for 7 days. 1 to 255 characters.',
  })
  idempotencyKey?: string | null;
  @Field(() => Boolean, { defaultValue: false, description: 'Says what would happen and changes nothing. Default false.' })
  dryRun: boolean;
}

@InputType({ description: 'Step one of a block.' })
export class RequestBlockInput extends BlockTargets {
  @Field(() => BlockMode, { description: 'How to cut the SIMs off.' })
  mode: BlockMode;
  @Field(() => SafeTextScalar, { description: 'Why; shown on the SIM and in the audit log.' })
  reason: string;
  @Field(() => ID, { nullable: true, description: 'The incident that it belongs to.' })
  incident?: string | null;
  @Field(() => ID, { nullable: true, description: 'The alert that led to it.' })
  alert?: string | null;
  @Field(() => DateTimeScalar, {
    nullable: true,
    description:
      'When to unblock the SIMs by themselves; after now. Left out: never. A SIM that moves to another client before then stays blocked: its new owner decides.',
  })
  restoreAt?: Date | null;
}

@InputType({ description: 'Releases SIMs: in one step, since it gives service back.' })
export class UnblockSimInput extends BlockTargets {
  @Field(() => SafeTextScalar, { description: 'Why; shown on the SIM and in the audit log.' })
  reason: string;
}

@InputType({ description: 'Step two of a block.' })
export class ConfirmBlockInput {
  @Field(() => ID, { description: 'The request to confirm.' })
  blockRequest: string;
  @Field(() => String, {
    nullable: true,
    description: 'Makes the call repeatable: the same key and input answer the same for 7 days. 1 to 255 characters.',
  })
  idempotencyKey?: string | null;
}

@InputType({ description: 'Calls a block off.' })
export class CancelBlockInput {
  @Field(() => ID, { description: 'The request to call off.' })
  blockRequest: string;
  @Field(() => SafeTextScalar, { defaultValue: 'Called off.', description: 'Why; shown on the SIM and in the audit log.' })
  reason: string;
  @Field(() => String, {
    nullable: true,
    description: 'Makes the call repeatable: the same key and input answer the same for 7 days. 1 to 255 characters.',
  })
  idempotencyKey?: string | null;
}

@ObjectType({ description: 'What became of one SIM.' })
export class BlockResult {
  @Field(() => ID, { description: "The SIM's id as it was given." })
  simId: string;
  @Field(() => BlockState, { nullable: true, description: 'Its block state now; null where there is no such SIM.' })
  state: BlockState | null;
  @Field(() => UserError, { nullable: true, description: 'Why nothing happened to it; null: it did.' })
  error: UserError | null;
}

@ObjectType({ description: 'What became of a block, an unblock or their cancellation.' })
abstract class BlockPayload {
  @Field(() => [BlockResult], { description: 'One per SIM.' })
  results: BlockResult[];
  @Field(() => [UserError], { description: 'Why nothing happened at all; empty: something did.' })
  userErrors: UserError[];
}

@ObjectType({ description: 'What a block would do, and the request that waits for its confirmation.' })
export class RequestBlockPayload extends BlockPayload {
  @Field(() => BlockRequest, { nullable: true, description: 'The request; null for a dry run, or where nothing was requested.' })
  blockRequest: BlockRequest | null;
  @Field(() => ShownImpact, { nullable: true, description: 'What it would do; null where no SIM could be requested.' })
  impact: ShownImpact | null;
  @Field(() => String, { nullable: true, description: 'Why another person must confirm; null: the same may.' })
  secondPersonReason: string | null;
}

@ObjectType({ description: 'The request on its way to the network.' })
export class ConfirmBlockPayload extends BlockPayload {
  @Field(() => BlockRequest, { nullable: true, description: 'The request; null where it was not confirmed.' })
  blockRequest: BlockRequest | null;
}

@ObjectType({ description: 'The request that was called off.' })
export class CancelBlockPayload extends BlockPayload {
  @Field(() => BlockRequest, { nullable: true, description: 'The request; null where nothing of it could be called off.' })
  blockRequest: BlockRequest | null;
}

@ObjectType({ description: 'The release on its way to the network.' })
export class UnblockSimPayload extends BlockPayload {
  @Field(() => BlockRequest, {
    nullable: true,
    description: 'The request to the network; null where it had not heard of the block, or for a dry run.',
  })
  blockRequest: BlockRequest | null;
}
