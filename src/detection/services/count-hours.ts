/** Brings clients' judged hours up to date with the counters: hours that are new, or that late dialogues reached, are counted again. */
import type { Transaction } from '../../database/database';
import type { Day } from '../days';
import { countDevices, countProvisioned, type DeviceCount, type Look } from './device-counts';
import { readDayCounts, type HourCount } from './hour-counts';
import { readServiceHours, type ServiceHour } from './stored-hours';

/**
 * What makes an hour worth counting device by device. A device without service tries several times, so where more than 5 % of them are hit, failures
 * are more than a tenth of the registrations; a healthy network stays below.
 */
const LEAST_FAILURES = 4;
const LEAST_FAILED_SHARE = 0.1;
const LEAST_FAILED_MAP_SHARE = 0.5;

export interface CountedHours {
  /** All of the day, in the order of hour, country and service. */
  readonly all: readonly ServiceHour[];
  /** Those that are new or differ from what is stored. */
  readonly changed: readonly ServiceHour[];
}

/** What the counters say of a client's day, beside what was judged before. */
export interface DayToCount {
  readonly clientId: number;
  readonly hours: readonly HourCount[];
  readonly networksOf: ReadonlyMap<string, readonly number[]>;
  readonly stored: ReadonlyMap<string, ServiceHour>;
}

/** `hoursOver`: how many hours of the day are over. */
export async function readDayToCount(tx: Transaction, clientId: number, day: Day, hoursOver: number): Promise<DayToCount> {
  const counts = await readDayCounts(tx, clientId, day, hoursOver);
  const stored = await readServiceHours(tx, clientId, day);
  return { clientId, ...counts, stored: new Map(stored.map((hour) => [keyOf(hour), hour])) };
}

/** What was seen of the devices, by client and then by hour, country and service. */
export type SeenDevices = ReadonlyMap<number, ReadonlyMap<string, Devices>>;

/** Looks at the devices of all suspicious hours of clients, in a few reads of the day. */
export async function lookAtDevices(tx: Transaction, day: Day, days: readonly DayToCount[]): Promise<SeenDevices> {
  const suspicious = new Map(days.map((each) => [each.clientId, suspiciousOf(each)]));
  const looksAt = (ofMap: boolean): Look[] =>
    days.flatMap(({ clientId, networksOf }): Look[] => {
      const counts = suspicious.get(clientId)!.filter(({ service }) => (service === 'MAP') === ofMap);
      if (counts.length === 0) return [];
      const countries = [...new Set(counts.map(({ country }) => country))];
      const networks = countries.flatMap((country) => (networksOf.get(country) ?? []).map((plmn) => ({ plmn, country })));
      return [{ clientId, hours: [...new Set(counts.map(({ hour }) => hour))], networks }];
    });
  const registrations = looksAt(false);
  const counted = new Map<string, DeviceCount>();
  for (const count of await countDevices(tx, 'MAP', day, looksAt(true))) counted.set(`${count.clientId} ${keyOf(count)}`, count);
  for (const count of await countDevices(tx, 'REGISTRATIONS', day, registrations)) counted.set(`${count.clientId} ${keyOf(count)}`, count);
  const provisioned = await countProvisioned(tx, day, registrations);
  const seen = (clientId: number, count: HourCount): Devices => {
    // An hour whose dialogues were all of SIMs that we blocked counts none.
    const { dialogues = 0, successes = 0, simsTried = 0, simsFailed = 0 } = counted.get(`${clientId} ${keyOf(count)}`) ?? {};
    if (count.service === 'MAP') return { dialogues, successes, simsTried: null, simsFailed: null, simsProvisioned: null };
    return { dialogues, successes, simsTried, simsFailed, simsProvisioned: provisioned.get(`${clientId} ${count.country}`) ?? 0 };
  };
  return new Map(
    [...suspicious].map(([clientId, counts]) => [clientId, new Map(counts.map((count) => [keyOf(count), seen(clientId, count)]))]),
  );
}

export function countedHours(day: DayToCount, seen: SeenDevices): CountedHours {
  const devices = seen.get(day.clientId);
  const changed: ServiceHour[] = [];
  const all = day.hours.map((count): ServiceHour => {
    if (isKnown(day, count)) return day.stored.get(keyOf(count))!;
    const unseen = { simsTried: null, simsFailed: null, simsProvisioned: null };
    const hour = { ...count, counted: count.dialogues, ...unseen, ...devices?.get(keyOf(count)) };
    changed.push(hour);
    return hour;
  });
  return { all, changed };
}

export function suspiciousOf(day: DayToCount): HourCount[] {
  return day.hours.filter((count) => !isKnown(day, count) && isSuspicious(count));
}

function isKnown({ stored }: DayToCount, count: HourCount): boolean {
  return stored.get(keyOf(count))?.counted === count.dialogues;
}

function isSuspicious({ service, dialogues, successes }: HourCount): boolean {
  const failures = dialogues - successes;
  return failures >= LEAST_FAILURES && failures >= dialogues * (service === 'MAP' ? LEAST_FAILED_MAP_SHARE : LEAST_FAILED_SHARE);
}

type Devices = Pick<ServiceHour, 'dialogues' | 'successes' | 'simsTried' | 'simsFailed' | 'simsProvisioned'>;

function keyOf({ hour, country, service }: Pick<HourCount, 'hour' | 'country' | 'service'>): string {
  return `${hour} ${country} ${service}`;
}
