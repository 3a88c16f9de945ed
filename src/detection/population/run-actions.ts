/** runDetection and backtestDetector: how people ask for population runs. */
import { Arg, Ctx, Field, Float, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import { Max, Min } from 'class-validator';
import { singleton } from 'tsyringe';
import { recordAudit } from '../../access';
import type { Transaction } from '../../database/database';
import type { Detector } from '../../detector';
import { SimwardenError } from '../../errors';
import { isOperator } from '../../graphql/caller';
import type { GraphqlContext } from '../../graphql/context';
import { DateScalar, JsonScalar } from '../../graphql/scalars';
import { UserError, withUserErrors } from '../../graphql/user-error';
import { orderBacktest } from '../backtest/backtest-actions';
import { Backtest } from '../backtest/backtest-type';
import { dayOf, daysBetween, type Day } from '../days';
import { DetectorScopeInput } from '../detector-scope';
import { readConfiguration } from '../host/configuration';
import { effectiveOptions } from '../host/host-options';
import { DetectorRegistry } from '../host/registry';
import { clientsWithDialogues, countRows } from './day-clients';
import { PopulationRunView } from './population-run-type';
import { insertRun, openRunOf, OPERATOR, type NewRun } from './run-record';

const DEFAULT_SEED = 1;
const MOST_BACKTEST_DAYS = 62;
const SEED = 'Seed of what is drawn, 0 to 4294967295; the same data and seed give the same result.';

@InputType({ description: 'A day whose population is to be judged.' })
export class RunDetectionInput {
  @Field(() => DateScalar, { description: 'The UTC day. What an earlier run said of it is replaced.' })
  day: string;
  @Field(() => Float, { defaultValue: DEFAULT_SEED, description: SEED })
  @Min(0)
  @Max(4_294_967_295)
  seed: number;
}

@InputType({ description: 'A detector to be tried on past days.' })
export class BacktestDetectorInput {
  @Field(() => ID, { description: "The detector's own id: `isolation-forest`. It may be in shadow, or disabled." })
  detector: string;
  @Field(() => DetectorScopeInput, {
    nullable: true,
    description:
      "Whose SIMs it is tried on; default: the caller's client. Operators name one, unless the detector judges the whole population, which has no scope.",
  })
  scope?: DetectorScopeInput | null;
  @Field(() => DateScalar, { description: 'The first UTC day.' })
  from: string;
  @Field(() => DateScalar, { description: `The last UTC day; at most ${MOST_BACKTEST_DAYS} days in all.` })
  to: string;
  @Field(() => JsonScalar, {
    nullable: true,
    description:
      "Options as the detector's `optionsSchema` says; those left out get their defaults. Without any: each SIM is judged as it is configured, whatever its mode.",
  })
  options?: unknown;
  @Field(() => Float, { defaultValue: DEFAULT_SEED, description: `Of a detector of the population. ${SEED}` })
  @Min(0)
  @Max(4_294_967_295)
  seed: number;
}

@InputType({ description: 'Days to fit the population models on.' })
export class FitModelsInput {
  @Field(() => DateScalar, { description: 'The first UTC day.' })
  from: string;
  @Field(() => DateScalar, { description: `The last UTC day; at most ${MOST_BACKTEST_DAYS} days in all.` })
  to: string;
  @Field(() => Float, { defaultValue: DEFAULT_SEED, description: SEED })
  @Min(0)
  @Max(4_294_967_295)
  seed: number;
}

@ObjectType()
abstract class PopulationRunPayload {
  @Field(() => PopulationRunView, {
    nullable: true,
    description: 'The run; one for the same that is still open is answered rather than begun again. null where there are user errors.',
  })
  run: PopulationRunView | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where it was done.' })
  userErrors: UserError[];
}

@ObjectType({ description: 'The run that was asked for.' })
export class RunDetectionPayload extends PopulationRunPayload {}
@ObjectType({ description: 'The back-test that was asked for.' })
export class BacktestDetectorPayload extends PopulationRunPayload {
  @Field(() => Backtest, {
    nullable: true,
    description:
      'Of a detector that judges one client at a time, instead of a run; one for the same that is still open is answered rather than begun again.',
  })
  backtest: Backtest | null;
}

@ObjectType({ description: 'The fit that was asked for.' })
export class FitModelsPayload extends PopulationRunPayload {}

type Order = Omit<NewRun, 'scheduledFor' | 'requestedBy'>;

@singleton()
@Resolver()
export class RunActions {
  constructor(private readonly registry: DetectorRegistry) {}

  @Mutation(() => RunDetectionPayload, {
    description: 'Judges the population of a day now, without waiting for its schedule. Follow it with `detectionRunProgress`.',
  })
  async runDetection(
    @Arg('input', () => RunDetectionInput, { description: 'Which day.' }) { day, seed }: RunDetectionInput,
    @Ctx() context: GraphqlContext,
  ): Promise<RunDetectionPayload> {
    return this.ask(context, 'runDetection', () => ({
      job: `on demand ${day} ${seed}`,
      fromDay: day,
      toDay: day,
      trigger: 'ON_DEMAND',
      seed: wholeSeed(seed),
    }));
  }

  @Mutation(() => BacktestDetectorPayload, {
    description:
      'Tries a detector on past closed days before it is enabled: says what it would have raised, raises nothing, and changes no decision. Follow it with `backtestProgress`, or, of a detector of the population, `detectionRunProgress`. Limits, lists and the state of SIMs are those of today.',
  })
  async backtestDetector(
    @Arg('input', () => BacktestDetectorInput, { description: 'Which detector, and which days.' }) input: BacktestDetectorInput,
    @Ctx() context: GraphqlContext,
  ): Promise<BacktestDetectorPayload> {
    const detector = this.registry.find(input.detector);
    if (detector && detector.meta.scope !== 'population') return this.backtestOfClient(context, detector, input);
    const asked = await this.ask(context, 'backtestDetector', async () => {
      const detector = this.registry.get(input.detector);
      if (!isOperator(context.caller)) {
        const field = `backtestDetector of ${input.detector}, which judges the whole population`;
        throw new SimwardenError('FORBIDDEN', { role: context.caller.role, field, allowed: 'OPERATOR' });
      }
      if (input.scope)
        throw new SimwardenError('BAD_USER_INPUT', { what: `${input.detector} judges the whole population; leave the scope out.` }, [
          'scope',
        ]);
      requireDays(input.from, input.to);
      const preset = this.registry.populationOptions(detector.meta.id);
      // as the daily run has it, disabled or not; what is no object is refused as it was given
      const given = input.options ?? (await this.configuredOptions(context, detector));
      const asked = typeof given === 'object' && !Array.isArray(given) ? { ...preset, ...given } : given;
      const answer = effectiveOptions(detector, asked);
      if ('errors' in answer)
        throw new SimwardenError('OPTIONS_INVALID', { detector: input.detector, what: answer.errors.join('; ') }, ['options']);
      const { modelScope: scope, detector: options } = answer.options;
      return {
        job: `back-test ${input.detector} ${input.from} ${input.to} ${input.seed} ${scope} ${JSON.stringify(options)}`.slice(0, 2000),
        fromDay: input.from,
        toDay: input.to,
        trigger: 'BACKTEST',
        seed: wholeSeed(input.seed),
        plan: [{ id: detector.meta.id, version: detector.meta.version, scope, options }],
      };
    });
    return { ...asked, backtest: null };
  }

  private async configuredOptions(context: GraphqlContext, { meta }: Detector): Promise<Readonly<Record<string, unknown>>> {
    const configuration = await context.read((tx) => readConfiguration(tx, OPERATOR, []));
    return configuration.clientRow(meta.id)?.options ?? {};
  }

  private backtestOfClient(context: GraphqlContext, detector: Detector, input: BacktestDetectorInput): Promise<BacktestDetectorPayload> {
    const { scope, from, to, options } = input;
    return withUserErrors<BacktestDetectorPayload>(
      async () => {
        requireDays(from, to);
        return { run: null, backtest: await orderBacktest(context, detector, { scope: scope ?? {}, from, to, options }), userErrors: [] };
      },
      (userErrors) => ({ run: null, backtest: null, userErrors }),
    );
  }

  @Mutation(() => FitModelsPayload, {
    description:
      'Fits clusters and models on these days, whatever the refit schedule says; runs that begin afterwards use the models that were trained through the latest day, of equal ones those fitted last. Clusters that are much the same keep their numbers.',
  })
  async fitModels(
    @Arg('input', () => FitModelsInput, { description: 'Which days.' }) { from, to, seed }: FitModelsInput,
    @Ctx() context: GraphqlContext,
  ): Promise<FitModelsPayload> {
    return this.ask(context, 'fitModels', () => {
      requireDays(from, to);
      return { job: `fit ${from} ${to} ${seed}`, fromDay: from, toDay: to, trigger: 'FIT', seed: wholeSeed(seed) };
    });
  }

  private ask<Payload extends PopulationRunPayload>(
    context: GraphqlContext,
    action: string,
    order: () => Order | Promise<Order>,
  ): Promise<Payload> {
    return withUserErrors<PopulationRunPayload>(
      async () => {
        const run = await order();
        const scheduledFor = context.clock.now();
        // across clients, so not in the transaction that acts for one
        const nothing = await context.read((tx) => nothingToJudge(tx, run, scheduledFor));
        const row = await context.write(`detection.${action}`, OPERATOR, async (tx) => {
          const open = await openRunOf(tx, run.job);
          if (open) return open;
          if (nothing) throw nothing;
          const added = await insertRun(tx, context.entropy, { ...run, scheduledFor, requestedBy: context.caller.name }, scheduledFor);
          const detail = { from: run.fromDay, to: run.toDay, seed: run.seed, ...(run.plan ? { plan: run.plan } : {}) };
          await recordAudit(tx, context, { clientId: OPERATOR, action, subject: `PopulationRun:${added.run_id}`, detail });
          return added;
        });
        return { run: PopulationRunView.of(row), userErrors: [] };
      },
      (userErrors) => ({ run: null, userErrors }),
    ) as Promise<Payload>;
  }
}

/** Null where there are features; else says which of four it is: days to come, no dialogues, days that are not over, or features still to be computed. */
async function nothingToJudge(
  tx: Transaction,
  { fromDay, toDay }: Pick<NewRun, 'fromDay' | 'toDay'>,
  now: Date,
): Promise<SimwardenError | null> {
  if ((await countRows(tx, fromDay, toDay)) > 0) return null;
  const days = fromDay === toDay ? fromDay : `${fromDay} to ${toDay}`;
  const path = [fromDay === toDay ? 'day' : 'from'];
  if (fromDay > dayOf(now)) return new SimwardenError('NOTHING_TO_JUDGE', { days, why: 'that is still to come. Name a past day' }, path);
  const { all, due } = await clientsWithDialogues(tx, fromDay, toDay, now);
  const why =
    all === 0
      ? 'no dialogues were stored. Send them to /ingest/dialogues, or name other days'
      : due > 0
        ? `those of ${clients(due)} are computed from a minute after their last dialogues came on. Ask again in two minutes`
        : `dialogues of ${clients(all)} wait for their day to close, six hours after its end or at 12:00 UTC. Ask again then`;
  return new SimwardenError('NOTHING_TO_JUDGE', { days, why }, path);
}

function clients(count: number): string {
  return `${count} client${count === 1 ? '' : 's'}`;
}

function requireDays(from: Day, to: Day): void {
  const days = daysBetween(from, to) + 1;
  if (days < 1) throw new SimwardenError('BAD_USER_INPUT', { what: `to ${to} is before from ${from}; exchange them.` }, ['to']);
  if (days <= MOST_BACKTEST_DAYS) return;
  throw new SimwardenError('BAD_USER_INPUT', { what: `from ${from} to ${to} are ${days} days; name 1 to ${MOST_BACKTEST_DAYS}.` }, ['to']);
}

function wholeSeed(seed: number): number {
  if (!Number.isInteger(seed)) throw new SimwardenError('BAD_USER_INPUT', { what: `seed ${seed} is not a whole number.` }, ['seed']);
  return seed;
}
