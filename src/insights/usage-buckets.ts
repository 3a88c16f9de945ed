/** Cuts time into hours, days, ISO weeks and months, all in UTC: so a change of daylight saving is nothing that happens here. */
import { registerEnumType } from 'type-graphql';
import { SimwardenError } from '../errors';

export enum Granularity {
  HOUR = 'HOUR',
  DAY = 'DAY',
  WEEK = 'WEEK',
  MONTH = 'MONTH',
}

registerEnumType(Granularity, {
  name: 'Granularity',
  description: 'How usage is cut into buckets; all bounds are UTC.',
  valuesConfig: {
    HOUR: { description: 'Whole hours.' },
    DAY: { description: 'UTC days.' },
    WEEK: { description: 'ISO weeks, Monday to Sunday.' },
    MONTH: { description: 'Calendar months.' },
  },
});

export interface Bucket {
  readonly from: Date;
  /** Exclusive: equal to `from` of the next. */
  readonly to: Date;
}

/** Three months of hours, six years of days. */
export const MOST_BUCKETS = 2_200;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** 1970-01-01 was a Thursday: the Monday before it. */
const FIRST_MONDAY = -3 * DAY;

/** The start of the bucket that holds an instant. */
export function bucketStart(instant: Date, granularity: Granularity): Date {
  const time = instant.getTime();
  switch (granularity) {
    case Granularity.HOUR:
      return new Date(Math.floor(time / HOUR) * HOUR);
    case Granularity.DAY:
      return new Date(Math.floor(time / DAY) * DAY);
    case Granularity.WEEK:
      return new Date(Math.floor((time - FIRST_MONDAY) / (7 * DAY)) * 7 * DAY + FIRST_MONDAY);
    case Granularity.MONTH:
      return new Date(Date.UTC(instant.getUTCFullYear(), instant.getUTCMonth(), 1));
  }
}

function nextStart(start: Date, granularity: Granularity): Date {
  switch (granularity) {
    case Granularity.HOUR:
      return new Date(start.getTime() + HOUR);
    case Granularity.DAY:
      return new Date(start.getTime() + DAY);
    case Granularity.WEEK:
      return new Date(start.getTime() + 7 * DAY);
    case Granularity.MONTH:
      return new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1));
  }
}

/** Every bucket that [from, to) touches, whole: the first holds `from`, the last the moment before `to`. */
export function bucketsBetween(from: Date, to: Date, granularity: Granularity): Bucket[] {
  requireForward(from, to);
  const buckets: Bucket[] = [];
  for (let start = bucketStart(from, granularity); start < to;) {
    const end = nextStart(start, granularity);
    buckets.push({ from: start, to: end });
    if (buckets.length > MOST_BUCKETS) {
      throw new SimwardenError('BAD_USER_INPUT', {
        what: `The range has more than ${MOST_BUCKETS} buckets of one ${granularity.toLowerCase()}; ask for a shorter range or coarser buckets.`,
      });
    }
    start = end;
  }
  return buckets;
}

/** About how many buckets a range has, at once: 0 to MOST_BUCKETS. */
export function bucketEstimate(from: Date, to: Date, granularity: Granularity): number {
  const length = { HOUR, DAY, WEEK: 7 * DAY, MONTH: 30 * DAY }[granularity];
  return Math.min(MOST_BUCKETS, Math.max(0, (to.getTime() - from.getTime()) / length));
}

export function requireForward(from: Date, to: Date): void {
  if (from >= to)
    throw new SimwardenError('BAD_USER_INPUT', {
      what: `The range is empty: from ${from.toISOString()} is not before to ${to.toISOString()}.`,
    });
}

/** A range as the roll-ups hold it: whole days, and the hours before and after them. */
export interface RangeParts {
  /** UTC days [from, to) as YYYY-MM-DD; null when no whole day lies inside. */
  readonly days: { readonly from: string; readonly to: string } | null;
  /** Whole hours within one UTC day each. */
  readonly hours: readonly { readonly day: string; readonly from: Date; readonly to: Date }[];
}

/** Splits [from, to), widened to whole hours. */
export function rangeParts(from: Date, to: Date): RangeParts {
  requireForward(from, to);
  const start = Math.floor(from.getTime() / HOUR) * HOUR;
  const end = Math.ceil(to.getTime() / HOUR) * HOUR;
  const firstWhole = Math.ceil(start / DAY) * DAY;
  const lastWhole = Math.floor(end / DAY) * DAY;
  const hours = (partFrom: number, partTo: number): RangeParts['hours'] =>
    partFrom < partTo ? [{ day: utcDay(partFrom), from: new Date(partFrom), to: new Date(partTo) }] : [];
  if (firstWhole > lastWhole) return { days: null, hours: hours(start, end) };
  return {
    days: firstWhole < lastWhole ? { from: utcDay(firstWhole), to: utcDay(lastWhole) } : null,
    hours: [...hours(start, firstWhole), ...hours(lastWhole, end)],
  };
}

/** The UTC day of an instant (milliseconds), YYYY-MM-DD. */
export function utcDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The `count` days that end with `day`, earliest first. */
export function daysThrough(day: string, count: number): string[] {
  const last = Date.parse(`${day}T00:00:00Z`);
  return Array.from({ length: count }, (_, i) => utcDay(last - (count - 1 - i) * DAY));
}
