/** A back-test as GraphQL shows it. */
import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { toGlobalId } from '../../graphql/global-id';
import { Node } from '../../graphql/nodes';
import { DateScalar, DateTimeScalar, JsonScalar } from '../../graphql/scalars';
import { ConfigurationScope } from '../host/modes';
import type { BacktestRow } from './record';

export enum BacktestState {
  WAITING = 'WAITING',
  RUNNING = 'RUNNING',
  SUCCEEDED = 'SUCCEEDED',
  FAILED = 'FAILED',
  CANCELLED = 'CANCELLED',
}
registerEnumType(BacktestState, {
  name: 'BacktestState',
  description: 'How a back-test stands.',
  valuesConfig: {
    WAITING: { description: 'It is done after those before it: one runs at a time.' },
    RUNNING: { description: 'It is at work, or was and is taken up again where it stopped.' },
    SUCCEEDED: { description: 'It is done.' },
    FAILED: { description: 'It was given up; `error` says why. What it found until then stands.' },
    CANCELLED: { description: 'Somebody cancelled it. What it found until then stands.' },
  },
});

@ObjectType({ description: 'What a back-test found of one kind.' })
export class BacktestKind {
  @Field(() => String, { description: "The kind's id: `DAILY_LIMIT`." })
  kind: string;
  @Field(() => String, { description: "The kind's title; its id where this installation has it no longer." })
  title: string;
  @Field(() => Int, { description: 'Findings: subjects and windows that fired.' })
  findings: number;
  @Field(() => Int, { description: 'Whom they are about: SIMs, fleets, networks or countries.' })
  subjects: number;
  @Field(() => Int, { description: 'Alerts that they would have made: findings of a subject at most 48 hours apart are one.' })
  alerts: number;
  @Field(() => Float, { nullable: true, description: 'Findings per 1,000 SIM-days judged; null where no SIM was.' })
  findingsPer1000SimDays: number | null;
}

export interface BacktestDayRow {
  readonly day: string;
  readonly sim_days: number;
  readonly rows_judged: string;
  readonly rows_abstained: string;
  readonly findings: number;
  readonly failed_pages: number;
  readonly error: string | null;
}

@ObjectType({ description: 'What a back-test did of one day.' })
export class BacktestDay {
  @Field(() => DateScalar, { description: 'The UTC day.' })
  day: string;
  @Field(() => Int, { description: 'SIMs that were looked at; 0 for a detector of services.' })
  simDays: number;
  @Field(() => String, { description: 'Rows judged (SIM-days, events or hours of services), as a decimal text.' })
  rowsJudged: string;
  @Field(() => String, { description: 'Of these, rows on which it abstained wholly, as a decimal text.' })
  rowsAbstained: string;
  @Field(() => Int, { description: 'Findings that are new on this day.' })
  findings: number;
  @Field(() => Int, { description: 'Calls that failed: it threw, answered what it must not, or broke a bound of its fence.' })
  failedPages: number;
  @Field(() => String, { nullable: true, description: 'What went wrong first; null where nothing did.' })
  error: string | null;

  static of(row: BacktestDayRow): BacktestDay {
    return Object.assign(new BacktestDay(), {
      day: row.day,
      simDays: row.sim_days,
      rowsJudged: row.rows_judged,
      rowsAbstained: row.rows_abstained,
      findings: row.findings,
      failedPages: row.failed_pages,
      error: row.error,
    });
  }
}

@ObjectType({
  implements: Node,
  description:
    'A detector tried on past closed days of a client, a fleet or a SIM: what it would have raised. It raises nothing, and counts for nothing else. Kept 93 days.',
})
export class Backtest extends Node {
  @Field(() => ID, { description: "The detector's own id." })
  detectorId: string;
  @Field(() => String, { description: 'Version of the detector that is tried.' })
  detectorVersion: string;
  @Field(() => ConfigurationScope, { description: 'Whether it is about a client, a fleet or a SIM.' })
  scope: ConfigurationScope;
  @Field(() => DateScalar, { description: 'The first UTC day that was asked for.' })
  from: string;
  @Field(() => DateScalar, { description: 'The last UTC day that was asked for.' })
  to: string;
  @Field(() => JsonScalar, { nullable: true, description: 'The options as given; null: each SIM is judged as it is configured.' })
  options: unknown;
  @Field(() => BacktestState, { description: 'How it stands.' })
  state: BacktestState;
  @Field(() => Int, { description: 'Days judged so far.' })
  daysDone: number;
  @Field(() => Int, { description: 'Days to judge: those of `from` to `to` that were closed when it was asked for.' })
  daysTotal: number;
  @Field(() => Float, { description: 'SIM-days judged so far; 0 for a detector of services.' })
  simDays: number;
  @Field(() => Float, { description: 'Rows judged so far: SIM-days, events or hours of services.' })
  rowsJudged: number;
  @Field(() => Float, { description: 'Of these, rows on which it abstained wholly.' })
  rowsAbstained: number;
  @Field(() => Int, { description: 'Findings so far. More than 100,000 end it.' })
  findingCount: number;
  @Field(() => Float, { nullable: true, description: 'Findings per 1,000 SIM-days judged; null where no SIM was.' })
  findingsPer1000SimDays: number | null;
  @Field(() => [String], { description: 'What to bear in mind, such as days that are not closed.' })
  warnings: readonly string[];
  @Field(() => String, {
    nullable: true,
    description: 'What went wrong last; null where nothing did. Failures of the detector stand with their day.',
  })
  error: string | null;
  @Field(() => String, { description: 'Who asked for it.' })
  requestedBy: string;
  @Field(() => DateTimeScalar, { description: 'When it was asked for (wall clock).' })
  createdAt: Date;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When it began; null while it waits.' })
  startedAt: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Its last sign of life; null while it waits.' })
  heartbeatAt: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended; null until then.' })
  finishedAt: Date | null;
  row: BacktestRow;

  static of(row: BacktestRow): Backtest {
    return Object.assign(new Backtest(), {
      row,
      id: toGlobalId('Backtest', row.client_id, row.backtest_id),
      detectorId: row.detector_id,
      detectorVersion: row.detector_version,
      scope: ConfigurationScope[row.scope],
      from: row.from_day,
      to: row.to_day,
      options: row.options,
      state: BacktestState[row.state],
      daysDone: row.days_done,
      daysTotal: row.days_total,
      simDays: Number(row.sim_days),
      rowsJudged: Number(row.rows_judged),
      rowsAbstained: Number(row.rows_abstained),
      findingCount: row.findings,
      findingsPer1000SimDays: per1000(row.findings, row),
      warnings: row.warnings,
      error: row.error,
      requestedBy: row.requested_by,
      createdAt: row.created_at,
      startedAt: row.started_at,
      heartbeatAt: row.heartbeat_at,
      finishedAt: row.finished_at,
    });
  }
}

export function per1000(findings: number, { sim_days: simDays }: Pick<BacktestRow, 'sim_days'>): number | null {
  return Number(simDays) === 0 ? null : (1000 * findings) / Number(simDays);
}
