/** Signaling features over GraphQL: of a SIM by day, over 30 days, the catalogue, and the matrix of one device-day. */
import { Arg, Ctx, Extensions, ID, Query, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { maySee } from '../../access';
import type { Transaction } from '../../database/database';
import { featureCatalogue } from '../../detector';
import { SimwardenError } from '../../errors';
import { Sim, simLoader } from '../../fleet';
import type { GraphqlContext } from '../../graphql/context';
import { requireGlobalId } from '../../graphql/global-id';
import { costs } from '../../graphql/query-cost';
import { DateScalar } from '../../graphql/scalars';
import { daysBetween, type Day } from '../days';
import { featureValues } from './feature-store';
import { FeatureDefinition, FeatureValue, SignalingMatrix, SimFeatureDay, SimFeatureMonth, SimFeatures } from './feature-types';
import { readMonth } from './month-store';
import { signalingMatrix } from './signaling-matrix';

const MOST_DAYS = 31;

interface DayRow {
  day: Day;
  country: string;
  dialogues: number;
  blocked_by_us: boolean;
  feature_values: Buffer;
  computed_at: Date;
}

@singleton()
@Resolver()
export class FeatureResolver {
  // A day is 95 small objects, which cost less than as many that are looked up.
  @Extensions(costs(({ from, to }) => 10 + 10 * Math.min(MOST_DAYS, Math.max(1, daysBetween(from as Day, to as Day)))))
  @Query(() => SimFeatures, {
    nullable: true,
    description: 'The 95 signaling features of a SIM on each day, and its statistics of 30 days; null where there is no such SIM.',
  })
  async simFeatures(
    @Ctx() context: GraphqlContext,
    @Arg('sim', () => ID, { description: 'The SIM.' }) sim: string,
    @Arg('from', () => DateScalar, { description: 'First UTC day.' }) from: string,
    @Arg('to', () => DateScalar, { description: 'UTC day after the last one, at most 31 days after `from`.' }) to: string,
  ): Promise<SimFeatures | null> {
    if (from >= to || daysBetween(from, to) > MOST_DAYS)
      throw new SimwardenError('BAD_USER_INPUT', { what: `expected \`to\` 1 to ${MOST_DAYS} days after \`from\`, got ${from} and ${to}.` });
    const found = await visibleSim(context, sim);
    if (!found) return null;
    return context.read(async (tx) => {
      const days = await readDays(tx, found, from, to);
      const month = await readMonth(tx, found.clientId, found.simId);
      return Object.assign(new SimFeatures(), { days, month: month && SimFeatureMonth.of(month) });
    });
  }

  @Query(() => [FeatureDefinition], { description: 'The 95 daily signaling features with their definitions, in the order of all answers.' })
  featureCatalogue(): FeatureDefinition[] {
    return featureCatalogue.map((feature) => Object.assign(new FeatureDefinition(), feature));
  }

  // Reads every dialogue of the SIM; on a day that is still open, of all SIMs.
  @Extensions(costs(700))
  @Query(() => SignalingMatrix, {
    nullable: true,
    description: 'What a SIM did in each quarter of an hour of a UTC day, by kind of dialogue; null where there is no such SIM.',
  })
  async signalingMatrix(
    @Ctx() context: GraphqlContext,
    @Arg('sim', () => ID, { description: 'The SIM.' }) sim: string,
    @Arg('day', () => DateScalar, { description: 'The UTC day.' }) day: string,
  ): Promise<SignalingMatrix | null> {
    const found = await visibleSim(context, sim);
    if (!found) return null;
    const rows = await context.read((tx) => signalingMatrix(tx, found.clientId, found.simId, day));
    return Object.assign(new SignalingMatrix(), { day, rows });
  }
}

/** Null for a SIM that doesn't exist and, no different, for one that isn't the caller's to see. */
async function visibleSim(context: GraphqlContext, globalId: string): Promise<Sim | null> {
  const id = requireGlobalId(globalId, 'Sim', 'int8');
  if (!maySee(context.caller, id)) return null;
  const sim = await context.load(simLoader, `${id.clientId}:${id.key}`);
  const { fleetIds } = context.caller;
  return sim && (fleetIds === null || (sim.fleetId !== null && fleetIds.includes(sim.fleetId))) ? sim : null;
}

async function readDays(tx: Transaction, { clientId, simId }: Sim, from: Day, to: Day): Promise<SimFeatureDay[]> {
  const rows = await tx.query<DayRow>(
    `SELECT day, country, dialogues, blocked_by_us, feature_values, computed_at FROM sim_feature_day
      WHERE client_id = $1 AND sim_id = $2 AND day >= $3 AND day < $4 ORDER BY day`,
    [clientId, simId, from, to],
  );
  return rows.map((row) =>
    Object.assign(new SimFeatureDay(), {
      day: row.day,
      country: row.country,
      dialogues: row.dialogues,
      blockedByUs: row.blocked_by_us,
      computedAt: row.computed_at,
      features: FeatureValue.all(featureValues(row.feature_values)),
    }),
  );
}
