/**
 * One population run, from wherever it stands to its end: fit where no model fits, score bucket by bucket, decide, raise. Every step is committed with
 * its checkpoint, so a run that was killed goes on where it stopped and ends with the same result.
 */
import { singleton } from 'tsyringe';
import { Config } from '../../config';
import { Database, type Transaction } from '../../database/database';
import { keepLease } from '../../database/lease';
import { Clock, Entropy } from '../../runtime';
import { addDays, daysBetween, daysFrom, type Day } from '../days';
import { recordHealth } from '../evaluation/health';
import { featureClients } from '../features/feature-store';
import { DetectorRegistry } from '../host/registry';
import { VerdictCommit } from '../verdicts';
import { BucketScorer, RunInterrupted, type ScoringRun } from './bucket';
import { addDriftCounts, deleteCheckpoints } from './checkpoints';
import { clientsDecidedSince, countRows } from './day-clients';
import { DayDecision, decidedThrough, type DecidingRun, type DetectorDecision } from './day-decision';
import { DRIFT_WIDTH, PSI_STALE, stabilityIndex } from './drift';
import { runSucceeded } from './failed-days';
import { PopulationFit, type FitOrder } from './fit-service';
import { GenerationStore, type LoadedGeneration } from './generation-store';
import { changesOf } from './judged-days';
import { storedPlan, type PlannedDetector } from './plan';
import { changeRun, OPERATOR, type PopulationRunRow, type RunChange } from './run-record';
import { resultOf } from './run-result';

/** How long a run stays a process's own without a sign of life. */
export const RUN_LEASE = 'population-run';
export const RUN_LEASE_MILLISECONDS = 120_000;
/** While buckets of others are read and stored, one client's is scored. On the embedded database everybody would only wait longer. */
const CLIENTS_AT_ONCE = { postgresql: 3, embedded: 1 } as const;
/** Models learn from so many days before the one that is judged. */
const TRAINING_DAYS = 30;
/** An alert clears a day after its last hit: whoever was anomalous in the days before is told that the population was judged, with or without dialogues. */
const CLEARING_DAYS = 4;

/** Another process has the run now. */
export class RunLostError extends Error {
  constructor() {
    super(`the lease ${RUN_LEASE} was taken by another process, which goes on with the run`);
    this.name = 'RunLostError';
  }
}

/** How a process works on a run. */
export interface RunHold {
  /** Whom the lease names. */
  readonly holder: string;
  readonly isStopping: () => boolean;
  readonly bucketSims?: number;
}

