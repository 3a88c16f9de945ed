/** clientAnomalies: what was decided per client, visited country and day. */
import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage, mayUse, readScope, RowFilter } from '../../access';
import type { Transaction } from '../../database/database';
import { Client, clientLoader, loaderKey } from '../../fleet';
import { connectionOf, PageArgs, pageOf } from '../../graphql/connection';
import type { GraphqlContext } from '../../graphql/context';
import { registerNode } from '../../graphql/nodes';
import { DateScalar, DateTimeScalar, SafeTextScalar } from '../../graphql/scalars';
import { DetectorRegistry } from '../host/registry';
import { ClientAnomaly, clientAnomalyKey, ClientAnomalyVerdict, type ClientAnomalyRow } from './client-anomaly-type';
import { FEEDBACK_COLUMNS, hiddenBy, withFeedback } from './feedback-store';
import { JUDGED_AT, judgedAt, type Judged } from './judged-at';
import { decodeScoreCursor, shownCountry, shownDetector } from './score-cursor';

const COLUMNS = `anomaly.client_id, anomaly.day, anomaly.detector_id, anomaly.country, anomaly.scope, anomaly.mode, anomaly.devices, anomaly.flagged,
  anomaly.expected, anomaly.z_score, anomaly.p_value, anomaly.corrected_p_value, anomaly.verdict,
  ${FEEDBACK_COLUMNS}`;
const FROM = `client_anomaly anomaly ${withFeedback('CLIENT')}`;
/** What matters comes first: anomalous ones; last those with too few devices, whose z says nothing. The index client_anomaly_page has the same words. */
const verdictsByRank: readonly (keyof typeof ClientAnomalyVerdict)[] = ['ABSTAINED', 'NORMAL', 'ANOMALOUS'];
const VERDICT_RANK = `array_position(ARRAY[${verdictsByRank.map((verdict) => `'${verdict}'`).join(', ')}], anomaly.verdict)`;

@ObjectType({ description: 'A page of decisions.' })
export class ClientAnomalyConnection extends connectionOf(ClientAnomaly, 'ClientAnomaly') {
  judged: () => Promise<Date | null>;
  @Field(() => DateTimeScalar, { nullable: true, description: JUDGED_AT })
  judgedAt(): Promise<Date | null> {
    return this.judged();
  }
}

@InputType({ description: 'Which decisions to show; all conditions hold at once.' })
export class ClientAnomalyFilter {
  @Field(() => ID, { nullable: true, description: 'Only this client. Operators who leave it out see all.' })
  client?: string | null;
  @Field(() => ID, {
    nullable: true,
    description: 'Decisions of this detector, by its own id; default: the first of the population detectors.',
  })
  detector?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only this visited country, ISO 3166-1 alpha-2.' })
  country?: string | null;
  @Field(() => ClientAnomalyVerdict, { nullable: true, description: 'Only decisions of this sort.' })
  verdict?: ClientAnomalyVerdict | null;
  @Field(() => Boolean, {
    nullable: true,
    description:
      'true: the decisions that are hidden, since somebody said HARMLESS of the client and country (`suppressedBy` says who and why). Default false: the others.',
  })
  suppressed?: boolean | null;
}

@singleton()
@Resolver(() => ClientAnomaly)
export class ClientAnomalyResolver {
  constructor(private readonly registry: DetectorRegistry) {}

  @Query(() => ClientAnomalyConnection, {
    description:
      'What was decided of each client and visited country on a day: ANOMALOUS ones first, then NORMAL, then ABSTAINED; each the highest z first.',
  })
  async clientAnomalies(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('day', () => DateScalar, { description: 'The UTC day.' }) day: string,
    @Arg('filter', () => ClientAnomalyFilter, { nullable: true, description: 'Which decisions to show.' })
    filter?: ClientAnomalyFilter | null,
  ): Promise<Judged<ClientAnomaly>> {
    const scope = readScope(context.caller, filter?.client);
    if (scope === null) return { ...emptyPage<ClientAnomaly>(page), judged: () => Promise.resolve(null) };
    const detector = shownDetector(this.registry, filter?.detector);
    const conditions = () => {
      const shown = new RowFilter().and('anomaly.day = ?', day).and('anomaly.detector_id = ?', detector);
      if (scope.clientId !== null) shown.and('anomaly.client_id = ?', scope.clientId);
      if (filter?.country) shown.and('anomaly.country = ?', shownCountry(filter.country));
      if (filter?.verdict) shown.and('anomaly.verdict = ?', filter.verdict);
      return shown.and(`${filter?.suppressed ? '' : 'NOT '}EXISTS (${hiddenBy('CLIENT')})`);
    };
    const shown = conditions();
    if (page.after) {
      const cursor = decodeScoreCursor(page.after, ['number', 'score', 'number', 'text']);
      shown.and(
        `(${VERDICT_RANK}, anomaly.z_score, anomaly.client_id, anomaly.country) < (?::int4, ?::float8, ?::int4, ?::text)`,
        ...cursor,
      );
    }
    const rows = await context.read((tx) =>
      tx.query<ClientAnomalyRow>(
        `SELECT ${COLUMNS} FROM ${FROM} ${shown.where}
          ORDER BY ${VERDICT_RANK} DESC, anomaly.z_score DESC, anomaly.client_id DESC, anomaly.country DESC LIMIT ${page.first + 1}`,
        shown.parameters,
      ),
    );
    const found = pageOf(
      rows,
      page,
      (row) => [verdictsByRank.indexOf(row.verdict) + 1, String(row.z_score), row.client_id, row.country],
      (row) => ClientAnomaly.of(row),
      async () => {
        const all = conditions();
        const [counted] = await context.read((tx) =>
          tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM client_anomaly anomaly ${all.where}`, all.parameters),
        );
        return counted!.count;
      },
    );
    return { ...found, judged: () => judgedAt(context, { clientId: scope.clientId, day, detectorId: detector }) };
  }

  @FieldResolver(() => Client, { nullable: true, description: 'The client.' })
  client(@Root() anomaly: ClientAnomaly, @Ctx() context: GraphqlContext): Promise<Client | null> {
    return context.load(clientLoader, loaderKey(anomaly.clientId, String(anomaly.clientId)));
  }
}

export async function findClientAnomaly(tx: Transaction, clientId: number, key: string): Promise<ClientAnomaly | null> {
  const parsed = clientAnomalyKey(key);
  if (parsed === null) return null;
  const [row] = await tx.query<ClientAnomalyRow>(
    `SELECT ${COLUMNS} FROM ${FROM}
      WHERE anomaly.client_id = $1 AND anomaly.day = $2 AND anomaly.detector_id = $3 AND anomaly.country = $4`,
    [clientId, parsed.day, parsed.detectorId, parsed.country],
  );
  return row ? ClientAnomaly.of(row) : null;
}

registerNode('ClientAnomaly', 'text', async (context, clientId, key) =>
  mayUse('Query.clientAnomalies', context.caller.role) ? context.read((tx) => findClientAnomaly(tx, clientId, key)) : null,
);
