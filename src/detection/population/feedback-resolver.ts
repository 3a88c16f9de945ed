/** recordFeedback: what people say of anomalies; and how right a detector was by it. */
import { Arg, Ctx, Field, FieldResolver, Float, ID, InputType, Int, Mutation, ObjectType, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { maySee, recordAudit, requireClientId } from '../../access';
import type { Transaction } from '../../database/database';
import { SimwardenError } from '../../errors';
import { isOperator } from '../../graphql/caller';
import type { GraphqlContext } from '../../graphql/context';
import { parseGlobalId, requireGlobalId, type GlobalId } from '../../graphql/global-id';
import { DateScalar, SafeTextScalar } from '../../graphql/scalars';
import { UserError, userError, withUserErrors } from '../../graphql/user-error';
import { ShownDetector } from '../detector-type';
import { ClientAnomaly, clientAnomalyKey } from './client-anomaly-type';
import { findClientAnomaly } from './client-anomaly-resolver';
import { anomalyKey, DeviceAnomaly } from './device-anomaly-type';
import { findDeviceAnomaly } from './device-anomaly-resolver';
import { storeFeedback, type FeedbackWord } from './feedback-store';
import { FeedbackVerdict } from './feedback-type';

const MOST_ANOMALIES = 1_000;

@InputType({ description: 'What a person says of anomalies.' })
export class RecordFeedbackInput {
  @Field(() => [ID], { description: `The anomalies (ids of DeviceAnomaly or ClientAnomaly), 1 to ${MOST_ANOMALIES}, of one client.` })
  anomalies: string[];
  @Field(() => FeedbackVerdict, {
    description: 'What they are. A later word on the same anomaly takes the place of an earlier one, which then neither hides nor lifts.',
  })
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
  @Field(() => DeviceAnomaly, { nullable: true, description: 'The flagged device with its feedback; null where the id names none.' })
  anomaly: DeviceAnomaly | null;
  @Field(() => ClientAnomaly, { nullable: true, description: 'The decision with its feedback; null where the id names none.' })
  clientAnomaly: ClientAnomaly | null;
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

@ObjectType({
  description: 'How right a detector was, by what people said of its anomalies: flagged devices, and decisions on a client in a country.',
})
export class DetectorFeedback {
  @Field(() => Int, { description: 'Flagged devices and decisions called HARMFUL.' })
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
      'Says of anomalies what they are. HARMLESS hides the SIM, or the client in the country, from the lists of that day and those after it, and keeps it from raising alerts, until its date or until HARMFUL is said of one of them.',
  })
  async recordFeedback(
    @Arg('input', () => RecordFeedbackInput, { description: 'Which anomalies, and what they are.' }) input: RecordFeedbackInput,
    @Ctx() context: GraphqlContext,
  ): Promise<RecordFeedbackPayload> {
    return withUserErrors<RecordFeedbackPayload>(
      async () => {
        const ids = input.anomalies.map(namedAnomaly);
        if (ids.length < 1) throw new SimwardenError('BAD_USER_INPUT', { what: 'No anomaly was given; name at least one.' }, ['anomalies']);
        if (ids.length > MOST_ANOMALIES)
          throw new SimwardenError('TOO_MANY_ITEMS', { given: ids.length, most: MOST_ANOMALIES }, ['anomalies']);
        if (input.until && input.verdict !== FeedbackVerdict.HARMLESS)
          throw new SimwardenError('BAD_USER_INPUT', { what: 'until belongs to HARMLESS only.' }, ['until']);
        const latest = ids.map((id) => (id ? (subjectOf(id)?.day ?? '') : '')).reduce((one, other) => (one > other ? one : other));
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
        const byId = new Map(results.map((anomaly) => [anomaly.id, anomaly]));
        return { results: input.anomalies.map((id) => resultOf(id, byId.get(id) ?? null)), userErrors: [] };
      },
      (userErrors) => ({ results: [], userErrors }),
    );
  }

  private record(context: GraphqlContext, clientId: number, ids: readonly GlobalId[], input: RecordFeedbackInput): Promise<Anomaly[]> {
    return context.write('detection.recordFeedback', clientId, async (tx) => {
      const done: Anomaly[] = [];
      for (const id of ids) {
        if ((await findAnomaly(tx, id)) === null) continue;
        await store(tx, context, clientId, subjectOf(id)!, input);
        done.push((await findAnomaly(tx, id))!);
      }
      return done;
    });
  }
}

type Anomaly = DeviceAnomaly | ClientAnomaly;

/** Null for what can't exist; an id of something else is told so. */
function namedAnomaly(id: string): GlobalId | null {
  return requireGlobalId(id, parseGlobalId(id)?.type === 'ClientAnomaly' ? 'ClientAnomaly' : 'DeviceAnomaly', 'text');
}

function findAnomaly(tx: Transaction, { type, clientId, key }: GlobalId): Promise<Anomaly | null> {
  return type === 'ClientAnomaly' ? findClientAnomaly(tx, clientId, key) : findDeviceAnomaly(tx, clientId, key);
}

/** Whom an anomaly's key is about; null where it can't be one. */
function subjectOf({ type, key }: GlobalId): Pick<FeedbackWord, 'day' | 'detectorId' | 'subject' | 'subjectId'> | null {
  if (type === 'ClientAnomaly') {
    const decision = clientAnomalyKey(key);
    return decision && { day: decision.day, detectorId: decision.detectorId, subject: 'CLIENT', subjectId: decision.country };
  }
  const device = anomalyKey(key);
  return device && { day: device.day, detectorId: device.detectorId, subject: 'SIM', subjectId: device.simId };
}

function resultOf(id: string, anomaly: Anomaly | null): FeedbackResult {
  return {
    id,
    anomaly: anomaly instanceof DeviceAnomaly ? anomaly : null,
    clientAnomaly: anomaly instanceof ClientAnomaly ? anomaly : null,
    error: anomaly ? null : userError(new SimwardenError('NOT_FOUND', { what: 'anomaly' }), ['anomalies']),
  };
}

async function store(
  tx: Transaction,
  context: GraphqlContext,
  clientId: number,
  about: Pick<FeedbackWord, 'day' | 'detectorId' | 'subject' | 'subjectId'>,
  { verdict, reason = null, until = null }: RecordFeedbackInput,
): Promise<void> {
  const given = { givenAt: context.clock.now(), givenBy: context.caller.name };
  await storeFeedback(tx, context.entropy, { clientId, ...about, verdict, reason, until, ...given });
  const ofCountry = about.subject === 'CLIENT' ? { country: about.subjectId } : {};
  await recordAudit(tx, context, {
    clientId,
    action: 'recordFeedback',
    subject: about.subject === 'CLIENT' ? `Client:${clientId}` : `Sim:${about.subjectId}`,
    detail: { detector: about.detectorId, day: about.day, ...ofCountry, verdict, reason, until },
  });
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
