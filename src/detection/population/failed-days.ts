/** Days whose scheduled run failed: run again, later each time, and the operator is told until one succeeds. */
import type { Transaction } from '../../database/database';
import { DAY_MILLISECONDS, endOfDay, startOfDay, type Day } from '../days';
import type { Finding, Judged, Verdicts } from '../verdicts';
import { OPERATOR, type PopulationRunRow } from './run-record';

/** Names the daily run where alerts name a detector. */
const DAILY_RUN = 'population-run';
const FAILED_KIND = 'POPULATION_RUN_FAILED';

const FIRST_WAIT_MILLISECONDS = 5 * 60_000;
/** From the eighth failure on: four runs a day. */
const LONGEST_WAIT_MILLISECONDS = 6 * 3_600_000;
/** Whoever mends it later asks for the day. */
const MOST_RETRY_DAYS = 7;

/** 5 minutes after the first failure in a row, 10 after the second, 20, 40 … */
function retryAt(failures: number, lastFailedAt: Date): Date {
  return new Date(lastFailedAt.getTime() + Math.min(LONGEST_WAIT_MILLISECONDS, FIRST_WAIT_MILLISECONDS * 2 ** (failures - 1)));
}

export interface FailedDay {
  readonly day: Day;
  /** The job that failed last. */
  readonly job: string;
  readonly retryAt: Date;
}

/** Days whose scheduled runs failed since the day was judged last, and that are due again. */
export async function failedDaysDue(tx: Transaction, now: Date): Promise<FailedDay[]> {
  const runs = await tx.query<{ day: Day; job: string; trigger: string; state: string; finished_at: Date | null }>(
    `SELECT to_day AS day, job, trigger, state, finished_at FROM population_run
      WHERE client_id = $1 AND trigger IN ('SCHEDULE', 'ON_DEMAND') AND to_day IN
        (SELECT to_day FROM population_run WHERE client_id = $1 AND trigger = 'SCHEDULE' AND state = 'FAILED' AND finished_at > $2)
      ORDER BY to_day, finished_at`,
    // the streak's first failure is looked for too
    [OPERATOR, new Date(now.getTime() - (MOST_RETRY_DAYS + 1) * DAY_MILLISECONDS)],
  );
  const due: FailedDay[] = [];
  for (const day of new Set(runs.map((run) => run.day))) {
    const own = runs.filter((run) => run.day === day);
    if (own.some(({ finished_at: finishedAt }) => finishedAt === null)) continue;
    const judged = own.findLastIndex(({ state }) => state === 'SUCCEEDED');
    const failed = own.slice(judged + 1).filter(({ trigger }) => trigger === 'SCHEDULE');
    if (failed.length === 0) continue;
    const [first, last] = [failed[0]!, failed.at(-1)!];
    const next = retryAt(failed.length, last.finished_at!);
    const givenUpAt = first.finished_at!.getTime() + MOST_RETRY_DAYS * DAY_MILLISECONDS;
    if (next <= now && next.getTime() < givenUpAt) due.push({ day, job: last.job, retryAt: next });
  }
  return due;
}

/** What the operator is told of a scheduled run that was given up. */
export function runFailed({ to_day: day }: Pick<PopulationRunRow, 'to_day'>, error: string): Verdicts {
  const finding: Finding = {
    detectorId: DAILY_RUN,
    kind: FAILED_KIND,
    title: 'The population of a day could not be judged',
    subject: 'CLIENT',
    subjectId: String(OPERATOR),
    simId: null,
    fleetId: null,
    windowStart: new Date(startOfDay(day)),
    windowEnd: new Date(endOfDay(day)),
    severity: 'CRITICAL',
    score: 1,
    evidence: [
      {
        column: 'error',
        observed: error,
        expected: null,
        unit: '',
        weight: 1,
        text: `The run of ${day} failed: ${error.replace(/\.$/, '')}. It is run again for ${MOST_RETRY_DAYS} days, later each time; runDetection runs it at once.`,
      },
    ],
  };
  return { clientId: OPERATOR, findings: [finding], judged: [], closedThrough: null };
}

/** What the operator is told of a day that was judged now; null: no run of it had failed. */
export async function runSucceeded(tx: Transaction, { to_day: day }: Pick<PopulationRunRow, 'to_day'>): Promise<Verdicts | null> {
  const failed = await tx.query(
    `SELECT 1 FROM population_run WHERE client_id = $1 AND to_day = $2 AND trigger = 'SCHEDULE' AND state = 'FAILED' LIMIT 1`,
    [OPERATOR, day],
  );
  if (failed.length === 0) return null;
  const judged: Judged = {
    detectorId: DAILY_RUN,
    kind: FAILED_KIND,
    subject: 'CLIENT',
    windowStart: new Date(startOfDay(day)),
    subjectIds: [String(OPERATOR)],
  };
  return { clientId: OPERATOR, findings: [], judged: [judged], closedThrough: null };
}
