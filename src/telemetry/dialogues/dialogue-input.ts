/** A batch of dialogues as GraphQL takes it. */
import { Field, InputType, Int } from 'type-graphql';
import { BatchInput } from '../batch-input';
import { DateTimeScalar, SafeTextScalar } from '../../graphql/scalars';
import type { CancellationType as CancellationTypeName, Origin, Outcome, Procedure, Protocol } from '../dialogue-codes';
import { CancellationType, DialogueOrigin, DialogueOutcome, DialogueProcedure, DialogueProtocol } from './dialogue-enums';

@InputType({ description: 'A signaling dialogue of a SIM.' })
export class DialogueInput {
  @Field(() => SafeTextScalar, { description: 'IMSI of the SIM, 6 to 15 digits.' })
  imsi: string;
  @Field(() => DateTimeScalar, { description: 'When it began.' })
  startedAt: Date;
  @Field(() => Int, { nullable: true, description: 'Milliseconds from request to answer, 0 or more; left out: unknown.' })
  durationMs?: number | null;
  @Field(() => DialogueProtocol, { description: 'Signaling protocol.' })
  protocol: Protocol;
  @Field(() => DialogueProcedure, { description: 'What was asked.' })
  procedure: Procedure;
  @Field(() => DialogueOrigin, { description: 'Who began it.' })
  origin: Origin;
  @Field(() => DialogueOutcome, { description: 'How it ended.' })
  outcome: Outcome;
  @Field(() => Int, { nullable: true, description: 'Result code in the number space of the protocol, 0 or more; left out: none.' })
  resultCode?: number | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Visited network as MCC and MNC, such as 214-07; left out: unknown.' })
  visitedPlmn?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Name of the visited VLR, SGSN or MME, at most 100 characters.' })
  node?: string | null;
  @Field(() => CancellationType, { nullable: true, description: 'Why a location was cancelled.' })
  cancellationType?: CancellationTypeName | null;
  @Field(() => Boolean, { nullable: true, description: 'The message broke the rules of its protocol; default false.' })
  formatViolation?: boolean | null;
}

@InputType({ description: 'A batch of dialogues.' })
export class IngestDialoguesInput extends BatchInput {
  @Field(() => [DialogueInput], { description: 'The dialogues, at most 1,000. More go to POST /ingest/dialogues.' })
  dialogues: DialogueInput[];
  @Field(() => Boolean, {
    nullable: true,
    description: 'Compare each dialogue with all that came in strict batches, and count equal ones as duplicates; default false.',
  })
  strict?: boolean | null;
}
