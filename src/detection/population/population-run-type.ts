/** A population run as GraphQL shows it. */
import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import { toGlobalId } from '../../graphql/global-id';
import { Node } from '../../graphql/nodes';
import { DateScalar, DateTimeScalar } from '../../graphql/scalars';
import { OPERATOR, type PopulationRunRow } from './run-record';

export enum PopulationRunTrigger {
  SCHEDULE = 'SCHEDULE',
  ON_DEMAND = 'ON_DEMAND',
  BACKTEST = 'BACKTEST',
  FIT = 'FIT',
}
registerEnumType(PopulationRunTrigger, {
  name: 'PopulationRunTrigger',
  description: 'Why the population was judged.',
  valuesConfig: {
    SCHEDULE: { description: 'The day closed and its time had come.' },
    ON_DEMAND: { description: 'Somebody asked for the day.' },
    BACKTEST: { description: 'Somebody tried a detector on past days; nothing but `result` is stored of it.' },
    FIT: { description: 'Somebody asked for models to be fitted on these days; nothing is judged.' },
  },
});

export enum PopulationRunState {
  WAITING = 'WAITING',
  RUNNING = 'RUNNING',
  SUCCEEDED = 'SUCCEEDED',
  FAILED = 'FAILED',
}
registerEnumType(PopulationRunState, {
  name: 'PopulationRunState',
  description: 'How a population run stands.',
  valuesConfig: {
    WAITING: { description: 'It is done after those before it: one runs at a time.' },
    RUNNING: { description: 'It is at work, or was and is taken up again where it stopped.' },
    SUCCEEDED: { description: 'It is done.' },
    FAILED: { description: 'It was given up; `error` says why.' },
  },
});

export enum PopulationRunPhase {
  WAITING = 'WAITING',
  FIT = 'FIT',
  SCORE = 'SCORE',
  DECIDE = 'DECIDE',
  DONE = 'DONE',
}
registerEnumType(PopulationRunPhase, {
  name: 'PopulationRunPhase',
  description: 'What a population run is doing.',
  valuesConfig: {
    WAITING: { description: 'Nothing yet.' },
    FIT: { description: 'It fits models, since none fits or they are due.' },
    SCORE: { description: 'It scores SIM after SIM.' },
    DECIDE: { description: 'It decides per client and country, and raises alerts.' },
    DONE: { description: 'Nothing more.' },
  },
});

@ObjectType('PopulationRun', {
  implements: Node,
  description: 'A run of the population detectors over all SIMs with signaling on a day, or on several.',
})
export class PopulationRunView extends Node {
  @Field(() => PopulationRunTrigger, { description: 'Why it runs.' })
  trigger: PopulationRunTrigger;
  @Field(() => PopulationRunState, { description: 'How it stands.' })
  state: PopulationRunState;
  @Field(() => PopulationRunPhase, { description: 'What it is doing.' })
  phase: PopulationRunPhase;
  @Field(() => DateScalar, { description: 'The first UTC day that it judges.' })
  from: string;
  @Field(() => DateScalar, { description: 'The last UTC day that it judges; the same but for back-tests.' })
  to: string;
  @Field(() => Float, { description: 'SIM-days scored so far.' })
  rowsDone: number;
  @Field(() => Float, { description: 'SIM-days to score; 0 until that is known.' })
  rowsTotal: number;
  @Field(() => Int, { description: 'Models fitted so far, of the run that fits some.' })
  modelsDone: number;
  @Field(() => Int, { description: 'Models to fit; 0 until that is known, and where none are fitted.' })
  modelsTotal: number;
  @Field(() => Int, { nullable: true, description: 'Number of the generation of models that it uses; null until that is known.' })
  generation: number | null;
  @Field(() => Float, { description: 'Seed of what it draws: the same data and seed give the same result.' })
  seed: number;
  /** As it is stored; the API adds the names of clients. */
  result: unknown;
  @Field(() => [String], { description: 'What an engineer should know, such as features that have moved since the models were fitted.' })
  warnings: readonly string[];
  @Field(() => String, { nullable: true, description: 'What went wrong last; null where nothing did.' })
  error: string | null;
  @Field(() => String, { nullable: true, description: 'Who asked for it; null where the schedule did.' })
  requestedBy: string | null;
  @Field(() => DateTimeScalar, { description: 'When it was asked for (wall clock).' })
  createdAt: Date;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When it began; null while it waits.' })
  startedAt: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Its last sign of life; null while it waits.' })
  heartbeatAt: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended; null until then.' })
  finishedAt: Date | null;

  static of(row: PopulationRunRow): PopulationRunView {
    return Object.assign(new PopulationRunView(), {
      id: toGlobalId('PopulationRun', OPERATOR, row.run_id),
      trigger: PopulationRunTrigger[row.trigger],
      state: PopulationRunState[row.state],
      phase: PopulationRunPhase[row.phase],
      from: row.from_day,
      to: row.to_day,
      rowsDone: Number(row.rows_done),
      rowsTotal: Number(row.rows_total),
      modelsDone: row.models_done,
      modelsTotal: row.models_total,
      generation: row.generation,
      seed: Number(row.seed),
      result: row.result,
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
