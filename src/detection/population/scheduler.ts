/** When population runs happen: daily, once the day has closed and the schedule's time has come, and whenever somebody asks. One at a time, anywhere. */
import { Cron } from 'croner';
import { singleton } from 'tsyringe';
import { Config } from '../../config';
import { Database, type Transaction } from '../../database/database';
import { releaseLease, takeLease } from '../../database/lease';
import { PokedLoop } from '../../database/poked-loop';
import { SimwardenError } from '../../errors';
import { Clock, Entropy, Log } from '../../runtime';
import { addDays, dayOf, endOfDay, HOUR_MILLISECONDS, type Day } from '../days';
import { DetectorRegistry } from '../host/registry';
import { VerdictCommit } from '../verdicts';
import { RunInterrupted } from './bucket';
import { failedDaysDue, runFailed } from './failed-days';
import { changesOf, daysToJudgeAgain, type ChangedDay } from './judged-days';
import { PopulationRetention } from './population-retention';
import { PopulationRun, RUN_LEASE, RUN_LEASE_MILLISECONDS, RunLostError } from './population-run';
import { changeRun, insertRun, nextOpenRun, OPERATOR, type PopulationRunRow } from './run-record';

const POLL_MILLISECONDS = 10_000;
/** Days that were missed (the process was down) are made up for this far back; older ones are judged when somebody asks. */
const CATCH_UP_DAYS = 7;
/** A day closes at noon of the next at the latest. */
const CLOSED_AFTER_MILLISECONDS = 12 * HOUR_MILLISECONDS;
const MOST_ATTEMPTS = 3;
/** Scheduled runs draw the same samples wherever they run. */
const SEED = 1;

@singleton()
export class PopulationScheduler {
  private readonly loop: PokedLoop;
  private readonly schedule: Cron;
  private stopping = false;

  constructor(
    private readonly database: Database,
    config: Config,
    private readonly registry: DetectorRegistry,
    private readonly run: PopulationRun,
    private readonly retention: PopulationRetention,
    private readonly verdictCommit: VerdictCommit,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
    private readonly log: Log,
  ) {
    this.schedule = new Cron(config.populationSchedule, { timezone: 'UTC', paused: true });
    this.loop = new PokedLoop({
      name: 'population',
      database,
      channel: 'evaluation',
      pollMilliseconds: POLL_MILLISECONDS,
      work: () => this.work(),
      log,
    });
  }

  start(): void {
    this.stopping = false;
    this.loop.start();
  }

  /** A run is left between two buckets, and taken up again by whoever comes next. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
    this.stopping = false;
  }

  drain(): Promise<void> {
    return this.loop.drain();
  }

  private async work(): Promise<boolean> {
    await this.retention.forget();
    if (this.registry.population().length === 0) return false;
    await this.scheduleDays();
    const holder = this.entropy.uuid();
    const now = this.clock.now();
    const row = await this.write('population.claim', async (tx) => {
      const open = await nextOpenRun(tx);
      const until = new Date(now.getTime() + RUN_LEASE_MILLISECONDS);
      return open && (await takeLease(tx, RUN_LEASE, holder, until, now)) ? open : null;
    });
    if (row === null) return false;
    try {
      await this.run.execute(row, { holder, isStopping: () => this.stopping });
      return true;
    } catch (error) {
      if (error instanceof RunInterrupted || error instanceof RunLostError) return false;
      await this.failed(row, error);
      return true;
    } finally {
      await this.write('population.release', (tx) => releaseLease(tx, RUN_LEASE, holder));
      if (row.trigger === 'BACKTEST') await this.retention.forgetBacktestModels();
    }
  }

  /** What the caller can mend ends the run at once; anything else is tried again. A day of the schedule is run again later; the operator is told. */
  private async failed(row: PopulationRunRow, error: unknown): Promise<void> {
    const what = error instanceof Error ? error.message : String(error);
    const attempts = row.attempts + 1;
    const isFinal = (error instanceof SimwardenError && error.mendable) || attempts >= MOST_ATTEMPTS;
    this.log.logger.error({ err: error, run: row.run_id, day: row.to_day, attempts, isFinal }, 'a population run failed');
    const now = this.clock.now();
    const end = isFinal ? ({ state: 'FAILED', finishedAt: now } as const) : {};
    await this.write('population.fail', async (tx) => {
      await changeRun(tx, this.entropy, row.run_id, { attempts, error: what.slice(0, 1000), ...end }, now);
      if (isFinal && row.trigger === 'SCHEDULE') await this.verdictCommit.commit(tx, runFailed(row, what.slice(0, 1000)));
    });
    if (!isFinal) throw error;
  }

