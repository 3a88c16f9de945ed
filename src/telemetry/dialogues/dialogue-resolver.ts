/** Dialogues over GraphQL. */
import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Int, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage } from '../../access';
import { Sim } from '../../fleet';
import { connectionOf, PageArgs, pageOf, type Connection } from '../../graphql/connection';
import type { GraphqlContext } from '../../graphql/context';
import { requireGlobalId } from '../../graphql/global-id';
import { DateTimeScalar, PlmnScalar } from '../../graphql/scalars';
import {
  CANCELLATION_TYPES,
  ORIGINS,
  OUTCOMES,
  plmnText,
  PROCEDURES,
  PROTOCOLS,
  type CancellationType as CancellationTypeName,
  type Origin,
  type Outcome,
  type Procedure,
  type Protocol,
} from '../dialogue-codes';
import { simOf, visibleSim } from '../record-page';
import { CancellationType, DialogueOrigin, DialogueOutcome, DialogueProcedure, DialogueProtocol } from './dialogue-enums';
import { countDialogues, readDialogues, type DialogueRow } from './dialogue-page';
import { resultMeaning } from './result-codes';

@ObjectType({ description: 'A signaling dialogue: a request and its answer, as seen at the roaming hub. Kept 62 days.' })
export class Dialogue {
  @Field(() => DateTimeScalar, { description: 'When it began, to the millisecond.' })
  startedAt: Date;
  @Field(() => Int, { nullable: true, description: 'Milliseconds from request to answer; over 2,500 is unusual. null: unknown.' })
  durationMs: number | null;
  @Field(() => DialogueProtocol, { description: 'Signaling protocol.' })
  protocol: Protocol;
  @Field(() => DialogueProcedure, { description: 'What was asked.' })
  procedure: Procedure;
  @Field(() => DialogueOrigin, { description: 'Who began it.' })
  origin: Origin;
  @Field(() => DialogueOutcome, { description: 'How it ended.' })
  outcome: Outcome;
  @Field(() => Int, {
    nullable: true,
    description: 'Result code in the number space of the protocol: MAP user errors (TS 29.002), Diameter results (RFC 6733, TS 29.272). null: none.',
  })
  resultCode: number | null;
  @Field(() => String, {
    nullable: true,
    description: 'What the result code means in its protocol, such as roamingNotAllowed; null: no code, or one that is not known.',
  })
  resultMeaning: string | null;
  @Field(() => PlmnScalar, { nullable: true, description: 'Visited network; null: unknown.' })
  visitedPlmn: string | null;
  @Field(() => String, { nullable: true, description: 'Name of the visited VLR, SGSN or MME; null: unknown.' })
  node: string | null;
  @Field(() => CancellationType, { nullable: true, description: 'Why a location was cancelled; null: it is no cancellation, or unknown.' })
  cancellationType: CancellationTypeName | null;
  @Field(() => Boolean, { description: 'The message broke the rules of its protocol.' })
  formatViolation: boolean;
  clientId: number;
  simId: string;

  static of(row: DialogueRow): Dialogue {
    const protocol = PROTOCOLS[row.protocol - 1]!;
    return Object.assign(new Dialogue(), {
      clientId: row.client_id,
      simId: row.sim_id,
      startedAt: row.started_at,
      durationMs: row.duration_ms,
      protocol,
      procedure: PROCEDURES[row.procedure - 1]!,
      origin: ORIGINS[row.origin - 1]!,
      outcome: OUTCOMES[row.outcome - 1]!,
      resultCode: row.result_code,
      resultMeaning: resultMeaning(protocol, row.result_code),
      visitedPlmn: row.plmn === null ? null : plmnText(row.plmn),
      node: row.node,
      cancellationType: row.cancellation_type === null ? null : CANCELLATION_TYPES[row.cancellation_type - 1]!,
      formatViolation: row.format_violation,
    });
  }
}

@ObjectType({ description: 'A page of dialogues.' })
export class DialogueConnection extends connectionOf(Dialogue, 'Dialogue') {}

@InputType({ description: 'Which dialogues to show; all conditions hold at once. Days that are still open are read slowly: name a time where you can.' })
export class DialogueFilter {
  @Field(() => ID, { description: 'The SIM.' })
  sim: string;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only dialogues that began at or after this time.' })
  from?: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only dialogues that began before this time.' })
  to?: Date | null;
  @Field(() => [DialogueProcedure], { nullable: true, description: 'Only these procedures.' })
  procedures?: Procedure[] | null;
  @Field(() => [DialogueOutcome], { nullable: true, description: 'Only these outcomes.' })
  outcomes?: Outcome[] | null;
  @Field(() => [DialogueProtocol], { nullable: true, description: 'Only these protocols.' })
  protocols?: Protocol[] | null;
  @Field(() => PlmnScalar, { nullable: true, description: 'Only dialogues from this network.' })
  plmn?: string | null;
}

@singleton()
@Resolver(() => Dialogue)
export class DialogueResolver {
  @Query(() => DialogueConnection, { description: 'Signaling dialogues of a SIM, latest first.' })
  async dialogues(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => DialogueFilter, { description: 'Which dialogues to show.' }) filter: DialogueFilter,
  ): Promise<Connection<Dialogue>> {
    const sim = await visibleSim(context, requireGlobalId(filter.sim, 'Sim', 'int8'));
    if (!sim) return emptyPage(page);
    const rows = await context.read((tx) => readDialogues(tx, sim, filter, page));
    return pageOf(
      rows,
      page,
      (row) => [row.started_at.toISOString(), row.place],
      (row) => Dialogue.of(row),
      () => context.read((tx) => countDialogues(tx, sim, filter)),
    );
  }

  @FieldResolver(() => Sim, { nullable: true, description: 'The SIM that it was about.' })
  sim(@Root() dialogue: Dialogue, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return simOf(context, dialogue);
  }
}
