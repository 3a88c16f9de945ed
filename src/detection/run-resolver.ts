/** Detection runs over GraphQL: what each detector did on which day, and what went wrong. */
import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
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
import { emptyPage, maySee, mayUse, readScope, RowFilter } from '../access';
import type { Transaction } from '../database/database';
import { Client, clientLoader, loaderKey } from '../fleet';
import { connectionOf, decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId, toGlobalId } from '../graphql/global-id';
import { Node, registerNode } from '../graphql/nodes';
import { DateScalar, DateTimeScalar } from '../graphql/scalars';
import { ShownDetector } from './detector-type';
import { DetectorRegistry } from './host/registry';

export enum DetectionTrigger {
  STREAM = 'STREAM',
  DAY_CLOSE = 'DAY_CLOSE',
  ON_DEMAND = 'ON_DEMAND',
}

registerEnumType(DetectionTrigger, {
  name: 'DetectionTrigger',
  description: 'Why a detector ran.',
  valuesConfig: {
    STREAM: { description: 'Records came, or a setting changed: only the SIMs concerned.' },
    DAY_CLOSE: { description: 'The day closed: every SIM of the client.' },
    ON_DEMAND: { description: 'Somebody asked for it.' },
  },
});

export enum DetectionRunState {
  RUNNING = 'RUNNING',
  SUCCEEDED = 'SUCCEEDED',
  FAILED = 'FAILED',
}

registerEnumType(DetectionRunState, {
  name: 'DetectionRunState',
  description: 'How the latest evaluation of a run went.',
  valuesConfig: {
    RUNNING: { description: 'It is at work.' },
    SUCCEEDED: { description: 'The detector answered.' },
    FAILED: { description: 'The detector threw, or answered what it must not; `error` says what.' },
  },
});

interface RunRow {
  client_id: number;
  run_id: string;
  detector_id: string;
  detector_version: string;
  day: string;
  trigger: keyof typeof DetectionTrigger;
  state: keyof typeof DetectionRunState;
  evaluations: number;
  rows_evaluated: string;
  rows_abstained: string;
  hits: string;
  consecutive_failures: number;
  error: string | null;
  started_at: Date;
  finished_at: Date | null;
}

const COLUMNS = `client_id, run_id, detector_id, detector_version, day, trigger, state, evaluations, rows_evaluated, rows_abstained, hits,
  consecutive_failures, error, started_at, finished_at`;

@ObjectType({
  implements: Node,
  description:
    'What a detector did for a client on one day: one run per day and trigger. Streamed evaluations add up; a later close replaces the one before.',
})
export class DetectionRun extends Node {
  @Field(() => String, { description: 'Version of the detector that ran last.' })
  detectorVersion: string;
  @Field(() => DateScalar, { description: 'The UTC day that was judged.' })
  day: string;
  @Field(() => DetectionTrigger, { description: 'Why it ran.' })
  trigger: DetectionTrigger;
  @Field(() => DetectionRunState, { description: 'How its latest evaluation went.' })
  state: DetectionRunState;
  @Field(() => Int, { description: 'How often the day was judged under this trigger, 1 or more.' })
  evaluations: number;
  @Field(() => String, { description: 'Rows judged (SIM-days, or events), as a decimal text.' })
  rowsEvaluated: string;
  @Field(() => String, { description: 'Of these, rows on which it abstained wholly, as a decimal text.' })
  rowsAbstained: string;
  @Field(() => String, { description: 'Subjects that fired, as a decimal text; in SHADOW mode too.' })
  hits: string;
  @Field(() => Int, { description: 'Evaluations of this run that failed in a row, up to the latest; 0 where it succeeded.' })
  consecutiveFailures: number;
  @Field(() => String, { nullable: true, description: 'What went wrong; null where it succeeded.' })
  error: string | null;
  @Field(() => DateTimeScalar, { description: 'When it began (wall clock); of streamed runs: with the first records of the day.' })
  startedAt: Date;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When its latest evaluation ended (wall clock).' })
  finishedAt: Date | null;
  clientId: number;
  detectorId: string;

  static of(row: RunRow): DetectionRun {
    return Object.assign(new DetectionRun(), {
      id: toGlobalId('DetectionRun', row.client_id, row.run_id),
      clientId: row.client_id,
      detectorId: row.detector_id,
      detectorVersion: row.detector_version,
      day: row.day,
      trigger: DetectionTrigger[row.trigger],
      state: DetectionRunState[row.state],
      evaluations: row.evaluations,
      rowsEvaluated: row.rows_evaluated,
      rowsAbstained: row.rows_abstained,
      hits: row.hits,
      consecutiveFailures: row.consecutive_failures,
      error: row.error,
      startedAt: row.started_at,
      finishedAt: row.finished_at,
    });
  }
}

