/** Back-tests over GraphQL: one, the list of them, what they found, and their progress as it happens. */
import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, ObjectType, Query, Resolver, Root, Subscription } from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage, maySee, mayUse, readScope, RowFilter } from '../../access';
import { Client, clientLoader, Fleet, fleetLoader, loaderKey, Sim, simLoader } from '../../fleet';
import { connectionOf, decodeCursor, PageArgs, pageOf, type Connection } from '../../graphql/connection';
import type { GraphqlContext } from '../../graphql/context';
import { parseGlobalId, requireGlobalId } from '../../graphql/global-id';
import { liveField, type LiveRoot } from '../../graphql/live';
import { registerNode } from '../../graphql/nodes';
import { ReplayGap } from '../../graphql/replay-gap';
import { DateScalar, SafeTextScalar } from '../../graphql/scalars';
import { ShownDetector } from '../detector-type';
import { DetectorRegistry } from '../host/registry';
import { Backtest, BacktestDay, BacktestKind, BacktestState, per1000, type BacktestDayRow } from './backtest-type';
import { BacktestFinding, BacktestFindingConnection, findingPage } from './finding-type';
import { BACKTEST_COLUMNS, findBacktest, type BacktestRow } from './record';

@ObjectType({ description: 'A page of back-tests.' })
export class BacktestConnection extends connectionOf(Backtest, 'Backtest') {}

@InputType({ description: 'Which back-tests to show; all conditions hold at once.' })
export class BacktestFilter {
  @Field(() => ID, { nullable: true, description: "Only this client's. Operators who leave it out see all." })
  client?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only of this detector, by its own id: `threshold`.' })
  detector?: string | null;
  @Field(() => BacktestState, { nullable: true, description: 'Only those that stand so.' })
  state?: BacktestState | null;
}

@ObjectType({ description: 'How far a back-test is; or, where `gap` is set, the word that changes were missed.' })
export class BacktestProgress {
  @Field(() => String, { description: 'Where this change stands; pass it as `after` to go on from here.' })
  cursor: string;
  @Field(() => ReplayGap, { nullable: true, description: 'Set where changes were missed, because the cursor was too old.' })
  gap: ReplayGap | null;
  @Field(() => Backtest, { nullable: true, description: 'The back-test as it is now, which may be newer than this change.' })
  backtest: Backtest | null;
}

@singleton()
@Resolver(() => Backtest)
export class BacktestResolver {
  constructor(private readonly registry: DetectorRegistry) {}

  @Query(() => Backtest, { nullable: true, description: 'A back-test by its id; null when there is none, or it is not yours to see.' })
  async backtest(
    @Arg('id', () => ID, { description: 'Id of the back-test.' }) id: string,
    @Ctx() context: GraphqlContext,
  ): Promise<Backtest | null> {
    const named = requireGlobalId(id, 'Backtest');
    return maySee(context.caller, named) ? shownBacktest(context, named.clientId, named.key) : null;
  }

