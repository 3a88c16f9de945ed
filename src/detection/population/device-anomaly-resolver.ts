/** anomalies: the flagged devices of a day, ranked, without those that somebody said are harmless. */
import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Int, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage, mayUse, readScope, RowFilter } from '../../access';
import type { Transaction } from '../../database/database';
import { loaderKey, Sim, simLoader } from '../../fleet';
import { connectionOf, PageArgs, pageOf } from '../../graphql/connection';
import { defineLoader, type GraphqlContext } from '../../graphql/context';
import { registerNode } from '../../graphql/nodes';
import { DateScalar, DateTimeScalar, SafeTextScalar } from '../../graphql/scalars';
import { DetectorRegistry } from '../host/registry';
import { AnomalyHistoryEntry, anomalyKey, DeviceAnomaly, type DeviceAnomalyRow } from './device-anomaly-type';
import { FEEDBACK_COLUMNS, hiddenBy, withFeedback } from './feedback-store';
import { JUDGED_AT, judgedAt, type Judged } from './judged-at';
import { decodeScoreCursor, shownCountry, shownDetector } from './score-cursor';

const HISTORY_DAYS = 30;
const COLUMNS = `anomaly.client_id, anomaly.day, anomaly.detector_id, anomaly.sim_id, anomaly.country, anomaly.cluster, anomaly.score, anomaly.raw_score,
  anomaly.evidence, ${FEEDBACK_COLUMNS}`;
const FROM = `device_anomaly anomaly ${withFeedback('SIM')}`;

@ObjectType({ description: 'A page of flagged devices.' })
export class DeviceAnomalyConnection extends connectionOf(DeviceAnomaly, 'DeviceAnomaly') {
  judged: () => Promise<Date | null>;
  @Field(() => DateTimeScalar, { nullable: true, description: JUDGED_AT })
  judgedAt(): Promise<Date | null> {
    return this.judged();
  }
}

@InputType({ description: 'Which devices to show; all conditions hold at once.' })
export class AnomalyFilter {
  @Field(() => ID, { nullable: true, description: "Only this client's. Operators who leave it out see all." })
  client?: string | null;
  @Field(() => ID, {
    nullable: true,
    description: 'Flagged by this detector, by its own id; default: the first of the population detectors.',
  })
  detector?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only in this visited country, ISO 3166-1 alpha-2.' })
  country?: string | null;
  @Field(() => Int, { nullable: true, description: 'Only of the cluster of this number.' })
  cluster?: number | null;
  @Field(() => Boolean, {
    nullable: true,
    description:
      'true: the devices that are hidden, since somebody said HARMLESS of them (`suppressedBy` says who and why). Default false: the others.',
  })
  suppressed?: boolean | null;
}

/** The last days on which a SIM was flagged. */
const historyLoader = defineLoader<string, AnomalyHistoryEntry[]>('anomalyHistory', (keys, context) =>
  context.read(async (tx) => {
    const histories: AnomalyHistoryEntry[][] = [];
    for (const key of keys) {
      const [clientId, simId, detectorId, day] = JSON.parse(key) as [number, string, string, string];
      histories.push(
        await tx.query<AnomalyHistoryEntry>(
          `SELECT day, score FROM device_anomaly WHERE client_id = $1 AND sim_id = $2 AND detector_id = $3 AND day <= $4
            ORDER BY day DESC LIMIT ${HISTORY_DAYS}`,
          [clientId, simId, detectorId, day],
        ),
      );
    }
    return histories;
  }),
);

@singleton()
@Resolver(() => DeviceAnomaly)
export class DeviceAnomalyResolver {
  constructor(private readonly registry: DetectorRegistry) {}

  @Query(() => DeviceAnomalyConnection, {
    description: 'The devices of a day that signal most unusually, the highest score first; the top 20 unless asked otherwise.',
  })
  async anomalies(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('day', () => DateScalar, { description: 'The UTC day.' }) day: string,
    @Arg('filter', () => AnomalyFilter, { nullable: true, description: 'Which devices to show.' }) filter?: AnomalyFilter | null,
  ): Promise<Judged<DeviceAnomaly>> {
    const scope = readScope(context.caller, filter?.client);
    if (scope === null) return { ...emptyPage<DeviceAnomaly>(page), judged: () => Promise.resolve(null) };
    const detectorId = shownDetector(this.registry, filter?.detector);
    const conditions = () => {
      const shown = new RowFilter().and('anomaly.day = ?', day).and('anomaly.detector_id = ?', detectorId);
      if (scope.clientId !== null) shown.and('anomaly.client_id = ?', scope.clientId);
      if (filter?.country) shown.and('anomaly.country = ?', shownCountry(filter.country));
      if (filter?.cluster !== undefined && filter.cluster !== null) shown.and('anomaly.cluster = ?', filter.cluster);
      return shown.and(`${filter?.suppressed ? '' : 'NOT '}EXISTS (${hiddenBy('SIM')})`);
    };
    const shown = conditions();
    if (page.after)
      shown.and('(anomaly.score, anomaly.sim_id) < (?::float8, ?::int8)', ...decodeScoreCursor(page.after, ['score', 'int8']));
    const rows = await context.read((tx) =>
      tx.query<DeviceAnomalyRow>(
        `SELECT ${COLUMNS} FROM ${FROM} ${shown.where} ORDER BY anomaly.score DESC, anomaly.sim_id DESC LIMIT ${page.first + 1}`,
        shown.parameters,
      ),
    );
    const found = pageOf(
      rows,
      page,
      (row) => [String(row.score), row.sim_id],
      (row) => DeviceAnomaly.of(row),
      async () => {
        const all = conditions();
        const [counted] = await context.read((tx) =>
          tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM device_anomaly anomaly ${all.where}`, all.parameters),
        );
        return counted!.count;
      },
    );
    return { ...found, judged: () => judgedAt(context, { clientId: scope.clientId, day, detectorId: detectorId }) };
  }

  @FieldResolver(() => Sim, { nullable: true, description: 'The SIM.' })
  sim(@Root() anomaly: DeviceAnomaly, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return context.load(simLoader, loaderKey(anomaly.clientId, anomaly.simId));
  }

  @FieldResolver(() => [AnomalyHistoryEntry], {
    description: `The days on which the SIM was flagged by the detector, this one and those before it, the latest first, at most ${HISTORY_DAYS}.`,
  })
  async history(@Root() anomaly: DeviceAnomaly, @Ctx() context: GraphqlContext): Promise<AnomalyHistoryEntry[]> {
    const { clientId, simId, detector, day } = anomaly;
    return (await context.load(historyLoader, JSON.stringify([clientId, simId, detector, day]))) ?? [];
  }
}

export async function findDeviceAnomaly(tx: Transaction, clientId: number, key: string): Promise<DeviceAnomaly | null> {
  const parsed = anomalyKey(key);
  if (parsed === null) return null;
  const [row] = await tx.query<DeviceAnomalyRow>(
    `SELECT ${COLUMNS} FROM ${FROM}
      WHERE anomaly.client_id = $1 AND anomaly.day = $2 AND anomaly.detector_id = $3 AND anomaly.sim_id = $4`,
    [clientId, parsed.day, parsed.detectorId, parsed.simId],
  );
  return row ? DeviceAnomaly.of(row) : null;
}

registerNode('DeviceAnomaly', 'text', async (context, clientId, key) =>
  mayUse('Query.anomalies', context.caller.role) ? context.read((tx) => findDeviceAnomaly(tx, clientId, key)) : null,
);
