/** Baselines over GraphQL: what a device model family usually uses. */
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
import { emptyPage, readScope, RowFilter } from '../access';
import { Client, clientLoader, loaderKey } from '../fleet';
import { connectionOf, decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { DateScalar, DateTimeScalar, SafeTextScalar } from '../graphql/scalars';

export enum BaselinePeriod {
  DAY = 'DAY',
  WEEK = 'WEEK',
}

registerEnumType(BaselinePeriod, {
  name: 'BaselinePeriod',
  description: 'The period that a baseline is for.',
  valuesConfig: {
    DAY: { description: 'Bytes of a SIM in a UTC day, from the 28 closed days before.' },
    WEEK: { description: 'Bytes of a SIM in an ISO week, from the 8 closed weeks before.' },
  },
});

interface BaselineRow {
  client_id: number;
  family: string;
  period: keyof typeof BaselinePeriod;
  for_day: string;
  median_bytes: number;
  sims: number;
  days: number;
  computed_at: Date;
}

const COLUMNS = 'client_id, family, period, for_day, median_bytes, sims, days, computed_at';

@ObjectType({
  description:
    'What a SIM of a device model family usually uses, by the closed days before. There is none under 5 SIMs or 7 days of usage.',
})
export class Baseline {
  @Field(() => String, { description: 'The device model family.' })
  family: string;
  @Field(() => BaselinePeriod, { description: 'The period that it is for.' })
  period: BaselinePeriod;
  @Field(() => DateScalar, { description: 'The UTC day that is judged by it.' })
  day: string;
  @Field(() => Float, { description: "Median over the family's SIM-days (SIM-weeks) with usage, in bytes, 0 or more." })
  medianBytes: number;
  @Field(() => Int, { description: 'SIMs that it comes from, 5 or more.' })
  sims: number;
  @Field(() => Int, { description: 'Days with usage that it comes from, 7 or more.' })
  days: number;
  @Field(() => DateTimeScalar, {
    description: 'When it was computed (wall clock): with the close of the day before, and again when late records reached that.',
  })
  computedAt: Date;
  clientId: number;

  static of(row: BaselineRow): Baseline {
    return Object.assign(new Baseline(), {
      clientId: row.client_id,
      family: row.family,
      period: BaselinePeriod[row.period],
      day: row.for_day,
      medianBytes: row.median_bytes,
      sims: row.sims,
      days: row.days,
      computedAt: row.computed_at,
    });
  }
}

@ObjectType({ description: 'A page of baselines.' })
export class BaselineConnection extends connectionOf(Baseline, 'Baseline') {}

@InputType({ description: 'Which baselines to show; all conditions hold at once.' })
export class BaselineFilter {
  @Field(() => ID, { nullable: true, description: 'Only baselines of this client. Operators who leave it out see all.' })
  client?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only this device model family.' })
  family?: string | null;
  @Field(() => BaselinePeriod, { nullable: true, description: 'Only this period.' })
  period?: BaselinePeriod | null;
  @Field(() => DateScalar, { nullable: true, description: 'Only baselines for this UTC day or later.' })
  from?: string | null;
  @Field(() => DateScalar, { nullable: true, description: 'Only baselines for days before this UTC day.' })
  to?: string | null;
}

@singleton()
@Resolver(() => Baseline)
export class BaselineResolver {
  @Query(() => BaselineConnection, { description: 'What device model families usually use, the latest day first.' })
  async baselines(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => BaselineFilter, { nullable: true, description: 'Which baselines to show.' }) filter?: BaselineFilter | null,
  ): Promise<Connection<Baseline>> {
    const scope = readScope(context.caller, filter?.client);
    if (scope === null) return emptyPage(page);
    const shown = conditions(scope.clientId, filter ?? {});
    if (page.after) {
      shown.and(
        '(for_day, client_id, family, period) < (?::date, ?::int8, ?::text, ?::text)',
        ...decodeCursor(page.after, ['date', 'int8', 'text', 'text']),
      );
    }
    const rows = await context.read((tx) =>
      tx.query<BaselineRow>(
        `SELECT ${COLUMNS} FROM baseline ${shown.where} ORDER BY for_day DESC, client_id DESC, family DESC, period DESC LIMIT ${page.first + 1}`,
        shown.parameters,
      ),
    );
    return pageOf(
      rows,
      page,
      (row) => [row.for_day, String(row.client_id), row.family, row.period],
      (row) => Baseline.of(row),
      async () => {
        const all = conditions(scope.clientId, filter ?? {});
        const [counted] = await context.read((tx) =>
          tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM baseline ${all.where}`, all.parameters),
        );
        return counted!.count;
      },
    );
  }

  @FieldResolver(() => Client, { nullable: true, description: 'The client whose SIMs it comes from; never across clients.' })
  client(@Root() baseline: Baseline, @Ctx() context: GraphqlContext): Promise<Client | null> {
    return context.load(clientLoader, loaderKey(baseline.clientId, String(baseline.clientId)));
  }
}

function conditions(clientId: number | null, { family, period, from, to }: BaselineFilter): RowFilter {
  const filter = new RowFilter();
  if (clientId !== null) filter.and('client_id = ?', clientId);
  if (family) filter.and('family = ?', family);
  if (period) filter.and('period = ?', period);
  if (from) filter.and('for_day >= ?', from);
  if (to) filter.and('for_day < ?', to);
  return filter;
}
