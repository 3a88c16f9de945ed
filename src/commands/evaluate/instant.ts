/** Instants as other people's files write them. */
import { dayOf, startOfDay } from '../../detection/days';

/** 2100-12-31T23:59:59.999Z: what lies later is no time of a record. */
const LAST_INSTANT = 4_133_980_799_999;
const Z = 90;

/** Milliseconds since the epoch, of an ISO 8601 date or time or of such a number; UTC where no offset is named, whatever the machine's zone. */
export function instantOf(given: string): number | null {
  const at = /^\d{9,14}$/.test(given) ? Number(given) : parse(given);
  return at >= 0 && at <= LAST_INSTANT ? Math.trunc(at) : null;
}

function parse(given: string): number {
  if (given.charCodeAt(given.length - 1) === Z) return Date.parse(given);
  if (!/^\d{4}-\d\d-\d\d/.test(given)) return NaN;
  const hasZone = given.length === 10 || /(z|[+-]\d\d(:?\d\d)?)$/i.test(given.slice(10));
  return Date.parse(hasZone ? given : `${given}Z`);
}

/** YYYY-MM-DD of a day that there is: 30 February is none. */
export function isDay(given: string): boolean {
  const start = /^\d{4}-\d\d-\d\d$/.test(given) ? startOfDay(given) : NaN;
  return Number.isFinite(start) && dayOf(start) === given;
}
