/** Where a client stands in time: which days are closed, how far its sources delivered, and when its billing cycle starts. */
import type { Transaction } from '../../database/database';
import { addDays, dayOf, earlier, endOfDay, HOUR_MILLISECONDS, startOfDay, type Day } from '../days';

/** A feed of one kind of records, as far as it has delivered. */
export interface Source {
  readonly source: string;
  readonly kind: string;
  /** Latest event time delivered, in milliseconds since the epoch: the client's own, or the source's as a whole where that is further. */
  readonly watermark: number;
  /** Wall clock of its last delivery for this client. */
  readonly lastReceivedAt: number;
}

export interface Calendar {
  readonly clientId: number;
  readonly billingCycleDay: number;
  readonly firstClosed: Day | null;
  readonly lastClosed: Day | null;
  /** The last closed day whose close was evaluated for every SIM; baselines are ready up to the day after it. */
  readonly lastEvaluated: Day | null;
  /** The latest day that any source of the client has reached. */
  readonly latestDay: Day | null;
  readonly sources: readonly Source[];
}

/** A day closes once its sources are this far past it. */
export const CLOSE_AFTER_MILLISECONDS = 6 * HOUR_MILLISECONDS;
/** A usage feed that was silent for a week is retired: it holds nothing up any more. */
const USAGE_SOURCE_ACTIVE_DAYS = 7;
/** Events come when something happens: a feed of events counts only for days that it delivered on. */
const EVENT_SOURCE_ACTIVE_DAYS = 1;

export async function readCalendar(tx: Transaction, clientId: number): Promise<Calendar> {
  const [stands] = await tx.query<{ cycle: number; first_closed: Day | null; last_closed: Day | null; last_evaluated: Day | null }>(
    `SELECT (SELECT billing_cycle_day FROM client WHERE client_id = $1) AS cycle,
            (SELECT min(day) FROM day_close WHERE client_id = $1) AS first_closed,
            (SELECT max(day) FROM day_close WHERE client_id = $1) AS last_closed,
            (SELECT max(day) FROM day_close WHERE client_id = $1 AND evaluated_at IS NOT NULL) AS last_evaluated`,
    [clientId],
  );
  const sources = await readSources(tx, clientId);
  const latest = sources.length === 0 ? null : dayOf(Math.max(...sources.map((source) => source.ownWatermark)));
  return {
    clientId,
    billingCycleDay: stands?.cycle ?? 1,
    firstClosed: stands?.first_closed ?? null,
    lastClosed: stands?.last_closed ?? null,
    lastEvaluated: stands?.last_evaluated ?? null,
    latestDay: latest,
    sources,
  };
}

async function readSources(tx: Transaction, clientId: number): Promise<(Source & { ownWatermark: number })[]> {
  const rows = await tx.query<{ client_id: number; source: string; kind: string; watermark: Date; last_received_at: Date }>(
    'SELECT client_id, source, kind, watermark, last_received_at FROM source_watermark WHERE client_id IN (0, $1) ORDER BY source, kind',
    [clientId],
  );
  const own = rows.filter((row) => row.client_id === clientId);
  // A feed that serves many clients is on time although this client's SIMs are silent: its row under client 0 says so.
  const shared = new Map(rows.filter((row) => row.client_id === 0).map((row) => [`${row.kind} ${row.source}`, row.watermark.getTime()]));
  return own.map((row) => ({
    source: row.source,
    kind: row.kind,
    ownWatermark: row.watermark.getTime(),
    watermark: Math.max(row.watermark.getTime(), shared.get(`${row.kind} ${row.source}`) ?? -Infinity),
    lastReceivedAt: row.last_received_at.getTime(),
  }));
}

export function isUsage(source: Source): boolean {
  return source.kind.toLowerCase() === 'usage';
}

/** The sources whose lateness matters for the day. Usage comes steadily, so it speaks for the events of the same source, which may be rare. */
export function activeSources(sources: readonly Source[], day: Day): Source[] {
  const withUsage = new Set(sources.filter(isUsage).map((source) => source.source));
  return sources.filter((source) => {
    if (!isUsage(source) && withUsage.has(source.source)) return false;
    const days = isUsage(source) ? USAGE_SOURCE_ACTIVE_DAYS : EVENT_SOURCE_ACTIVE_DAYS;
    return source.watermark >= startOfDay(addDays(day, 1 - days));
  });
}

/** The active sources that are not yet six hours past the day; where none is active, all of them are late. */
export function lateSources(sources: readonly Source[], day: Day): Source[] {
  const active = activeSources(sources, day);
  return (active.length > 0 ? active : [...sources]).filter((source) => source.watermark < endOfDay(day) + CLOSE_AFTER_MILLISECONDS);
}

/** How far the latest usage source is behind the end of the day, in seconds; NaN where none ever delivered. */
export function usageLatenessSeconds(sources: readonly Source[], day: Day): number {
  const usage = sources.filter(isUsage);
  if (usage.length === 0) return NaN;
  const active = activeSources(usage, day);
  // Where all are retired, the one that came furthest speaks: its silence must not pass for the SIMs' silence.
  const watermark =
    active.length > 0 ? Math.min(...active.map((source) => source.watermark)) : Math.max(...usage.map((source) => source.watermark));
  return Math.max(0, (endOfDay(day) - watermark) / 1000);
}

/** The day whose baselines and counts serve for `day`: its own once the day before was evaluated, else the newest there is. */
export function preparedDay(calendar: Calendar, day: Day): Day | null {
  return calendar.lastEvaluated === null ? null : earlier(day, addDays(calendar.lastEvaluated, 1));
}

/** Event time of an evaluation of the day: its end once closed, else how far its sources are within it. */
export function eventTime(calendar: Calendar, day: Day, closed: boolean): number {
  if (closed) return endOfDay(day);
  const reached = Math.max(startOfDay(day), ...calendar.sources.map((source) => source.watermark));
  return Math.min(reached, endOfDay(day));
}