@singleton()
export class PopulationRun {
  constructor(
    private readonly database: Database,
    private readonly config: Config,
    private readonly registry: DetectorRegistry,
    private readonly generations: GenerationStore,
    private readonly fit: PopulationFit,
    private readonly scorer: BucketScorer,
    private readonly decision: DayDecision,
    private readonly verdictCommit: VerdictCommit,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  /** The lease must be held. Throws RunInterrupted where it was asked to stop, RunLostError where it lost the lease. */
  async execute(row: PopulationRunRow, hold: RunHold): Promise<void> {
    const startedAt = row.started_at ?? this.clock.now();
    const plan = await this.planOf(row);
    await this.change(row, hold, { state: 'RUNNING', plan: storedPlan(plan), startedAt });
    if (row.trigger === 'FIT') return this.onlyFit(row, hold, plan);
    const generation = await this.generationFor(row, hold, plan);
    const run: ScoringRun = {
      runId: row.run_id,
      plan,
      generation,
      stores: row.trigger !== 'BACKTEST',
      assigns: row.trigger !== 'BACKTEST' && generation.generation === (await this.generations.newest())?.generation,
      mustHold: (tx) => this.mustHold(tx, hold),
      isStopping: hold.isStopping,
      ...(hold.bucketSims === undefined ? {} : { bucketSims: hold.bucketSims }),
    };
    const days = daysFrom(row.from_day, row.to_day);
    await this.score(row, hold, run, days);
    await this.change(row, hold, { phase: 'DECIDE' });
    const decisions = new Map<Day, DetectorDecision[]>();
    for (const day of days) {
      if (hold.isStopping()) throw new RunInterrupted();
      const decided = await this.decision.decide(run, day, await this.clientsOf(day), run.stores ? null : decisions);
      decisions.set(day, decided);
      if (run.stores) await this.raise({ ...run, onDemand: row.trigger === 'ON_DEMAND', startedAt }, hold, day, decided);
    }
    await this.finish(row, hold, run, decisions);
  }

  private async planOf(row: PopulationRunRow): Promise<PlannedDetector[]> {
    if (row.plan === null) return this.fit.plan();
    // what it began with, so that a configuration that changes meanwhile doesn't mix two plans
    return row.plan.flatMap(({ id, scope, options }) => {
      const detector = this.registry.find(id);
      return detector ? [{ detector, scope, options }] : [];
    });
  }

  /** The newest generation that fits the plan and isn't due to be fitted again; where there is none, one that is fitted for the run. */
  private async generationFor(row: PopulationRunRow, hold: RunHold, plan: readonly PlannedDetector[]): Promise<LoadedGeneration> {
    const own = row.generation === null ? null : await this.generations.find(row.generation);
    if (own) return this.generations.load(own);
    const isBacktest = row.trigger === 'BACKTEST';
    for (const candidate of await this.generations.daily()) {
      // a back-test knows no more than a daily run of its first day would have known
      if (isBacktest && candidate.toDay > row.from_day) continue;
      if (daysBetween(candidate.toDay, isBacktest ? row.from_day : row.to_day) >= this.config.populationRefitDays) break;
      const loaded = await this.generations.load(candidate).catch(() => null);
      if (loaded && plan.every((planned) => this.generations.whyNot(loaded, planned) === undefined)) {
        await this.change(row, hold, { generation: candidate.generation });
        return loaded;
      }
    }
    await this.change(row, hold, { phase: 'FIT' });
    const [fromDay, toDay] = await this.trainingDays(row.from_day);
    const { generation } = await this.fit.run({
      ...this.fitOrder(row, hold),
      purpose: isBacktest ? 'BACKTEST' : 'DAILY',
      plan,
      fromDay,
      toDay,
      alsoStore: async (tx, fitted) => {
        await this.mustHold(tx, hold);
        await changeRun(tx, this.entropy, row.run_id, { generation: fitted.generation }, this.clock.now());
      },
    });
    return this.generations.load((await this.generations.find(generation))!);
  }

  private async onlyFit(row: PopulationRunRow, hold: RunHold, plan: readonly PlannedDetector[]): Promise<void> {
    await this.change(row, hold, { phase: 'FIT' });
    const newer = (await this.generations.daily()).find(({ toDay }) => toDay > row.to_day);
    const warnings = newer
      ? [
          `Models that were trained on ${newer.fromDay} to ${newer.toDay} are newer than these, on ${row.from_day} to ${row.to_day}: runs that they fit go on with them.`,
        ]
      : [];
    await this.fit.run({
      ...this.fitOrder(row, hold),
      purpose: 'DAILY',
      plan,
      fromDay: row.from_day,
      toDay: row.to_day,
      alsoStore: async (tx, { generation, clusters, trainedRows, failures }) => {
        await this.mustHold(tx, hold);
        const now = this.clock.now();
        const result = { generation, trainedRows, clusters, failures: Object.fromEntries(failures) };
        const end = { state: 'SUCCEEDED', phase: 'DONE', finishedAt: now } as const;
        await changeRun(tx, this.entropy, row.run_id, { ...end, generation, result, warnings }, now);
      },
    });
  }

  private fitOrder(row: PopulationRunRow, hold: RunHold): Pick<FitOrder, 'seed' | 'progress'> {
    return {
      seed: Number(row.seed),
      progress: async (step, done, total) => {
        if (hold.isStopping()) throw new RunInterrupted();
        await this.change(row, hold, step === 'fit' ? { modelsDone: done, modelsTotal: total } : {});
      },
    };
  }

  /** The days before the one that is judged; that day itself where there is nothing before. */
  private async trainingDays(day: Day): Promise<[Day, Day]> {
    const before = daysFrom(addDays(day, -TRAINING_DAYS), addDays(day, -1));
    for (const each of before) if ((await this.clientsOf(each)).length > 0) return [each, addDays(day, -1)];
    return [day, day];
  }

  private async score(row: PopulationRunRow, hold: RunHold, run: ScoringRun, days: readonly Day[]): Promise<void> {
    const rowsTotal = await this.operatorRead((tx) => countRows(tx, days[0]!, days.at(-1)!));
    const goesOn = row.phase === 'SCORE';
    // one that goes on has seen some of the features as they were before
    const saw = run.stores && !goesOn ? { sawChanges: await this.operatorRead((tx) => changesOf(tx, row.to_day)) } : {};
    await this.change(row, hold, { phase: 'SCORE', rowsTotal, ...saw });
    let rowsDone = goesOn ? Number(row.rows_done) : 0;
    let told = Promise.resolve();
    const onBucket = (rows: number): Promise<void> => {
      rowsDone += rows;
      const now = Math.min(rowsDone, rowsTotal);
      // one after the other, or progress would go back
      return (told = told.then(() => this.change(row, hold, { rowsDone: now })));
    };
    try {
      for (const day of days) await this.scoreDay(run, day, onBucket);
    } finally {
      await this.scorer.stop();
    }
  }

  private async scoreDay(run: ScoringRun, day: Day, onBucket: (rows: number) => Promise<void>): Promise<void> {
    const waiting = await this.clientsOf(day);
    const scoreNext = async (): Promise<void> => {
      try {
        for (let clientId = waiting.shift(); clientId !== undefined; clientId = waiting.shift())
          await this.scorer.scoreClient(run, clientId, day, onBucket);
      } finally {
        // whoever fails leaves nothing to begin for the others
        waiting.length = 0;
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: CLIENTS_AT_ONCE[this.database.kind] }, scoreNext));
    for (const each of ended) if (each.status === 'rejected') throw each.reason as Error;
  }

