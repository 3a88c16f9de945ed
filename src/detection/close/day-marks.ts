/** The row of a closed day: dirty while its close is to be evaluated, and how far what happened on it reaches. */
import type { Transaction } from '../../database/database';
import { addDays, type Day } from '../days';

/**
 * A late row changes running totals (a billing cycle has up to 31 days), baselines and habits (28 days) of the days after it: their closes are
 * evaluated again too, up to this many days on. The weekly baselines of closed weeks further on stay as they were.
 */
const REACH_DAYS = 31;

export interface DayMark {
  readonly day: Day;
  readonly incomplete: boolean;
  readonly lateMarks: number;
  /** Closed days up to here are evaluated again after this one; null: none. */
  readonly dirtyThrough: Day | null;
}

interface MarkRow {
  day: Day;
  incomplete: boolean;
  late_marks: number;
  dirty_through: Day | null;
}

/** Closes the day; it is dirty until its close was evaluated. */
export async function insertClosedDay(tx: Transaction, clientId: number, day: Day, incomplete: boolean, now: Date): Promise<void> {
  await tx.query(
    `INSERT INTO day_close (client_id, day, closed_at, incomplete, dirty) VALUES ($1, $2, $3, $4, true) ON CONFLICT (client_id, day) DO NOTHING`,
    [clientId, day, now, incomplete],
  );
}

/** Records reached these closed days: they are evaluated again, and what follows from them. */
export async function markLate(tx: Transaction, clientId: number, days: readonly Day[]): Promise<void> {
  if (days.length === 0) return;
  await tx.query(
    `UPDATE day_close SET dirty = true, late_marks = late_marks + 1, dirty_through = GREATEST(coalesce(dirty_through, day), day + ${REACH_DAYS})
      WHERE client_id = $1 AND day = ANY($2::date[])`,
    [clientId, days],
  );
}

/** Data came from before the first closed day: the days from there on are closed as well, to be evaluated in order. */
export async function closeBackTo(tx: Transaction, clientId: number, from: Day, firstClosed: Day, now: Date): Promise<void> {
  await tx.query(
    `INSERT INTO day_close (client_id, day, closed_at, incomplete, dirty, dirty_through)
     SELECT $1, added.day::date, $4, false, true, (added.day + interval '${REACH_DAYS} days')::date
       FROM generate_series($2::timestamp, $3::timestamp - interval '1 day', interval '1 day') AS added (day)
     ON CONFLICT (client_id, day) DO NOTHING RETURNING day`,
    [clientId, from, firstClosed, now],
  );
}

/** The source has caught up with a day that was closed without it. */
export async function completeDay(tx: Transaction, clientId: number, day: Day): Promise<void> {
  await tx.query('UPDATE day_close SET incomplete = false, dirty = true, late_marks = late_marks + 1 WHERE client_id = $1 AND day = $2', [
    clientId,
    day,
  ]);
}

export async function earliestDirtyDay(tx: Transaction, clientId: number): Promise<DayMark | null> {
  const [row] = await tx.query<MarkRow>(
    'SELECT day, incomplete, late_marks, dirty_through FROM day_close WHERE client_id = $1 AND dirty ORDER BY day LIMIT 1',
    [clientId],
  );
  return row ? { day: row.day, incomplete: row.incomplete, lateMarks: row.late_marks, dirtyThrough: row.dirty_through } : null;
}

/** The day's close was evaluated for every SIM. It stays dirty where late rows came meanwhile; the day after follows where it is within reach. */
export async function finishDay(tx: Transaction, clientId: number, mark: DayMark, now: Date): Promise<void> {
  await tx.query(
    `UPDATE day_close SET evaluated_at = $4, dirty = late_marks <> $3, dirty_through = CASE WHEN late_marks <> $3 THEN dirty_through END
      WHERE client_id = $1 AND day = $2`,
    [clientId, mark.day, mark.lateMarks, now],
  );
  if (mark.dirtyThrough === null || mark.dirtyThrough <= mark.day) return;
  await tx.query(
    'UPDATE day_close SET dirty = true, dirty_through = GREATEST(coalesce(dirty_through, $3::date), $3::date) WHERE client_id = $1 AND day = $2',
    [clientId, addDays(mark.day, 1), mark.dirtyThrough],
  );
}
