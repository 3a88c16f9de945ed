/** From queue rows to the SIM-days that must be judged again: those named, and those that what came for them reaches. */
import type { Transaction } from '../../database/database';
import { addDays, earlier, windowOf, type Day } from '../days';
import { readCalendar, type Calendar } from '../observe/calendar';
import { simsHeardEarly } from '../observe/event-rows';
import type { QueueRow } from './queue';

export interface Portion {
  readonly rows: readonly QueueRow[];
  /** The SIMs to judge per day, days in order, SIMs by id. */
  readonly days: readonly (readonly [day: Day, simIds: readonly string[]])[];
  /** Closed days that records came for. */
  readonly lateDays: readonly Day[];
  /** The earliest day that records came for, where that is before the first closed one. */
  readonly before: { readonly from: Day; readonly firstClosed: Day } | null;
}

export async function planPortion(tx: Transaction, clientId: number, rows: readonly QueueRow[]): Promise<Portion> {
  const calendar = await readCalendar(tx, clientId);
  const simsOfDay = new Map<Day, Set<string>>();
  const add = (day: Day, simIds: readonly string[]) => {
    const sims = simsOfDay.get(day) ?? new Set();
    for (const simId of simIds) sims.add(simId);
    simsOfDay.set(day, sims);
  };
  const arrivals = rows.filter((row) => row.reason === 'INGEST' || row.reason === 'REQUEUE');
  for (const row of rows) add(row.day, row.simIds);
  for (const row of arrivals) {
    // A week's or cycle's running total is judged on its latest day.
    for (const day of latestDaysOfWindows(calendar, row.day)) add(day, row.simIds);
  }
  const { firstClosed, lastClosed } = calendar;
  const arrivalDays = [...new Set(arrivals.map((row) => row.day))].sort();
  await addDaysBefore(tx, clientId, calendar, arrivalDays, simsOfDay, add);
  const first = arrivalDays[0];
  return {
    rows,
    days: [...simsOfDay].sort(([a], [b]) => (a < b ? -1 : 1)).map(([day, sims]) => [day, [...sims].sort(byNumber)] as const),
    lateDays: arrivalDays.filter((day) => firstClosed !== null && lastClosed !== null && day >= firstClosed && day <= lastClosed),
    before: first !== undefined && firstClosed !== null && first < firstClosed ? { from: first, firstClosed } : null,
  };
}

function latestDaysOfWindows(calendar: Calendar, day: Day): Day[] {
  if (calendar.latestDay === null || day >= calendar.latestDay) return [];
  return (['WEEK', 'BILLING_CYCLE'] as const).map((window) =>
    earlier(addDays(windowOf(window, day, calendar.billingCycleDay).end, -1), calendar.latestDay),
  );
}

/** What a SIM did in the first hours of a day, and was not known when the day before closed, belongs to that day's picture: the SIM was seen again. */
async function addDaysBefore(
  tx: Transaction,
  clientId: number,
  calendar: Calendar,
  days: readonly Day[],
  simsOfDay: ReadonlyMap<Day, ReadonlySet<string>>,
  add: (day: Day, simIds: readonly string[]) => void,
): Promise<void> {
  for (const day of days) {
    const before = addDays(day, -1);
    if (calendar.lastClosed === null || before > calendar.lastClosed) continue;
    const [close] = await tx.query<{ closed_at: Date }>('SELECT closed_at FROM day_close WHERE client_id = $1 AND day = $2', [
      clientId,
      before,
    ]);
    if (close) add(before, await simsHeardEarly(tx, clientId, day, [...simsOfDay.get(day)!], close.closed_at));
  }
}

function byNumber(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);
}