  private async raise(run: DecidingRun & ScoringRun, hold: RunHold, day: Day, decisions: readonly DetectorDecision[]): Promise<void> {
    const closedThrough = await this.operatorRead((tx) => decidedThrough(tx, day));
    const earlier = await this.operatorRead((tx) => clientsDecidedSince(tx, addDays(day, -CLEARING_DAYS)));
    const clients = [...new Set([...(await this.clientsOf(day)), ...earlier])].sort((a, b) => a - b);
    for (const clientId of clients) {
      if (hold.isStopping()) throw new RunInterrupted();
      await this.decision.commit(run, day, clientId, decisions, closedThrough);
    }
  }

  private async finish(
    row: PopulationRunRow,
    hold: RunHold,
    run: ScoringRun,
    decisions: ReadonlyMap<Day, readonly DetectorDecision[]>,
  ): Promise<void> {
    const warnings = await this.warnings(row, run);
    const last = decisions.get(row.to_day)!;
    await this.database.transaction({ name: 'population.finish', role: 'ingest', clientId: OPERATOR }, async (tx) => {
      await this.mustHold(tx, hold);
      const now = this.clock.now();
      const runs = last.map(({ planned, rows, flagged, failure }) => ({
        detector: planned.detector,
        rows,
        abstained: 0,
        hits: flagged,
        failure,
      }));
      const forOperator = run.stores ? await recordHealth(tx, OPERATOR, row.to_day, runs, now) : null;
      const judgedAtLast = run.stores ? await runSucceeded(tx, row) : null;
      for (const verdicts of [forOperator, judgedAtLast]) if (verdicts) await this.verdictCommit.commit(tx, verdicts);
      const change: RunChange = { state: 'SUCCEEDED', phase: 'DONE', finishedAt: now, warnings, result: resultOf(decisions) };
      await changeRun(tx, this.entropy, row.run_id, change, now);
    });
    for (const day of decisions.keys()) {
      for (const clientId of await this.clientsOf(day)) {
        await this.database.transaction({ name: 'population.tidy', role: 'ingest', clientId }, async (tx) => {
          await deleteCheckpoints(tx, clientId, row.run_id);
        });
      }
    }
  }

  /** What an engineer should know: features that have moved since the models were fitted. */
  private async warnings(row: PopulationRunRow, { generation }: ScoringRun): Promise<string[]> {
    const counts = new Float64Array(DRIFT_WIDTH);
    for (const clientId of await this.clientsOf(row.to_day)) {
      await this.database.transaction({ name: 'population.drift', role: 'ingest', clientId, readOnly: true }, (tx) =>
        addDriftCounts(tx, clientId, row.run_id, row.to_day, counts),
      );
    }
    const moved = stabilityIndex(generation.drift, counts)
      .filter(({ psi }) => psi > PSI_STALE)
      .sort((a, b) => b.psi - a.psi);
    if (moved.length === 0) return [];
    const worst = moved.slice(0, 5).map(({ feature, psi }) => `${feature} (PSI ${psi.toFixed(2)})`);
    return [
      `The models were fitted on ${generation.fromDay} to ${generation.toDay}; ${moved.length} features have moved since: ${worst.join(', ')}. Fit them again on newer days.`,
    ];
  }

  private clientsOf(day: Day): Promise<number[]> {
    return this.operatorRead((tx) => featureClients(tx, day));
  }

  private operatorRead<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction({ name: 'population.clients', role: 'ingest', readOnly: true }, work);
  }

  private async mustHold(tx: Transaction, { holder }: RunHold): Promise<void> {
    const until = new Date(this.clock.now().getTime() + RUN_LEASE_MILLISECONDS);
    if (!(await keepLease(tx, RUN_LEASE, holder, until))) throw new RunLostError();
  }

  private change(row: PopulationRunRow, hold: RunHold, change: RunChange): Promise<void> {
    return this.database.transaction({ name: 'population.progress', role: 'ingest', clientId: OPERATOR }, async (tx) => {
      await this.mustHold(tx, hold);
      await changeRun(tx, this.entropy, row.run_id, change, this.clock.now());
    });
  }
}
