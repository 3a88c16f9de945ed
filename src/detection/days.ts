/** UTC days, ISO weeks and billing cycles: the windows that everything here is counted in. */
import type { Kind } from '../detector';

/** A UTC day as YYYY-MM-DD; such texts sort by time. */
export type Day = string;

export const DAY_MILLISECONDS = 86_400_000;
export const HOUR_MILLISECONDS = 3_600_000;

/** First millisecond of the day, since the epoch. */
export function startOfDay(day: Day): number {
  return Date.parse(`${day}T00:00:00.000Z`);
}

/** First millisecond after the day. */
export function endOfDay(day: Day): number {
  return startOfDay(day) + DAY_MILLISECONDS;
}

export function dayOf(instant: Date | number): Day {
  return new Date(instant).toISOString().slice(0, 10);
}

export function addDays(day: Day, days: number): Day {
  return dayOf(startOfDay(day) + days * DAY_MILLISECONDS);
}

/** Days from `from` to `to`; negative when `to` lies before. */
export function daysBetween(from: Day, to: Day): number {
  return Math.round((startOfDay(to) - startOfDay(from)) / DAY_MILLISECONDS);
}

/** Every day from `from` to `to`, both included. */
export function daysFrom(from: Day, to: Day): Day[] {
  return Array.from({ length: Math.max(0, daysBetween(from, to) + 1) }, (_, index) => addDays(from, index));
}

/** The earlier of two days; null stands for "no day". */
export function earlier(one: Day, other: Day | null): Day {
  return other !== null && other < one ? other : one;
}

/** Monday of the day's ISO week. */
export function weekStart(day: Day): Day {
  return addDays(day, -((new Date(startOfDay(day)).getUTCDay() + 6) % 7));
}

/** ISO weekday, Monday 1 to Sunday 7. */
export function isoWeekday(day: Day): number {
  return ((new Date(startOfDay(day)).getUTCDay() + 6) % 7) + 1;
}

/** First day of the billing cycle that the day lies in. `billingCycleDay`: 1 to 28, so that every month has it. */
export function cycleStart(day: Day, billingCycleDay: number): Day {
  const dayOfMonth = Number(day.slice(8));
  const [year, month] = [Number(day.slice(0, 4)), Number(day.slice(5, 7))];
  return dayOf(Date.UTC(year, dayOfMonth >= billingCycleDay ? month - 1 : month - 2, billingCycleDay));
}

/** A window of whole days: from `start` up to, not including, `end`. */
export interface DayWindow {
  readonly start: Day;
  readonly end: Day;
}

/** The window of a kind that the day lies in. */
export function windowOf(window: Kind['window'], day: Day, billingCycleDay: number): DayWindow {
  if (window === 'DAY') return { start: day, end: addDays(day, 1) };
  if (window === 'WEEK') return { start: weekStart(day), end: addDays(weekStart(day), 7) };
  const start = cycleStart(day, billingCycleDay);
  // 31 days after the first of a cycle always lies in the next one, and no cycle is longer.
  return { start, end: cycleStart(addDays(start, 31), billingCycleDay) };
}
