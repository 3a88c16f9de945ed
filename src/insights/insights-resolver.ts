/** The read side over GraphQL: usage by time, by SIM, and the day's largest consumers. */
import { Arg, Args, Ctx, Extensions, Field, FieldResolver, Float, Int, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { SimwardenError } from '../errors';
import { loaderKey, Sim, simLoader } from '../fleet';
import { connectionOf, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { costs } from '../graphql/query-cost';
import { ByteCountScalar, DateScalar, DateTimeScalar } from '../graphql/scalars';
import { topConsumers, type TopConsumerRow } from './top-consumers';
import { bucketEstimate, Granularity, utcDay } from './usage-buckets';
import { countSimsWithUsage, simUsageCursor, usageBySim, type SimUsageRow } from './usage-by-sim';
import { UsageBucket, usageByTime } from './usage-by-time';
import { resolveScope, UsageScope } from './usage-scope';

@ObjectType({ description: 'What one SIM used in a span of time.' })
export class SimUsage {
  @Field(() => ByteCountScalar, { description: 'Bytes sent by the device.' })
  uplinkBytes: string;
  @Field(() => ByteCountScalar, { description: 'Bytes received by the device.' })
  downlinkBytes: string;
  @Field(() => ByteCountScalar, { description: 'Both directions together.' })
  totalBytes: string;
  clientId: number;
  simId: string;

  static of(clientId: number, row: SimUsageRow): SimUsage {
    return Object.assign(new SimUsage(), {
      clientId,
      simId: row.sim_id,
      uplinkBytes: row.uplink,
      downlinkBytes: row.downlink,
      totalBytes: row.total,
    });
  }
}

@ObjectType({ description: 'A page of SIMs by usage.' })
export class SimUsageConnection extends connectionOf(SimUsage, 'SimUsage') {}

@ObjectType({ description: 'One of the largest consumers of a day.' })
export class TopConsumer {
  @Field(() => Int, { description: 'Place on the list, from 1.' })
  rank: number;
  @Field(() => ByteCountScalar, { description: 'Bytes sent by the device that day.' })
  uplinkBytes: string;
  @Field(() => ByteCountScalar, { description: 'Bytes received by the device that day.' })
  downlinkBytes: string;
  @Field(() => ByteCountScalar, { description: 'Both directions together.' })
  totalBytes: string;
  @Field(() => Float, { description: "Its share of the client's bytes that day, 0 to 1." })
  shareOfClient: number;
  @Field(() => String, { nullable: true, description: 'Model family of its device; null where it has none.' })
  family: string | null;
  @Field(() => Float, {
    nullable: true,
    description: "The family's baseline of that day, bytes per SIM and day; null while there is none.",
  })
  baselineBytes: number | null;
  @Field(() => Float, {
    nullable: true,
    description: 'Its bytes divided by the baseline: 3 means three times what is usual. null without a baseline.',
  })
  ratioToBaseline: number | null;
  @Field(() => Int, {
    description: 'On how many of the last `days` days it was on the top-20 list, 0 to 31. A persistent one deserves a look.',
  })
  daysListed: number;
  @Field(() => [DateScalar], { description: 'Those days, earliest first.' })
  listedOn: readonly string[];
  clientId: number;
  simId: string;

  static of(clientId: number, row: TopConsumerRow): TopConsumer {
    return Object.assign(new TopConsumer(), { ...row, clientId, daysListed: row.listedOn.length });
  }
}

@singleton()
@Resolver()
export class InsightsResolver {
  // A bucket is four times as cheap as an object that is looked up.
  @Extensions(costs(({ from, to, granularity }) => 10 + bucketEstimate(from as Date, to as Date, granularity as Granularity) / 4))
  @Query(() => [UsageBucket], {
    description:
      'Usage in buckets without holes. Buckets are whole: the first holds `from`, the last the moment before `to`. At most 2,200.',
  })
  async usageByTime(
    @Ctx() context: GraphqlContext,
    @Arg('from', () => DateTimeScalar, { description: 'Start of the range.' }) from: Date,
    @Arg('to', () => DateTimeScalar, { description: 'End of the range, exclusive; after `from`.' }) to: Date,
    @Arg('granularity', () => Granularity, { description: 'How long a bucket is.' }) granularity: Granularity,
    @Arg('scope', () => UsageScope, { nullable: true, description: 'Whose usage. Operators must give it.' }) scope?: UsageScope | null,
  ): Promise<UsageBucket[]> {
    return context.read(async (transaction) =>
      usageByTime(transaction, await resolveScope(transaction, context.caller, scope), from, to, granularity),
    );
  }

  // Adds up and sorts what every SIM of the scope used.
  @Extensions(costs(700))
  @Query(() => SimUsageConnection, {
    description:
      'SIMs with usage in a span, most bytes first. Takes the bounds of a `usageByTime` bucket as they are; other bounds are widened to whole hours.',
  })
  async usageBySim(
    @Ctx() context: GraphqlContext,
    @Arg('from', () => DateTimeScalar, { description: 'Start of the span.' }) from: Date,
    @Arg('to', () => DateTimeScalar, { description: 'End of the span, exclusive; after `from`.' }) to: Date,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('scope', () => UsageScope, { nullable: true, description: 'Whose usage. Operators must give it.' }) scope?: UsageScope | null,
  ): Promise<Connection<SimUsage>> {
    return context.read(async (transaction) => {
      const resolved = await resolveScope(transaction, context.caller, scope);
      const rows = await usageBySim(transaction, resolved, from, to, page);
      const count = (): Promise<number> => context.read((counting) => countSimsWithUsage(counting, resolved, from, to));
      return pageOf(rows, page, simUsageCursor, (row) => SimUsage.of(resolved.clientId, row), count);
    });
  }

  // Reads the list of each of the days.
  @Extensions(costs(100))
  @Query(() => [TopConsumer], { description: 'The largest consumers of a day, and on how many of the last days each was on the list.' })
  async topConsumers(
    @Ctx() context: GraphqlContext,
    @Arg('day', () => DateScalar, { nullable: true, description: 'UTC day; default yesterday.' }) day?: string | null,
    @Arg('scope', () => UsageScope, { nullable: true, description: 'A client or a fleet. Operators must give it.' })
    scope?: UsageScope | null,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100; default 20.' }) first = 20,
    @Arg('days', () => Int, { defaultValue: 7, description: 'How many days `daysListed` looks at, `day` included, 1 to 31; default 7.' })
    days = 7,
  ): Promise<TopConsumer[]> {
    requireBetween('first', first, 1, 100);
    requireBetween('days', days, 1, 31);
    const yesterday = utcDay(context.clock.now().getTime() - 86_400_000);
    return context.read(async (transaction) => {
      const resolved = await resolveScope(transaction, context.caller, scope);
      const rows = await topConsumers(transaction, resolved, { day: day ?? yesterday, first, days });
      return rows.map((row) => TopConsumer.of(resolved.clientId, row));
    });
  }
}

function requireBetween(name: string, given: number, least: number, most: number): void {
  if (given < least || given > most)
    throw new SimwardenError('BAD_USER_INPUT', { what: `${name} is ${given}; expected ${least} to ${most}.` });
}

@singleton()
@Resolver(() => SimUsage)
export class SimUsageResolver {
  @FieldResolver(() => Sim, { description: 'The SIM.' })
  sim(@Root() usage: SimUsage, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return context.load(simLoader, loaderKey(usage.clientId, usage.simId));
  }
}

@singleton()
@Resolver(() => TopConsumer)
export class TopConsumerResolver {
  @FieldResolver(() => Sim, { description: 'The SIM.' })
  sim(@Root() consumer: TopConsumer, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return context.load(simLoader, loaderKey(consumer.clientId, consumer.simId));
  }
}
