/** From the quarter-hour counters that ingest keeps to counts per hour, visited country and service. */
import type { Transaction } from '../../database/database';
import { ORIGINS, OUTCOMES, partQuarters, PROCEDURES, PROTOCOLS } from '../../telemetry';
import { HOUR_MILLISECONDS, startOfDay, type Day } from '../days';
import { countryOfPlmn } from '../../telemetry/plmn-country';

export const SERVICES = ['VOICE_SMS', 'DATA', 'MAP'] as const;
export type Service = (typeof SERVICES)[number];

/** What the counters say of one service of one country in one hour of the UTC day. */
export interface HourCount {
  readonly hour: number;
  readonly country: string;
  readonly service: Service;
  readonly dialogues: number;
  readonly successes: number;
}

/** The counts of a day, and the networks of each country that they come from. */
export interface DayCounts {
  readonly hours: readonly HourCount[];
  readonly networksOf: ReadonlyMap<string, readonly number[]>;
}

interface CounterRow {
  quarter: Date;
  plmn: number;
  protocol: number;
  procedure: number;
  origin: number;
  outcome: number;
  dialogues: string;
}

const codeOf = <Name extends string>(names: readonly Name[], name: Name): number => names.indexOf(name) + 1;
const map = codeOf(PROTOCOLS, 'MAP');
const success = codeOf(OUTCOMES, 'SUCCESS');
const vlr = codeOf(ORIGINS, 'VLR');
const dataOrigins = [codeOf(ORIGINS, 'SGSN'), codeOf(ORIGINS, 'MME')];
const registrations = [codeOf(PROCEDURES, 'SAI'), codeOf(PROCEDURES, 'UL'), codeOf(PROCEDURES, 'UL_GPRS')];

/** Every dialogue of MAP counts for MAP; authentications and location updates count for voice and SMS (from a VLR) or for data (from an SGSN or MME). */
function servicesOf(row: CounterRow): Service[] {
  const services: Service[] = row.protocol === map ? ['MAP'] : [];
  if (!registrations.includes(row.procedure)) return services;
  if (row.origin === vlr) services.push('VOICE_SMS');
  if (dataOrigins.includes(row.origin)) services.push('DATA');
  return services;
}

/** The counts of the day's first `hours` hours, in the order of hour, country and service; those that chunks counted lately are not merged yet. */
export async function readDayCounts(tx: Transaction, clientId: number, day: Day, hours: number): Promise<DayCounts> {
  const start = startOfDay(day);
  const rows = await tx.query<CounterRow>(
    `SELECT quarter, plmn, protocol, procedure, origin, outcome, dialogues FROM signaling_quarter_hour
      WHERE client_id = $1 AND quarter >= $2 AND quarter < $3
     UNION ALL
     SELECT quarter, plmn, protocol, procedure, origin, outcome, dialogues FROM (${partQuarters('signaling_part')}) AS counted
      WHERE client_id = $1 AND day = $4 AND quarter >= $2 AND quarter < $3`,
    [clientId, new Date(start), new Date(start + hours * HOUR_MILLISECONDS), day],
  );
  const counts = new Map<string, { -readonly [Key in keyof HourCount]: HourCount[Key] }>();
  const networksOf = new Map<string, Set<number>>();
  for (const row of rows) {
    const hour = Math.floor((row.quarter.getTime() - start) / HOUR_MILLISECONDS);
    const country = countryOfPlmn(row.plmn);
    networksOf.set(country, (networksOf.get(country) ?? new Set<number>()).add(row.plmn));
    for (const service of servicesOf(row)) {
      const key = `${String(hour).padStart(2, '0')} ${country} ${service}`;
      const count = counts.get(key) ?? { hour, country, service, dialogues: 0, successes: 0 };
      count.dialogues += Number(row.dialogues);
      if (row.outcome === success) count.successes += Number(row.dialogues);
      counts.set(key, count);
    }
  }
  return {
    hours: [...counts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, count]) => count),
    networksOf: new Map([...networksOf].map(([country, networks]) => [country, [...networks]])),
  };
}
