/** recordFeedback: what people say of anomalies; and how right a detector was by it. */
import { Arg, Ctx, Field, FieldResolver, Float, ID, InputType, Int, Mutation, ObjectType, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { maySee, recordAudit, requireClientId } from '../../access';
import type { Transaction } from '../../database/database';
import { SimwardenError } from '../../errors';
import { isOperator } from '../../graphql/caller';
import type { GraphqlContext } from '../../graphql/context';
import { requireGlobalId, type GlobalId } from '../../graphql/global-id';
import { DateScalar, SafeTextScalar } from '../../graphql/scalars';
import { UserError, userError, withUserErrors } from '../../graphql/user-error';
import { ShownDetector } from '../detector-type';
import { anomalyKey, DeviceAnomaly, FeedbackVerdict } from './device-anomaly-type';
import { findDeviceAnomaly } from './device-anomaly-resolver';

const MOST_ANOMALIES = 1_000;

@InputType({ description: 'What a person says of anomalies.' })
export class RecordFeedbackInput {
  @Field(() => [ID], { description: `The anomalies (ids of DeviceAnomaly), 1 to ${MOST_ANOMALIES}, of one client.` })
  anomalies: string[];
  @Field(() => FeedbackVerdict, { description: 'What they are. A later word of the same day replaces an earlier one.' })
  verdict: FeedbackVerdict;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Why.' })
  reason?: string | null;
  @Field(() => DateScalar, { nullable: true, description: 'Of HARMLESS: the last UTC day that it hides; default: for good.' })
  until?: string | null;
}

@ObjectType({ description: 'What became of the word on one anomaly.' })
export class FeedbackResult {
  @Field(() => ID, { description: 'The id that was given.' })
  id: string;
  @Field(() => DeviceAnomaly, { nullable: true, description: 'The anomaly with its feedback; null where there is none.' })
  anomaly: DeviceAnomaly | null;
  @Field(() => UserError, { nullable: true, description: 'Why nothing was recorded; null where it was.' })
  error: UserError | null;
}

@ObjectType({ description: 'What became of the feedback.' })
export class RecordFeedbackPayload {
  @Field(() => [FeedbackResult], { description: 'One result per anomaly, in the order of the ids.' })
  results: FeedbackResult[];
  @Field(() => [UserError], { description: 'What the caller can mend in the request as a whole.' })
  userErrors: UserError[];
}

@ObjectType({ description: 'How right a detector was, by what people said of its anomalies.' })
export class DetectorFeedback {
  @Field(() => Int, { description: 'Anomalies called HARMFUL.' })
  harmful: number;
  @Field(() => Int, { description: 'Anomalies called HARMLESS.' })
  harmless: number;
  @Field(() => Int, { description: 'Anomalies called EXPECTED.' })
  expected: number;
  @Field(() => Int, { description: 'Anomalies called DUPLICATE.' })
  duplicate: number;
  @Field(() => Int, { description: 'Anomalies called UNSURE.' })
  unsure: number;
  @Field(() => Float, {
    nullable: true,
    description: 'Share of true finds, 0 to 1: HARMFUL and DUPLICATE among these, HARMLESS and EXPECTED; null without any.',
  })
  precision: number | null;
}

@singleton()
@Resolver()
export class FeedbackActions {
  @Mutation(() => RecordFeedbackPayload, {
    description:
      'Says of anomalies what they are. HARMLESS hides the SIM from the lists of that day and those after it, and keeps it from raising alerts.',
  })
  async recordFeedback(
    @Arg('input', () => RecordFeedbackInput, { description: 'Which anomalies, and what they are.' }) input: RecordFeedbackInput,
    @Ctx() context: GraphqlContext,
  ): Promise<RecordFeedbackPayload> {
    return withUserErrors<RecordFeedbackPayload>(
      async () => {
        const ids = input.anomalies.map((id) => requireGlobalId(id, 'DeviceAnomaly', 'text'));
        if (ids.length < 1) throw new SimwardenError('BAD_USER_INPUT', { what: 'No anomaly was given; name at least one.' }, ['anomalies']);
        if (ids.length > MOST_ANOMALIES)
          throw new SimwardenError('TOO_MANY_ITEMS', { given: ids.length, most: MOST_ANOMALIES }, ['anomalies']);
        if (input.until && input.verdict !== FeedbackVerdict.HARMLESS)
          throw new SimwardenError('BAD_USER_INPUT', { what: 'until belongs to HARMLESS only.' }, ['until']);
        const latest = ids.map((id) => (id ? (anomalyKey(id.key)?.day ?? '') : '')).reduce((one, other) => (one > other ? one : other));
        if (input.until && input.until < latest)
          throw new SimwardenError(
            'BAD_USER_INPUT',
            { what: `until ${input.until} is before ${latest}, the day of an anomaly; name that day or a later one.` },
            ['until'],
          );
        const seen = ids.filter((id): id is GlobalId => maySee(context.caller, id));
        const clients = [...new Set(seen.map(({ clientId }) => clientId))];
        if (clients.length > 1)
          throw new SimwardenError('BAD_USER_INPUT', { what: 'The anomalies belong to several clients; call once for each.' }, [
            'anomalies',
          ]);
        const results = clients.length === 0 ? [] : await this.record(context, clients[0]!, seen, input);
        const byKey = new Map(results.map((anomaly) => [anomaly.id, anomaly]));
        return { results: input.anomalies.map((id) => resultOf(id, byKey.get(id) ?? null)), userErrors: [] };
      },
      (userErrors) => ({ results: [], userErrors }),
    );
  }

  private record(
    context: GraphqlContext,
    clientId: number,
    ids: readonly GlobalId[],
    input: RecordFeedbackInput,
  ): Promise<DeviceAnomaly[]> {
    return context.write('detection.recordFeedback', clientId, async (tx) => {
      const done: DeviceAnomaly[] = [];
      for (const { key } of ids) {
        const anomaly = await findDeviceAnomaly(tx, clientId, key);
        if (anomaly === null) continue;
        await store(tx, context, clientId, key, input);
        done.push((await findDeviceAnomaly(tx, clientId, key))!);
      }
      return done;
    });
  }
}

function resultOf(id: string, anomaly: DeviceAnomaly | null): FeedbackResult {
  return { id, anomaly, error: anomaly ? null : userError(new SimwardenError('NOT_FOUND', { what: 'anomaly' }), ['anomalies']) };
}

async function store(tx: Transaction, context: GraphqlContext, clientId: number, key: string, input: RecordFeedbackInput): Promise<void> {
  const { day, detectorId, simId } = anomalyKey(key)!;
  await tx.query(
    `INSERT INTO anomaly_feedback (client_id, feedback_id, day, detector_id, subject, subject_id, verdict, reason, until, given_at, given_by)
     VALUES ($1, $2, $3, $4, 'SIM', $5, $6, $7, $8, $9, $10)
     ON CONFLICT (client_id, detector_id, subject, subject_id, day) DO UPDATE SET verdict = EXCLUDED.verdict, reason = EXCLUDED.reason,
       until = EXCLUDED.until, given_at = EXCLUDED.given_at, given_by = EXCLUDED.given_by`,
    [
      clientId,
      context.entropy.uuid(),
      day,
      detectorId,
      simId,
      input.verdict,
      input.reason ?? null,
      input.until ?? null,
      context.clock.now(),
      context.caller.name,
    ],
  );
  const detail = { detector: detectorId, day, verdict: input.verdict, reason: input.reason ?? null, until: input.until ?? null };
  await recordAudit(tx, context, { clientId, action: 'recordFeedback', subject: `Sim:${simId}`, detail });
}

@singleton()
@Resolver(() => ShownDetector)
export class DetectorFeedbackResolver {
  @FieldResolver(() => DetectorFeedback, {
    nullable: true,
    description: 'How right it was, by feedback; null for a client that is not yours to see.',
  })
  async feedback(
    @Root() detector: ShownDetector,
    @Ctx() context: GraphqlContext,
    @Arg('client', () => ID, {
      nullable: true,
      description: "By this client's people; customers may leave it out. Operators who do get all.",
    })
    client?: string | null,
  ): Promise<DetectorFeedback | null> {
    const named = client === null || client === undefined ? undefined : requireClientId(client);
    if (named !== undefined && !maySee(context.caller, named)) return null;
    const clientId = named?.clientId ?? (isOperator(context.caller) ? null : context.caller.clientId);
    const rows = await context.read((tx) =>
      tx.query<{ verdict: FeedbackVerdict; count: number }>(
        `SELECT verdict, count(*)::int4 AS count FROM anomaly_feedback WHERE ${clientId === null ? '' : 'client_id = $2 AND '}detector_id = $1 GROUP BY verdict`,
        clientId === null ? [detector.id] : [detector.id, clientId],
      ),
    );
    const count = (verdict: FeedbackVerdict) => rows.find((row) => row.verdict === verdict)?.count ?? 0;
    const [harmful, harmless] = [count(FeedbackVerdict.HARMFUL), count(FeedbackVerdict.HARMLESS)];
    const [expected, duplicate] = [count(FeedbackVerdict.EXPECTED), count(FeedbackVerdict.DUPLICATE)];
    const told = harmful + duplicate + harmless + expected;
    const precision = told === 0 ? null : (harmful + duplicate) / told;
    return { harmful, harmless, expected, duplicate, unsure: count(FeedbackVerdict.UNSURE), precision };
  }
}
