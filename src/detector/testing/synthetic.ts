/** Seeded SIMs that behave well, for authors: what a quiet fleet looks like in columns. Plant an anomaly by changing a row. */
import { seededRandom } from '../numeric';
import type { EventRow, UsageRow } from './rows';

const MEGABYTE = 1_000_000;
const DAY_SECONDS = 86_400;

/** A healthy SIM of a family that uses 10 MB a day, on a closed Wednesday; no limits, not on the top-20 list. */
export const quietSimDay: UsageRow = {
  dayBytes: 10 * MEGABYTE,
  dayUplinkBytes: 7 * MEGABYTE,
  dayDownlinkBytes: 3 * MEGABYTE,
  weekBytes: 30 * MEGABYTE,
  cycleBytes: 150 * MEGABYTE,
  dayClosed: 1,
  dayIncomplete: 0,
  weekClosed: 0,
  dailyLimitBytes: NaN,
  dailyWarnBytes: NaN,
  dailyClearBytes: NaN,
  monthlyLimitBytes: NaN,
  monthlyWarnBytes: NaN,
  monthlyClearBytes: NaN,
  fleetDayBytes: 1000 * MEGABYTE,
  fleetCycleBytes: 15_000 * MEGABYTE,
  fleetDailyLimitBytes: NaN,
  fleetDailyWarnBytes: NaN,
  fleetDailyClearBytes: NaN,
  fleetMonthlyLimitBytes: NaN,
  fleetMonthlyWarnBytes: NaN,
  fleetMonthlyClearBytes: NaN,
  clientDayBytes: 3000 * MEGABYTE,
  clientCycleBytes: 45_000 * MEGABYTE,
  clientDailyLimitBytes: NaN,
  clientDailyWarnBytes: NaN,
  clientDailyClearBytes: NaN,
  clientMonthlyLimitBytes: NaN,
  clientMonthlyWarnBytes: NaN,
  clientMonthlyClearBytes: NaN,
  baselineDayBytes: 10 * MEGABYTE,
  baselineWeekBytes: 70 * MEGABYTE,
  topRank: NaN,
  topRatioDay0: NaN,
  topRatioDay1: NaN,
  topRatioDay2: NaN,
  topRatioDay3: NaN,
  topRatioDay4: NaN,
  silentDays: 0,
  activeDaysOf28: 28,
  daysSinceRegistered: 200,
  sourceLatenessSeconds: 0,
  expectedSilence: 0,
  lifecycleActive: 1,
  blockedByUs: 0,
  critical: 0,
};

/** A healthy sighting: an attachment that a home-country network accepted, in the bound device. */
export const quietEvent: EventRow = {
  subject: 0,
  eventClass: 'CONNECTION',
  eventType: 'ATTACHMENT_ACCEPTED',
  eventCount: 1,
  secondOfDay: 3600,
  secondsSincePrevious: 7200,
  secondsUntilNext: 7200,
  imeiMatch: 'MATCH',
  imeiChange: 'SAME',
  network: '214-07',
  networkAllowed: NaN,
  networkFamilySims: 100,
  networkSimsTried: 100,
  networkSimsFailed: 1,
  destination: null,
  destinationAllowed: NaN,
  destinationFamilySims: NaN,
  familySims: 100,
  uplinkBytes: NaN,
  downlinkBytes: NaN,
  eventDayClosed: 1,
  eventBlockedByUs: 0,
  eventCritical: 0,
};

/** A usage record of the same SIM: traffic to the family's own back end. */
export const quietUsageEvent: EventRow = {
  ...quietEvent,
  eventClass: 'USAGE',
  eventType: 'USAGE',
  destination: 'backend.example',
  destinationFamilySims: 100,
  uplinkBytes: 700_000,
  downlinkBytes: 300_000,
};

export interface Population {
  readonly sims: number;
  readonly seed: number;
  /** Spread between SIMs: standard deviation of the natural logarithm. Default 0.25. */
  readonly spread?: number;
}

/** One closed SIM-day per SIM: log-normal usage around the family's baseline, limits at ten times it, the 20 largest on the list, now and then a silent day. */
export function syntheticUsage({ sims, seed, spread = 0.25 }: Population): UsageRow[] {
  const random = seededRandom(seed);
  const rows = Array.from({ length: sims }, (): UsageRow => {
    const level = Math.exp(spread * normal(random));
    const silent = random() < 0.01;
    const dayBytes = silent ? 0 : Math.round(10 * MEGABYTE * level * Math.exp(0.1 * normal(random)));
    return {
      ...quietSimDay,
      dayBytes,
      dayUplinkBytes: Math.round(dayBytes * 0.7),
      dayDownlinkBytes: dayBytes - Math.round(dayBytes * 0.7),
      weekBytes: dayBytes + Math.round(20 * MEGABYTE * level),
      cycleBytes: dayBytes + Math.round(140 * MEGABYTE * level),
      silentDays: silent ? 1 : 0,
      activeDaysOf28: random() < 0.1 ? 27 : 28,
      dailyLimitBytes: 100 * MEGABYTE,
      dailyWarnBytes: 80 * MEGABYTE,
      dailyClearBytes: 75 * MEGABYTE,
      monthlyLimitBytes: 3000 * MEGABYTE,
      monthlyWarnBytes: 2400 * MEGABYTE,
      monthlyClearBytes: 2250 * MEGABYTE,
    };
  });
  const byUsage = rows.map((_, row) => row).sort((a, b) => rows[b]!.dayBytes - rows[a]!.dayBytes || a - b);
  for (const [place, row] of byUsage.slice(0, 20).entries()) {
    // Yesterday's heaviest were others: the list of a quiet fleet changes from day to day.
    rows[row] = { ...rows[row]!, topRank: place + 1, topRatioDay0: rows[row]!.dayBytes / quietSimDay.baselineDayBytes };
  }
  return rows;
}

/** A closed day of events per SIM: attachment, data session and usage records, now and then a refused attempt before an accepted one, or a reboot. */
export function syntheticEvents({ sims, seed }: Pick<Population, 'sims' | 'seed'>): EventRow[] {
  const random = seededRandom(seed);
  return Array.from({ length: sims }, (_, subject) => quietDay(subject, random)).flat();
}

function quietDay(subject: number, random: () => number): EventRow[] {
  const day: EventRow[] = [];
  if (random() < 0.05) day.push({ ...quietEvent, eventType: 'ATTACHMENT_REJECTED' });
  day.push(quietEvent, { ...quietEvent, eventType: 'DATA_SESSION_STARTED' });
  const records = 1 + Math.floor(random() * 4);
  for (let record = 0; record < records; record++) {
    // Networks report the IMEI only now and then.
    const known = random() < 0.7;
    day.push({
      ...quietUsageEvent,
      uplinkBytes: Math.round(700_000 * Math.exp(0.3 * normal(random))),
      imeiMatch: known ? 'MATCH' : null,
      imeiChange: known ? 'SAME' : null,
    });
  }
  if (random() < 0.1)
    day.push({
      ...quietEvent,
      eventClass: 'DEVICE',
      eventType: 'REBOOT',
      network: null,
      networkSimsTried: NaN,
      networkSimsFailed: NaN,
      networkFamilySims: NaN,
      imeiMatch: null,
      imeiChange: null,
    });
  const step = DAY_SECONDS / (day.length + 1);
  return day.map((event, index) => ({
    ...event,
    subject,
    secondOfDay: Math.floor(step * (index + random())),
    secondsSincePrevious: step,
    secondsUntilNext: step,
  }));
}

/** Standard normal by Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
