/** Brings a client's judged hours up to date with the counters: hours that are new, or that late dialogues reached, are counted again. */
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

/** `hoursOver`: how many hours of the day are over. */
export async function countHours(tx: Transaction, clientId: number, day: Day, hoursOver: number): Promise<CountedHours> {
  const { hours, networksOf } = await readDayCounts(tx, clientId, day, hoursOver);
  const stored = new Map((await readServiceHours(tx, clientId, day)).map((hour) => [keyOf(hour), hour]));
  const isKnown = (count: HourCount) => stored.get(keyOf(count))?.counted === count.dialogues;
  const suspicious = hours.filter((count) => !isKnown(count) && isSuspicious(count));
  const devices = await lookAtDevices(tx, clientId, day, suspicious, networksOf);
  const changed: ServiceHour[] = [];
  const all = hours.map((count): ServiceHour => {
    if (isKnown(count)) return stored.get(keyOf(count))!;
    const hour = {
      ...count,
      counted: count.dialogues,
      simsTried: null,
      simsFailed: null,
      simsProvisioned: null,
      ...devices.get(keyOf(count)),
    };
    changed.push(hour);
    return hour;
  });
  return { all, changed };
}

function isSuspicious({ service, dialogues, successes }: HourCount): boolean {
  const failures = dialogues - successes;
  return failures >= LEAST_FAILURES && failures >= dialogues * (service === 'MAP' ? LEAST_FAILED_MAP_SHARE : LEAST_FAILED_SHARE);
}

type Devices = Pick<ServiceHour, 'dialogues' | 'successes' | 'simsTried' | 'simsFailed' | 'simsProvisioned'>;

/** By hour, country and service. An hour whose dialogues were all of SIMs that we blocked counts none. */
async function lookAtDevices(
  tx: Transaction,
  clientId: number,
  day: Day,
  suspicious: readonly HourCount[],
  networksOf: ReadonlyMap<string, readonly number[]>,
): Promise<ReadonlyMap<string, Devices>> {
  const lookAt = (counts: readonly HourCount[]): Look => ({
    clientId,
    day,
    hours: [...new Set(counts.map(({ hour }) => hour))],
    networks: [...new Set(counts.map(({ country }) => country))].flatMap((country) =>
      (networksOf.get(country) ?? []).map((plmn) => ({ plmn, country })),
    ),
  });
  const map = suspicious.filter(({ service }) => service === 'MAP');
  const registrations = suspicious.filter(({ service }) => service !== 'MAP');
  const counted = new Map<string, DeviceCount>();
  for (const count of await countDevices(tx, 'MAP', lookAt(map))) counted.set(keyOf(count), count);
  for (const count of await countDevices(tx, 'REGISTRATIONS', lookAt(registrations))) counted.set(keyOf(count), count);
  const provisioned = registrations.length > 0 ? await countProvisioned(tx, lookAt(registrations)) : new Map<string, number>();
  return new Map(
    suspicious.map((count): [string, Devices] => {
      const { dialogues = 0, successes = 0, simsTried = 0, simsFailed = 0 } = counted.get(keyOf(count)) ?? {};
      const isMap = count.service === 'MAP';
      return [
        keyOf(count),
        {
          dialogues,
          successes,
          simsTried: isMap ? null : simsTried,
          simsFailed: isMap ? null : simsFailed,
          simsProvisioned: isMap ? null : (provisioned.get(count.country) ?? 0),
        },
      ];
    }),
  );
}

function keyOf({ hour, country, service }: Pick<HourCount, 'hour' | 'country' | 'service'>): string {
  return `${hour} ${country} ${service}`;
}
