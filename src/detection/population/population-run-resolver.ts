/** Population runs over GraphQL: one, the list of them, and their progress as it happens. */
import { Arg, Args, Ctx, Field, FieldResolver, ID, ObjectType, Query, Resolver, Root, Subscription } from 'type-graphql';
import { singleton } from 'tsyringe';
import { mayUse } from '../../access';
import { SimwardenError } from '../../errors';
import { clientLoader, loaderKey } from '../../fleet';
import { isOperator } from '../../graphql/caller';
import { connectionOf, decodeCursor, PageArgs, pageOf, type Connection } from '../../graphql/connection';
import type { GraphqlContext } from '../../graphql/context';
import { parseGlobalId, requireGlobalId } from '../../graphql/global-id';
import { liveField, type LiveRoot } from '../../graphql/live';
import { registerNode } from '../../graphql/nodes';
import { ReplayGap } from '../../graphql/replay-gap';
import { JsonScalar } from '../../graphql/scalars';
import { PopulationRunState, PopulationRunView } from './population-run-type';
import { findPopulationRun, OPERATOR, RUN_COLUMNS, type PopulationRunRow } from './run-record';

@ObjectType({ description: 'A page of population runs.' })
export class PopulationRunConnection extends connectionOf(PopulationRunView, 'PopulationRun') {}

@ObjectType({ description: 'How far a run is; or, where `gap` is set, the word that changes were missed.' })
export class DetectionRunProgress {
  @Field(() => String, { description: 'Where this change stands; pass it as `after` to go on from here.' })
  cursor: string;
  @Field(() => ReplayGap, { nullable: true, description: 'Set where changes were missed, because the cursor was too old.' })
  gap: ReplayGap | null;
  @Field(() => PopulationRunView, { nullable: true, description: 'The run as it is now, which may be newer than this change.' })
  run: PopulationRunView | null;
}

@singleton()
@Resolver(() => PopulationRunView)
export class PopulationRunResolver {
  @Query(() => PopulationRunView, { nullable: true, description: 'A population run by its id; null when there is none.' })
  async populationRun(
    @Arg('id', () => ID, { description: 'Id of the run.' }) id: string,
    @Ctx() context: GraphqlContext,
  ): Promise<PopulationRunView | null> {
    return namedRun(context, id);
  }

  @Query(() => PopulationRunConnection, { description: 'Runs over the whole population, the latest asked for first.' })
  async populationRuns(@Ctx() context: GraphqlContext, @Args(() => PageArgs) page: PageArgs): Promise<Connection<PopulationRunView>> {
    const after = page.after ? decodeCursor(page.after, ['instant', 'uuid']) : [];
    const rows = await context.read((tx) =>
      tx.query<PopulationRunRow>(
        `SELECT ${RUN_COLUMNS} FROM population_run WHERE client_id = $1
          ${after.length > 0 ? 'AND (created_at, run_id) < ($2::timestamptz, $3::uuid)' : ''}
          ORDER BY created_at DESC, run_id DESC LIMIT ${page.first + 1}`,
        [OPERATOR, ...after],
      ),
    );
    return pageOf(
      rows,
      page,
      (row) => [row.created_at.toISOString(), row.run_id],
      (row) => PopulationRunView.of(row),
      async () => {
        const [counted] = await context.read((tx) =>
          tx.query<{ count: number }>('SELECT count(*)::int4 AS count FROM population_run WHERE client_id = $1', [OPERATOR]),
        );
        return counted!.count;
      },
    );
  }

  @FieldResolver(() => JsonScalar, {
    nullable: true,
    description:
      'What it found, per day and detector: devices, flagged, pairs of client and country, how many abstained and were anomalous, and the clearest. null until it is done.',
  })
  result(@Root() { result }: PopulationRunView, @Ctx() context: GraphqlContext): Promise<unknown> {
    return named(context, result);
  }

  @Subscription(() => DetectionRunProgress, {
    description:
      'How far a population run is, each time it says so: first what came after the cursor, then what happens. Of a run that has ended already: how it ended, and the subscription is complete.',
    subscribe: liveField({
      name: 'detectionRunProgress',
      eventType: 'DETECTION_RUN_PROGRESS',
      matches: (event, { runId }) => parseGlobalId(String(runId))?.key === event.subjectId,
      hasEnded: async (context, { runId }) => {
        const run = await namedRun(context, String(runId));
        if (run === null) throw new SimwardenError('NOT_FOUND', { what: 'population run' }, ['runId']);
        return run.state === PopulationRunState.SUCCEEDED || run.state === PopulationRunState.FAILED;
      },
    }),
  })
  async detectionRunProgress(
    @Root() { cursor, gap }: LiveRoot,
    @Ctx() context: GraphqlContext,
    @Arg('runId', () => ID, { description: 'Id of the run.' }) runId: string,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of the last change received; default: from now on.' })
    _after?: string | null,
  ): Promise<DetectionRunProgress> {
    return { cursor, gap, run: gap ? null : await namedRun(context, runId) };
  }
}

interface Pair {
  readonly clientId: number;
}

/** What a run found with the names of the clients that it speaks of; one that is there no longer has none. */
async function named(context: GraphqlContext, result: unknown): Promise<unknown> {
  if (!Array.isArray(result)) return result;
  const name = async (pair: Pair): Promise<object> => {
    const client = await context.load(clientLoader, loaderKey(pair.clientId, String(pair.clientId)));
    return { ...pair, client: client?.name ?? null };
  };
  return Promise.all(
    (result as readonly { readonly clearest: readonly Pair[] }[]).map(async (line) => ({
      ...line,
      clearest: await Promise.all(line.clearest.map(name)),
    })),
  );
}

async function namedRun(context: GraphqlContext, id: string): Promise<PopulationRunView | null> {
  const run = requireGlobalId(id, 'PopulationRun');
  return run === null ? null : shownRun(context, run.key);
}

/** Only operators see runs of the whole population. */
async function shownRun(context: GraphqlContext, runId: string): Promise<PopulationRunView | null> {
  if (!isOperator(context.caller)) return null;
  const row = await context.read((tx) => findPopulationRun(tx, runId));
  return row ? PopulationRunView.of(row) : null;
}

registerNode('PopulationRun', 'uuid', async (context, _clientId, runId) =>
  mayUse('Query.populationRun', context.caller.role) ? shownRun(context, runId) : null,
);