  @Query(() => BacktestConnection, {
    description: 'Detectors tried on past days, the latest asked for first. Those of the whole population are among `populationRuns`.',
  })
  async backtests(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => BacktestFilter, { nullable: true, description: 'Which back-tests to show.' }) filter?: BacktestFilter | null,
  ): Promise<Connection<Backtest>> {
    const scope = readScope(context.caller, filter?.client);
    if (scope === null) return emptyPage(page);
    const conditions = (): RowFilter => {
      const shown = new RowFilter();
      if (scope.clientId !== null) shown.and('client_id = ?', scope.clientId);
      if (filter?.detector) shown.and('detector_id = ?', filter.detector);
      if (filter?.state) shown.and('state = ?', filter.state);
      return shown;
    };
    const shown = conditions();
    if (page.after) shown.and('(created_at, backtest_id) < (?::timestamptz, ?::uuid)', ...decodeCursor(page.after, ['instant', 'uuid']));
    const rows = await context.read((tx) =>
      tx.query<BacktestRow>(
        `SELECT ${BACKTEST_COLUMNS} FROM backtest ${shown.where} ORDER BY created_at DESC, backtest_id DESC LIMIT ${page.first + 1}`,
        shown.parameters,
      ),
    );
    return pageOf(
      rows,
      page,
      (row) => [row.created_at.toISOString(), row.backtest_id],
      (row) => Backtest.of(row),
      async () => {
        const all = conditions();
        const [counted] = await context.read((tx) =>
          tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM backtest ${all.where}`, all.parameters),
        );
        return counted!.count;
      },
    );
  }

  @Subscription(() => BacktestProgress, {
    description: 'How far a back-test is, each time it says so: first what came after the cursor, then what happens.',
    subscribe: liveField({
      name: 'backtestProgress',
      eventType: 'BACKTEST_PROGRESS',
      matches: (event, { backtest }) => {
        const named = parseGlobalId(String(backtest));
        return named?.key === event.subjectId && named.clientId === event.clientId;
      },
    }),
  })
  async backtestProgress(
    @Root() { event, cursor, gap }: LiveRoot,
    @Ctx() context: GraphqlContext,
    @Arg('backtest', () => ID, { description: 'Id of the back-test.' }) _backtest: string,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of the last change received; default: from now on.' })
    _after?: string | null,
  ): Promise<BacktestProgress> {
    return { cursor, gap, backtest: event === null ? null : await shownBacktest(context, event.clientId, event.subjectId) };
  }

  @FieldResolver(() => ShownDetector, { nullable: true, description: 'The detector; null where this installation has it no longer.' })
  detector(@Root() { detectorId }: Backtest): ShownDetector | null {
    const detector = this.registry.find(detectorId);
    return detector ? ShownDetector.of(detector, this.registry.populationOptions(detector.meta.id)) : null;
  }

  @FieldResolver(() => Client, { nullable: true, description: 'The client whose SIMs are judged.' })
  client(@Root() { row }: Backtest, @Ctx() context: GraphqlContext): Promise<Client | null> {
    return context.load(clientLoader, loaderKey(row.client_id, String(row.client_id)));
  }

  @FieldResolver(() => Fleet, { nullable: true, description: 'The fleet that it is about; null where it is not about a fleet.' })
  async fleet(@Root() { row }: Backtest, @Ctx() context: GraphqlContext): Promise<Fleet | null> {
    return row.scope === 'FLEET' ? context.load(fleetLoader, loaderKey(row.client_id, row.scope_id)) : null;
  }

  @FieldResolver(() => Sim, { nullable: true, description: 'The SIM that it is about; null where it is not about a SIM.' })
  async sim(@Root() { row }: Backtest, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return row.scope === 'SIM' ? context.load(simLoader, loaderKey(row.client_id, row.scope_id)) : null;
  }

  @FieldResolver(() => [BacktestKind], {
    description: 'What was found by kind, as of the last day that is done; kinds without a finding are left out.',
  })
  kinds(@Root() { row }: Backtest): BacktestKind[] {
    const titles = new Map(this.registry.find(row.detector_id)?.meta.kinds.map(({ id, title }) => [id, title]));
    return row.kinds.map((count) => ({
      ...count,
      title: titles.get(count.kind) ?? count.kind,
      findingsPer1000SimDays: per1000(count.findings, row),
    }));
  }

  @FieldResolver(() => [BacktestDay], { description: 'Day by day, the first first: at most 62.' })
  async days(@Root() { row }: Backtest, @Ctx() context: GraphqlContext): Promise<BacktestDay[]> {
    const rows = await context.read((tx) =>
      tx.query<BacktestDayRow & object>(
        `SELECT day, sim_days, rows_judged, rows_abstained, findings, failed_pages, error FROM backtest_day
          WHERE client_id = $1 AND backtest_id = $2 ORDER BY day`,
        [row.client_id, row.backtest_id],
      ),
    );
    return rows.map((each) => BacktestDay.of(each));
  }

  @FieldResolver(() => BacktestFindingConnection, {
    description: 'What would have been raised, the latest day first, on a day the highest score first.',
  })
  findings(
    @Root() { row }: Backtest,
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('kind', () => SafeTextScalar, { nullable: true, description: 'Only findings of this kind.' }) kind?: string | null,
    @Arg('day', () => DateScalar, { nullable: true, description: 'Only findings that are new on this UTC day.' }) day?: string | null,
  ): Promise<Connection<BacktestFinding>> {
    return findingPage(context, row, page, { kind, day });
  }
}

@singleton()
@Resolver(() => BacktestFinding)
export class BacktestFindingResolver {
  @FieldResolver(() => Sim, { nullable: true, description: 'The SIM that it is about; null for other subjects.' })
  async sim(@Root() { row }: BacktestFinding, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return row.sim_id === null ? null : context.load(simLoader, loaderKey(row.client_id, row.sim_id));
  }

  @FieldResolver(() => Fleet, {
    nullable: true,
    description: 'The fleet that it is about, or that the SIM was in on the day; null without one.',
  })
  async fleet(@Root() { row }: BacktestFinding, @Ctx() context: GraphqlContext): Promise<Fleet | null> {
    return row.fleet_id === null ? null : context.load(fleetLoader, loaderKey(row.client_id, row.fleet_id));
  }
}

async function shownBacktest(context: GraphqlContext, clientId: number, backtestId: string): Promise<Backtest | null> {
  const row = await context.read((tx) => findBacktest(tx, clientId, backtestId));
  return row ? Backtest.of(row) : null;
}

registerNode('Backtest', 'uuid', async (context, clientId, backtestId) =>
  mayUse('Query.backtest', context.caller.role) ? shownBacktest(context, clientId, backtestId) : null,
);
