/** acknowledgeAlerts, resolveAlerts, dismissAlerts over GraphQL. */
import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { SimwardenError } from '../errors';
import type { GraphqlContext } from '../graphql/context';
import { DateTimeScalar, SafeTextScalar } from '../graphql/scalars';
import { UserError, withUserErrors } from '../graphql/user-error';
import { Alert } from './alert';
import { AlertFilter } from './alert-filter';
import { BulkAction } from './bulk-action';
import type { OperatorAction } from './operator-actions';

@InputType()
abstract class AlertSelectionInput {
  @Field(() => [ID], { nullable: true, description: 'The alerts, 1 to 1,000, of one client. Either this or `filter`.' })
  ids?: string[] | null;
  @Field(() => AlertFilter, {
    nullable: true,
    description:
      'The alerts by what they have in common. At most 1,000 are changed per call, oldest first, and only those that the action moves to another state; `remaining` says how many are left. Operators must name a client, SIM, fleet or incident.',
  })
  filter?: AlertFilter | null;
  @Field(() => Boolean, { defaultValue: false, description: 'true: only say what would happen. Default false.' })
  dryRun: boolean;
}

@InputType({ description: 'Alerts that somebody takes in hand.' })
export class AcknowledgeAlertsInput extends AlertSelectionInput {
  @Field(() => SafeTextScalar, {
    nullable: true,
    description: 'Kept with the alerts, also when they fire again; default: the note that is there stays.',
  })
  note?: string | null;
}

@InputType({ description: 'Alerts that are over.' })
export class ResolveAlertsInput extends AlertSelectionInput {
  @Field(() => SafeTextScalar, { description: 'Why they are over.' })
  reason: string;
}

@InputType({ description: 'Alerts that are not worth a look.' })
export class DismissAlertsInput extends AlertSelectionInput {
  @Field(() => SafeTextScalar, { description: 'Why they may be ignored.' })
  reason: string;
  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Until when they may be ignored, in the future; default: for good. A higher severity brings them back in any case.',
  })
  until?: Date | null;
}

@ObjectType({ description: 'What became, or would become, of one alert.' })
export class AlertActionResult {
  @Field(() => ID, { description: 'The id that was given or found.' })
  id: string;
  @Field(() => Alert, { nullable: true, description: 'The alert afterwards; of a dry run, as it would be. null where there is none.' })
  alert: Alert | null;
  @Field(() => UserError, { nullable: true, description: 'Why nothing was done with it; null where it was.' })
  error: UserError | null;
}

@ObjectType()
abstract class AlertActionPayload {
  @Field(() => [AlertActionResult], {
    description: 'One result per alert, in the order of the ids; the others are carried out where one fails.',
  })
  results: AlertActionResult[];
  @Field(() => Int, { description: 'How many more alerts the filter means; call again for them. 0 with ids.' })
  remaining: number;
  @Field(() => [UserError], { description: 'What the caller can mend in the request as a whole.' })
  userErrors: UserError[];
}

@ObjectType({ description: 'What became of the alerts.' })
export class AcknowledgeAlertsPayload extends AlertActionPayload {}
@ObjectType({ description: 'What became of the alerts.' })
export class ResolveAlertsPayload extends AlertActionPayload {}
@ObjectType({ description: 'What became of the alerts.' })
export class DismissAlertsPayload extends AlertActionPayload {}

@singleton()
@Resolver()
export class AlertActions {
  constructor(private readonly bulk: BulkAction) {}

  @Mutation(() => AcknowledgeAlertsPayload, {
    description: 'Takes alerts in hand. They stay acknowledged when they fire again, until their severity rises above what it is now.',
  })
  async acknowledgeAlerts(
    @Arg('input', () => AcknowledgeAlertsInput, { description: 'Which, and a note.' }) input: AcknowledgeAlertsInput,
    @Ctx() context: GraphqlContext,
  ): Promise<AcknowledgeAlertsPayload> {
    return this.run(context, 'acknowledgeAlerts', input, () => ({ step: 'acknowledge', note: input.note ?? null }));
  }

  @Mutation(() => ResolveAlertsPayload, {
    description: 'Says that alerts are over. A later window within 24 hours, or a higher severity, opens them again.',
  })
  async resolveAlerts(
    @Arg('input', () => ResolveAlertsInput, { description: 'Which, and why.' }) input: ResolveAlertsInput,
    @Ctx() context: GraphqlContext,
  ): Promise<ResolveAlertsPayload> {
    return this.run(context, 'resolveAlerts', input, () => ({ step: 'resolve', reason: requireText(input.reason, 'reason') }));
  }

  @Mutation(() => DismissAlertsPayload, {
    description: 'Ignores alerts, and what they still find, until a date or for good; a higher severity than now brings them back.',
  })
  async dismissAlerts(
    @Arg('input', () => DismissAlertsInput, { description: 'Which, why and until when.' }) input: DismissAlertsInput,
    @Ctx() context: GraphqlContext,
  ): Promise<DismissAlertsPayload> {
    return this.run(context, 'dismissAlerts', input, () => {
      if (input.until && input.until <= context.clock.now())
        throw new SimwardenError('BAD_USER_INPUT', { what: `until ${input.until.toISOString()} is not in the future.` }, ['until']);
      return { step: 'dismiss', reason: requireText(input.reason, 'reason'), until: input.until ?? null };
    });
  }

  private run(
    context: GraphqlContext,
    name: string,
    input: AlertSelectionInput,
    action: () => OperatorAction,
  ): Promise<AlertActionPayload> {
    return withUserErrors<AlertActionPayload>(
      async () => ({ ...(await this.bulk.run(context, name, input, action())), userErrors: [] }),
      (userErrors) => ({ results: [], remaining: 0, userErrors }),
    );
  }
}

function requireText(text: string, field: string): string {
  const trimmed = text.trim();
  if (trimmed === '') throw new SimwardenError('BAD_USER_INPUT', { what: `${field} must not be empty.` }, [field]);
  return trimmed;
}
