/** clientAnomalies: what was decided per client, visited country and day. */
import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  Float,
  ID,
  InputType,
  Int,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage, readScope, RowFilter } from '../../access';
import { Client, clientLoader, loaderKey } from '../../fleet';
import { connectionOf, PageArgs, pageOf, type Connection } from '../../graphql/connection';
import type { GraphqlContext } from '../../graphql/context';
import { DateScalar, SafeTextScalar } from '../../graphql/scalars';
import { DetectorMode } from '../host/modes';
import { DetectorRegistry } from '../host/registry';
import { decodeScoreCursor, shownCountry, shownDetector } from './score-cursor';

export enum ClientAnomalyVerdict {
  ANOMALOUS = 'ANOMALOUS',
  NORMAL = 'NORMAL',
  ABSTAINED = 'ABSTAINED',
}
registerEnumType(ClientAnomalyVerdict, {
  name: 'ClientAnomalyVerdict',
  description: "What was decided of a client's devices in a country.",
  valuesConfig: {
    ANOMALOUS: { description: 'z above 2.576, and significant with a false discovery rate of 5 % over all pairs of the day.' },
    NORMAL: { description: 'No more devices flagged than may happen by chance.' },
    ABSTAINED: { description: 'Fewer than 10 devices: too few to say.' },
  },
});

interface ClientAnomalyRow {
  client_id: number;
  day: string;
  detector_id: string;
  country: string;
  scope: string;
  mode: keyof typeof DetectorMode;
  devices: number;
  flagged: number;
  expected: number;
  z_score: number;
  p_value: number;
  corrected_p_value: number;
  verdict: keyof typeof ClientAnomalyVerdict;
}

const COLUMNS =
  'client_id, day, detector_id, country, scope, mode, devices, flagged, expected, z_score, p_value, corrected_p_value, verdict';

@ObjectType({ description: "The decision on a client's devices in one visited country on one UTC day." })
export class ClientAnomaly {
  @Field(() => DateScalar, { description: 'The UTC day.' })
  day: string;
  @Field(() => String, { description: 'Visited country, ISO 3166-1 alpha-2; ZZ where it is unknown.' })
  country: string;
  @Field(() => ID, { description: "The detector's own id." })
  detector: string;
  @Field(() => String, { description: 'Which models scored the devices: GLOBAL, PER_CLUSTER or MAJOR_CLUSTER.' })
  modelScope: string;
  @Field(() => DetectorMode, { description: 'How the detector ran for the client: SHADOW raises no alert.' })
  mode: DetectorMode;
  @Field(() => Int, { description: 'Devices that were judged.' })
  devices: number;
  @Field(() => Int, { description: "Of these, devices that scored above their model's threshold." })
  flagged: number;
  @Field(() => Float, {
    description:
      'Flagged devices to be expected, from what the same clusters showed at all other clients on the day; where these hid it, at those that were not ANOMALOUS themselves.',
  })
  expected: number;
  @Field(() => Float, { description: '(flagged − expected) / √expected; above 2.576 is unusual, which alone decides nothing.' })
  zScore: number;
  @Field(() => Float, {
    description:
      "Probability of so many by chance, 0 to 1: the greater of two, against the other clients (the exact upper binomial tail) and against the client's own days before and devices in other countries (the clearer of both, doubled). The second is taken only where the first is at most 0.05 and something of its own is known.",
  })
  pValue: number;
  @Field(() => Float, {
    description:
      'The same after Benjamini and Hochberg; at most 0.05 is significant. Over all pairs of the day, or, where the clearest hid it, over those that were left without them.',
  })
  correctedPValue: number;
  @Field(() => ClientAnomalyVerdict, { description: 'What was decided.' })
  verdict: ClientAnomalyVerdict;
  clientId: number;

  static of(row: ClientAnomalyRow): ClientAnomaly {
    return Object.assign(new ClientAnomaly(), {
      clientId: row.client_id,
      day: row.day,
      country: row.country,
      detector: row.detector_id,
      modelScope: row.scope,
      mode: DetectorMode[row.mode],
      devices: row.devices,
      flagged: row.flagged,
      expected: row.expected,
      zScore: row.z_score,
      pValue: row.p_value,
      correctedPValue: row.corrected_p_value,
      verdict: ClientAnomalyVerdict[row.verdict],
    });
  }
}

@ObjectType({ description: 'A page of decisions.' })
export class ClientAnomalyConnection extends connectionOf(ClientAnomaly, 'ClientAnomaly') {}

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
}

@singleton()
@Resolver(() => ClientAnomaly)
export class ClientAnomalyResolver {
  constructor(private readonly registry: DetectorRegistry) {}

  @Query(() => ClientAnomalyConnection, {
    description: 'What was decided of each client and visited country on a day, the highest z first.',
  })
  async clientAnomalies(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('day', () => DateScalar, { description: 'The UTC day.' }) day: string,
    @Arg('filter', () => ClientAnomalyFilter, { nullable: true, description: 'Which decisions to show.' })
    filter?: ClientAnomalyFilter | null,
  ): Promise<Connection<ClientAnomaly>> {
    const scope = readScope(context.caller, filter?.client);
    if (scope === null) return emptyPage(page);
    const detector = shownDetector(this.registry, filter?.detector);
    const conditions = () => {
      const shown = new RowFilter().and('day = ?', day).and('detector_id = ?', detector);
      if (scope.clientId !== null) shown.and('client_id = ?', scope.clientId);
      if (filter?.country) shown.and('country = ?', shownCountry(filter.country));
      if (filter?.verdict) shown.and('verdict = ?', filter.verdict);
      return shown;
    };
    const shown = conditions();
    if (page.after) {
      const cursor = decodeScoreCursor(page.after, ['number', 'text']);
      shown.and('(z_score, client_id, country) < (?::float8, ?::int4, ?::text)', ...cursor);
    }
    const rows = await context.read((tx) =>
      tx.query<ClientAnomalyRow>(
        `SELECT ${COLUMNS} FROM client_anomaly ${shown.where} ORDER BY z_score DESC, client_id DESC, country DESC LIMIT ${page.first + 1}`,
        shown.parameters,
      ),
    );
    return pageOf(
      rows,
      page,
      (row) => [String(row.z_score), row.client_id, row.country],
      (row) => ClientAnomaly.of(row),
      async () => {
        const all = conditions();
        const [counted] = await context.read((tx) =>
          tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM client_anomaly ${all.where}`, all.parameters),
        );
        return counted!.count;
      },
    );
  }

  @FieldResolver(() => Client, { nullable: true, description: 'The client.' })
  client(@Root() anomaly: ClientAnomaly, @Ctx() context: GraphqlContext): Promise<Client | null> {
    return context.load(clientLoader, loaderKey(anomaly.clientId, String(anomaly.clientId)));
  }
}
