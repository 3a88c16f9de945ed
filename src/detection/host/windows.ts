/** Which windows of a kind count: the closed ones before, for hysteresis; and whether a day still speaks for its week or billing cycle. */
import type { Transaction } from '../../database/database';
import type { Detector, Kind } from '../../detector';
import { addDays, endOfDay, startOfDay, windowOf, type Day, type DayWindow } from '../days';
import type { Observation, ObservationScope } from '../observe';
import type { FiringHistory, FiringQuestion, FiringWindow } from '../verdicts';
import { subjectOf } from './judge';

/** How many closed windows are looked at; a longer run counts as this many. */
const WINDOWS_BACK = 31;

/** Closed windows before the one of `day`, the latest first. */
export function closedWindowsBefore(window: Kind['window'], day: Day, billingCycleDay: number, lastClosed: Day | null): DayWindow[] {
  if (lastClosed === null) return [];
  const windows: DayWindow[] = [];
  let next = windowOf(window, addDays(windowOf(window, day, billingCycleDay).start, -1), billingCycleDay);
  // Windows that are not closed yet are stepped over: what they hold may still change.
  if (next.end > addDays(lastClosed, 1)) {
    const newest = windowOf(window, lastClosed, billingCycleDay);
    next = newest.end > addDays(lastClosed, 1) ? windowOf(window, addDays(newest.start, -1), billingCycleDay) : newest;
  }
  while (windows.length < WINDOWS_BACK) {
    windows.push(next);
    next = windowOf(window, addDays(next.start, -1), billingCycleDay);
  }
  return windows;
}

/** What fired in the closed windows before, of one (detector, kind): per subject, for how many windows in a row, the latest first. */
export type Streaks = ReadonlyMap<string, number>;

/** Per detector and kind, in their order. One question for all kinds of the same window: asked for each, it would be most of an evaluation's time. */
export async function readStreaks(
  tx: Transaction,
  history: FiringHistory,
  scope: ObservationScope,
  observation: Observation,
  detectors: readonly Detector[],
): Promise<Streaks[][]> {
  const { billingCycleDay, lastClosed } = scope.calendar;
  const kinds = detectors.flatMap(({ meta }) => meta.kinds.map((kind) => ({ ...kind, detectorId: meta.id, kind: kind.id })));
  const subjectIds = subjectsOf(kinds, scope, observation);
  const streaks = new Map<string, Map<string, number>>();
  for (const window of new Set(kinds.map((kind) => kind.window))) {
    const windows = closedWindowsBefore(window, scope.day, billingCycleDay, lastClosed);
    if (windows.length === 0) continue;
    const [from, to] = [new Date(startOfDay(windows.at(-1)!.start)), new Date(startOfDay(windows[0]!.end))];
    const asked = kinds.filter((kind) => kind.window === window);
    const fired = startsBySubject(await history.windows(tx, scope.clientId, { kinds: asked, subjectIds, from, to }));
    for (const [kind, subjects] of fired) {
      streaks.set(kind, new Map([...subjects].map(([subjectId, starts]) => [subjectId, lengthOf(windows, starts)])));
    }
  }
  return detectors.map(({ meta }) => meta.kinds.map((kind) => streaks.get(`${meta.id} ${kind.id}`) ?? new Map<string, number>()));
}

/** Everybody whom the rows speak of. */
function subjectsOf(
  kinds: readonly Pick<Kind, 'subject'>[],
  scope: ObservationScope,
  observation: Observation,
): FiringQuestion['subjectIds'] {
  const subjectIds: Partial<Record<Kind['subject'], readonly string[]>> = {};
  for (const subject of new Set(kinds.map((kind) => kind.subject))) {
    const found = new Set<string>();
    for (let row = 0; row < observation.rows; row++) {
      const subjectId = subjectOf({ subject }, scope, observation, row);
      if (subjectId !== null) found.add(subjectId);
    }
    subjectIds[subject] = [...found];
  }
  return subjectIds;
}

