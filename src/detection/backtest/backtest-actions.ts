/** What becomes of a request to back-test a detector of one client, and of one to cancel it. */
import { isDeepStrictEqual } from 'node:util';
import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { maySee, recordAudit } from '../../access';
import type { Transaction } from '../../database/database';
import type { Detector } from '../../detector';
import { SimwardenError } from '../../errors';
import type { GraphqlContext } from '../../graphql/context';
import { requireGlobalId } from '../../graphql/global-id';
import { UserError, withUserErrors } from '../../graphql/user-error';
import { daysBetween, type Day } from '../days';
import { requireTarget, targetOf, type DetectorScopeInput } from '../detector-scope';
import { OPERATOR } from '../host/configuration';
import { effectiveOptions } from '../host/host-options';
import { Backtest } from './backtest-type';
import { countDays, firstAndLastDay } from './days';
import { changeBacktest, findBacktest, insertBacktest, openBacktestsOf, type BacktestRow, type NewBacktest } from './record';

/** Open ones of a client: they are done one after another. */
const MOST_OPEN = 5;

export interface BacktestOrder {
  readonly scope: DetectorScopeInput;
  readonly from: Day;
  readonly to: Day;
  /** Absent: each SIM as it is configured. */
  readonly options?: unknown;
}

/** Stores the order; one for the same that is still open is answered instead. The days are known to be in order and not too many. */
export async function orderBacktest(context: GraphqlContext, detector: Detector, order: BacktestOrder): Promise<Backtest> {
  const { meta } = detector;
  const target = targetOf(context.caller, order.scope);
  const { clientId, scope, scopeId } = target;
  if (clientId === OPERATOR) throw new SimwardenError('CLIENT_REQUIRED', {}, ['scope', 'client']);
  if (meta.input === 'services' && scopeId !== '')
    throw new SimwardenError('BAD_USER_INPUT', { what: `${meta.id} judges a client as a whole; give client in the scope.` }, ['scope']);
  const options = checkedOptions(detector, order.options);
  const row = await context.write('detection.backtestDetector', clientId, async (tx) => {
    await requireTarget(tx, target);
    const asked = {
      client_id: clientId,
      detector_id: meta.id,
      detector_version: meta.version,
      scope,
      scope_id: scopeId,
      from_day: order.from,
      to_day: order.to,
      options,
    };
    const open = await openBacktestsOf(tx, clientId);
    const same = open.find((each) => isSame(each, asked));
    if (same) return same;
    if (open.length >= MOST_OPEN) throw new SimwardenError('TOO_MANY_BACKTESTS', { given: open.length, most: MOST_OPEN });
    const days = await judgeableDays(tx, detector, clientId, order);
    const added = await insertBacktest(tx, context.entropy, { ...asked, ...days, requestedBy: context.caller.name }, context.clock.now());
    const detail = { detector: meta.id, scope, scopeId, from: order.from, to: order.to, ...(options ? { options } : {}) };
    await recordAudit(tx, context, { clientId, action: 'backtestDetector', subject: `Backtest:${added.backtest_id}`, detail });
    return added;
  });
  return Backtest.of(row);
}

function checkedOptions(detector: Detector, given: unknown): Record<string, unknown> | null {
  if (given === undefined || given === null) return null;
  const answer = effectiveOptions(detector, given);
  if ('errors' in answer)
    throw new SimwardenError('OPTIONS_INVALID', { detector: detector.meta.id, what: answer.errors.join('; ') }, ['options']);
  return given as Record<string, unknown>;
}

type Asked = Omit<NewBacktest, 'days_total' | 'warnings' | 'requestedBy'>;

function isSame(one: BacktestRow, other: Asked): boolean {
  const named = (of: Asked) => [of.detector_id, of.detector_version, of.scope, of.scope_id, of.from_day, of.to_day, of.options];
  return isDeepStrictEqual(named(one), named(other));
}

async function judgeableDays(
  tx: Transaction,
  { meta }: Detector,
  clientId: number,
  { from, to }: BacktestOrder,
): Promise<Pick<NewBacktest, 'days_total' | 'warnings'>> {
  const total = await countDays(tx, clientId, meta.input, from, to);
  const asked = daysBetween(from, to) + 1;
  if (total === asked) return { days_total: total, warnings: [] };
  const known = await firstAndLastDay(tx, clientId, meta.input);
  const what = meta.input === 'usage' || meta.input === 'events' ? 'closed' : `closed with ${meta.input}`;
  const there = known === null ? `none is ${what} yet` : `${known[0]} to ${known[1]} are ${what}`;
  if (total === 0) throw new SimwardenError('NO_CLOSED_DAYS', { from, to, why: there }, ['from']);
  return {
    days_total: total,
    warnings: [`${asked - total} of the ${asked} days left out, not being ${what}; of this client, ${there}.`],
  };
}

@InputType({ description: 'A back-test to be cancelled.' })
export class CancelBacktestInput {
  @Field(() => ID, { description: 'Id of the back-test.' })
  backtest: string;
}

@ObjectType({ description: 'The back-test as it is now.' })
export class CancelBacktestPayload {
  @Field(() => Backtest, { nullable: true, description: 'The back-test; null where there are user errors.' })
  backtest: Backtest | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where it was done.' })
  userErrors: UserError[];
}

@singleton()
@Resolver()
export class BacktestActions {
  @Mutation(() => CancelBacktestPayload, {
    description: 'Ends a back-test that waits or runs, before its next page of SIMs. What it found until then stands.',
  })
  async cancelBacktest(
    @Arg('input', () => CancelBacktestInput, { description: 'Which back-test.' }) input: CancelBacktestInput,
    @Ctx() context: GraphqlContext,
  ): Promise<CancelBacktestPayload> {
    return withUserErrors<CancelBacktestPayload>(
      async () => {
        const id = requireGlobalId(input.backtest, 'Backtest');
        if (!maySee(context.caller, id)) throw notFound();
        const row = await context.write('detection.cancelBacktest', id.clientId, (tx) => cancel(tx, context, id.clientId, id.key));
        return { backtest: Backtest.of(row), userErrors: [] };
      },
      (userErrors) => ({ backtest: null, userErrors }),
    );
  }
}

async function cancel(tx: Transaction, context: GraphqlContext, clientId: number, backtestId: string): Promise<BacktestRow> {
  const before = await findBacktest(tx, clientId, backtestId);
  if (before === null) throw notFound();
  const now = context.clock.now();
  const row = await changeBacktest(tx, context.entropy, before, { state: 'CANCELLED', finishedAt: now }, now);
  if (row === null)
    throw new SimwardenError(
      'ILLEGAL_TRANSITION',
      { what: 'back-test', from: before.state, action: 'cancelled', allowed: 'nothing, it is over' },
      ['backtest'],
    );
  await recordAudit(tx, context, { clientId, action: 'cancelBacktest', subject: `Backtest:${backtestId}`, detail: {} });
  return row;
}

function notFound(): SimwardenError {
  return new SimwardenError('NOT_FOUND', { what: 'back-test' }, ['backtest']);
}
