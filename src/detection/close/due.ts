/** Which day of a client closes next, and when: once every active source is six hours past it, else at noon of the day after. */
import type { Transaction } from '../../database/database';
import { addDays, endOfDay, HOUR_MILLISECONDS, type Day } from '../days';
import { CLOSE_AFTER_MILLISECONDS, lateSources, type Calendar } from '../observe/calendar';

const NOON_AFTER_MILLISECONDS = 12 * HOUR_MILLISECONDS;
/** A backlog (an import of the past, a feed after an outage) is waited for as long as it keeps coming in: closing would only be undone by it. */
const BACKLOG_AFTER_MILLISECONDS = 36 * HOUR_MILLISECONDS;
const STILL_DELIVERING_MILLISECONDS = 10 * 60_000;

export interface DueDay {
  readonly day: Day;
  /** A source was late. */
  readonly incomplete: boolean;
}

/** The next day to close, if it is due. A client whom no source ever delivered anything for closes no days: nothing can be said of them. */
export async function nextDueDay(tx: Transaction, calendar: Calendar, now: Date): Promise<DueDay | null> {
  if (calendar.sources.length === 0) return null;
  const day = calendar.lastClosed === null ? await firstDay(tx, calendar) : addDays(calendar.lastClosed, 1);
  return day === null ? null : dueNow(calendar, day, now);
}

export function dueNow(calendar: Calendar, day: Day, now: Date): DueDay | null {
  const late = lateSources(calendar.sources, day);
  if (late.length === 0) return { day, incomplete: false };
  const passed = now.getTime() - endOfDay(day);
  if (passed < NOON_AFTER_MILLISECONDS) return null;
  const delivering = late.some((source) => now.getTime() - source.lastReceivedAt < STILL_DELIVERING_MILLISECONDS);
  return passed >= BACKLOG_AFTER_MILLISECONDS && delivering ? null : { day, incomplete: true };
}

/**
 * Clients worth a look, so that the many who have just closed a day cost one row each. An operator-wide read: the feeds' own progress (client 0)
 * may take a client past its day whose SIMs are all silent.
 */
export async function clientsThatMayBeDue(tx: Transaction, now: Date): Promise<number[]> {
  const [operator] = await tx.query<{ reached: Date | null }>('SELECT max(watermark) AS reached FROM source_watermark WHERE client_id = 0');
  const rows = await tx.query<{ client_id: number; reached: Date; last_closed: Day | null; marked: boolean }>(
    `SELECT client_id, max(watermark) AS reached,
            (SELECT max(day) FROM day_close WHERE day_close.client_id = source_watermark.client_id) AS last_closed,
            EXISTS (SELECT 1 FROM day_close WHERE day_close.client_id = source_watermark.client_id AND (dirty OR incomplete)) AS marked
       FROM source_watermark WHERE client_id > 0 GROUP BY client_id ORDER BY client_id`,
  );
  return rows
    .filter(({ reached, last_closed: lastClosed, marked }) => {
      if (marked || lastClosed === null) return true;
      const end = endOfDay(addDays(lastClosed, 1));
      const furthest = Math.max(reached.getTime(), operator?.reached?.getTime() ?? -Infinity);
      return furthest >= end + CLOSE_AFTER_MILLISECONDS || now.getTime() >= end + NOON_AFTER_MILLISECONDS;
    })
    .map((row) => row.client_id);
}

/** The client's first day with data. */
async function firstDay(tx: Transaction, { clientId, sources }: Calendar): Promise<Day | null> {
  const names = [...new Set(sources.map((source) => source.source))];
  const [signaling] = await tx.query<{ day: Day | null }>('SELECT min(day) AS day FROM signaling_day WHERE client_id = $1', [clientId]);
  const days: (Day | null)[] = [signaling?.day ?? null];
  for (const source of names) {
    // Per source and table, so that each is one look into the primary key.
    for (const table of ['usage_record', 'connection_event', 'device_event']) {
      const [row] = await tx.query<{ day: Day | null }>(`SELECT min(day) AS day FROM ${table} WHERE client_id = $1 AND source = $2`, [
        clientId,
        source,
      ]);
      days.push(row?.day ?? null);
    }
  }
  return days.filter((day) => day !== null).sort()[0] ?? null;
}

/** A day that was closed incomplete and whose sources have caught up since; not further back than sources are waited for. */
export async function completedDay(tx: Transaction, calendar: Calendar): Promise<Day | null> {
  if (calendar.lastClosed === null) return null;
  const rows = await tx.query<{ day: Day }>('SELECT day FROM day_close WHERE client_id = $1 AND incomplete AND day >= $2 ORDER BY day', [
    calendar.clientId,
    addDays(calendar.lastClosed, -35),
  ]);
  return rows.find(({ day }) => lateSources(calendar.sources, day).length === 0)?.day ?? null;
}