  /** Adds the runs of days that are due: for the first time, or again since late dialogues changed their features or their run failed. */
  private async scheduleDays(): Promise<void> {
    const now = this.clock.now();
    const today = dayOf(now);
    const read = { name: 'population.due', role: 'ingest', readOnly: true } as const;
    const due = await this.database.transaction(read, async (tx) => {
      const days = await daysWithFeatures(tx, addDays(today, -CATCH_UP_DAYS), today);
      const open: (ChangedDay & { job: string; scheduledFor?: Date })[] = [];
      for (const day of days) {
        if (this.scheduledFor(day) > now || (await isScheduled(tx, day))) continue;
        if (await isReady(tx, day, now)) open.push({ day, changes: await changesOf(tx, day), job: dailyJob(day) });
      }
      for (const { day, changes } of await daysToJudgeAgain(tx, today, now))
        if (await isReady(tx, day, now)) open.push({ day, changes, job: `${dailyJob(day)}, changes ${changes}` });
      for (const { day, job, retryAt } of await failedDaysDue(tx, now))
        if (!open.some((each) => each.day === day) && (await isReady(tx, day, now)))
          open.push({ day, changes: await changesOf(tx, day), job, scheduledFor: retryAt });
      return open;
    });
    for (const { day, changes, job, scheduledFor = this.scheduledFor(day) } of due) {
      const of = { fromDay: day, toDay: day, seed: SEED, requestedBy: null, sawChanges: changes };
      const run = { job, scheduledFor, ...of };
      await this.write('population.schedule', (tx) => insertRun(tx, this.entropy, { ...run, trigger: 'SCHEDULE' }, now));
    }
  }

  /** The schedule's first time after the day. */
  private scheduledFor(day: Day): Date {
    return this.schedule.nextRun(new Date(endOfDay(day) - 1000)) ?? new Date(endOfDay(day));
  }

  private write<T>(name: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction({ name, role: 'ingest', clientId: OPERATOR }, work);
  }
}

async function daysWithFeatures(tx: Transaction, from: Day, before: Day): Promise<Day[]> {
  const rows = await tx.query<{ day: Day }>('SELECT DISTINCT day FROM feature_day WHERE day >= $1 AND day < $2 AND sims > 0 ORDER BY day', [
    from,
    before,
  ]);
  return rows.map((row) => row.day);
}

/** With its day, since a sparse schedule may give several days the same time. */
function dailyJob(day: Day): string {
  return `daily ${day}`;
}

async function isScheduled(tx: Transaction, day: Day): Promise<boolean> {
  const rows = await tx.query('SELECT 1 FROM population_run WHERE client_id = $1 AND job = $2', [OPERATOR, dailyJob(day)]);
  return rows.length > 0;
}

/** Whether the day is closed, and its features are computed, for every client with dialogues on it. */
async function isReady(tx: Transaction, day: Day, now: Date): Promise<boolean> {
  const [row] = await tx.query<{ computes: boolean; open: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM signaling_day signaling WHERE signaling.day = $1 AND NOT EXISTS
              (SELECT 1 FROM feature_day feature WHERE feature.client_id = signaling.client_id AND feature.day = signaling.day
                 AND feature.changes = signaling.changes)) AS computes,
            EXISTS (SELECT 1 FROM feature_day feature WHERE feature.day = $1 AND NOT EXISTS
              (SELECT 1 FROM day_close WHERE day_close.client_id = feature.client_id AND day_close.day = feature.day)) AS open`,
    [day],
  );
  const isPastNoon = now.getTime() >= endOfDay(day) + CLOSED_AFTER_MILLISECONDS;
  return !row!.computes && (isPastNoon || !row!.open);
}