@ObjectType({ description: 'A page of detection runs.' })
export class DetectionRunConnection extends connectionOf(DetectionRun, 'DetectionRun') {}

@InputType({ description: 'Which runs to show; all conditions hold at once.' })
export class DetectionRunFilter {
  @Field(() => ID, { nullable: true, description: 'Only runs of this client. Operators who leave it out see all.' })
  client?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only runs of this detector, by its own id: `threshold`.' })
  detector?: string | null;
  @Field(() => DetectionTrigger, { nullable: true, description: 'Only runs with this trigger.' })
  trigger?: DetectionTrigger | null;
  @Field(() => DetectionRunState, { nullable: true, description: 'Only runs whose latest evaluation went so.' })
  state?: DetectionRunState | null;
  @Field(() => DateScalar, { nullable: true, description: 'Only runs of this UTC day or later.' })
  from?: string | null;
  @Field(() => DateScalar, { nullable: true, description: 'Only runs of days before this UTC day.' })
  to?: string | null;
}

@singleton()
@Resolver(() => DetectionRun)
export class DetectionRunResolver {
  constructor(private readonly registry: DetectorRegistry) {}

  @Query(() => DetectionRun, {
    nullable: true,
    description: 'A detection run by its id; null when there is none, or it is not yours to see.',
  })
  async detectionRun(
    @Arg('id', () => ID, { description: 'Id of the run.' }) id: string,
    @Ctx() context: GraphqlContext,
  ): Promise<DetectionRun | null> {
    const run = requireGlobalId(id, 'DetectionRun');
    return maySee(context.caller, run) ? context.read((tx) => findRun(tx, run.clientId, run.key)) : null;
  }

  @Query(() => DetectionRunConnection, { description: 'What detectors did, the latest day first.' })
  async detectionRuns(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => DetectionRunFilter, { nullable: true, description: 'Which runs to show.' }) filter?: DetectionRunFilter | null,
  ): Promise<Connection<DetectionRun>> {
    const scope = readScope(context.caller, filter?.client);
    if (scope === null) return emptyPage(page);
    const shown = conditions(scope.clientId, filter ?? {});
    if (page.after) shown.and('(day, run_id) < (?::date, ?::uuid)', ...decodeCursor(page.after, ['date', 'uuid']));
    const rows = await context.read((tx) =>
      tx.query<RunRow>(
        `SELECT ${COLUMNS} FROM detection_run ${shown.where} ORDER BY day DESC, run_id DESC LIMIT ${page.first + 1}`,
        shown.parameters,
      ),
    );
    return pageOf(
      rows,
      page,
      (row) => [row.day, row.run_id],
      (row) => DetectionRun.of(row),
      async () => {
        const all = conditions(scope.clientId, filter ?? {});
        const [counted] = await context.read((tx) =>
          tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM detection_run ${all.where}`, all.parameters),
        );
        return counted!.count;
      },
    );
  }

  @FieldResolver(() => ShownDetector, { nullable: true, description: 'The detector; null where this installation has it no longer.' })
  detector(@Root() run: DetectionRun): ShownDetector | null {
    const detector = this.registry.find(run.detectorId);
    return detector ? ShownDetector.of(detector, this.registry.populationOptions(detector.meta.id)) : null;
  }

  @FieldResolver(() => Client, { nullable: true, description: 'The client whose SIMs were judged.' })
  client(@Root() run: DetectionRun, @Ctx() context: GraphqlContext): Promise<Client | null> {
    return context.load(clientLoader, loaderKey(run.clientId, String(run.clientId)));
  }
}

function conditions(clientId: number | null, { detector, trigger, state, from, to }: DetectionRunFilter): RowFilter {
  const filter = new RowFilter();
  if (clientId !== null) filter.and('client_id = ?', clientId);
  if (detector) filter.and('detector_id = ?', detector);
  if (trigger) filter.and('trigger = ?', trigger);
  if (state) filter.and('state = ?', state);
  if (from) filter.and('day >= ?', from);
  if (to) filter.and('day < ?', to);
  return filter;
}

async function findRun(tx: Transaction, clientId: number, runId: string): Promise<DetectionRun | null> {
  const [row] = await tx.query<RunRow>(`SELECT ${COLUMNS} FROM detection_run WHERE client_id = $1 AND run_id = $2`, [clientId, runId]);
  return row ? DetectionRun.of(row) : null;
}

registerNode('DetectionRun', 'uuid', async (context, clientId, runId) =>
  mayUse('Query.detectionRun', context.caller.role) ? context.read((tx) => findRun(tx, clientId, runId)) : null,
);