/** Per `detector kind` and subject: the starts of the windows that fired. */
function startsBySubject(fired: readonly FiringWindow[]): Map<string, Map<string, Set<number>>> {
  const starts = new Map<string, Map<string, Set<number>>>();
  for (const { detectorId, kind, subjectId, windowStart } of fired) {
    const key = `${detectorId} ${kind}`;
    const subjects = starts.get(key) ?? new Map<string, Set<number>>();
    starts.set(key, subjects.set(subjectId, (subjects.get(subjectId) ?? new Set()).add(windowStart.getTime())));
  }
  return starts;
}

/** For how many of the windows, the latest first, it fired without a break. */
function lengthOf(windows: readonly DayWindow[], starts: ReadonlySet<number>): number {
  const broken = windows.findIndex((window) => !starts.has(startOfDay(window.start)));
  return broken < 0 ? windows.length : broken;
}

/**
 * Who was active later in the same week or billing cycle. A running total is judged on the subject's latest day in the window: an earlier day,
 * evaluated again, knows less and must not take back what the later one found.
 */
export interface LaterActivity {
  /** Whether a later day of the window knows more about the subject than this day. */
  supersedes(window: Kind['window'], subject: Kind['subject'], subjectId: string): boolean;
}

export const nothingLater: LaterActivity = { supersedes: () => false };

interface LaterRow {
  in_week: boolean;
  in_cycle: boolean;
}

export async function readLaterActivity(tx: Transaction, scope: ObservationScope): Promise<LaterActivity> {
  const { clientId, day, calendar, sims } = scope;
  if (calendar.latestDay === null || day >= calendar.latestDay) return nothingLater;
  const weekEnd = windowOf('WEEK', day, calendar.billingCycleDay).end;
  const cycleEnd = windowOf('BILLING_CYCLE', day, calendar.billingCycleDay).end;
  const furthest = weekEnd > cycleEnd ? weekEnd : cycleEnd;
  if (addDays(day, 1) >= furthest) return nothingLater;
  const instant = (each: Day) => new Date(startOfDay(each));
  const ofSims = await tx.query<LaterRow & { sim_id: string }>(
    `SELECT sim_id, bool_or(day < $4) AS in_week, bool_or(day < $5) AS in_cycle FROM usage_sim_day
      WHERE client_id = $1 AND sim_id = ANY($2::int8[]) AND day > $3 AND day < $6 GROUP BY sim_id`,
    [clientId, sims.map((sim) => sim.simId), day, weekEnd, cycleEnd, furthest],
  );
  const hours = 'bool_or(hour < $3) AS in_week, bool_or(hour < $4) AS in_cycle';
  const bounds = [clientId, new Date(endOfDay(day)), instant(weekEnd), instant(cycleEnd), instant(furthest)];
  const ofFleets = await tx.query<LaterRow & { fleet_id: string }>(
    `SELECT fleet_id, ${hours} FROM usage_fleet_hour WHERE client_id = $1 AND hour >= $2 AND hour < $5 AND fleet_id = ANY($6::uuid[]) GROUP BY fleet_id`,
    [...bounds, [...new Set(sims.flatMap((sim) => sim.fleetId ?? []))]],
  );
  const [ofClient] = await tx.query<{ in_week: boolean | null; in_cycle: boolean | null }>(
    `SELECT ${hours} FROM usage_client_hour WHERE client_id = $1 AND hour >= $2 AND hour < $5`,
    bounds,
  );
  const later = new Map<string, LaterRow>([
    ...ofSims.map((row): [string, LaterRow] => [`SIM ${row.sim_id}`, row]),
    ...ofFleets.map((row): [string, LaterRow] => [`FLEET ${row.fleet_id}`, row]),
  ]);
  const clientLater: LaterRow = { in_week: ofClient?.in_week ?? false, in_cycle: ofClient?.in_cycle ?? false };
  return {
    supersedes(window, subject, subjectId) {
      if (window === 'DAY') return false;
      const row = subject === 'SIM' || subject === 'FLEET' ? later.get(`${subject} ${subjectId}`) : clientLater;
      return row !== undefined && (window === 'WEEK' ? row.in_week : row.in_cycle);
    },
  };
}
