/** How the values of telemetry are written: instants, byte counts, networks, names. */
import { isIP } from 'node:net';
import { normaliseIccid, normaliseImei, normalisePlmn } from '../../fleet/identifiers';

const MINUTE_MILLISECONDS = 60_000;
/** 2100-12-31T23:59:59.999Z. */
const LAST_INSTANT = 4_133_980_799_999;

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|[+-]00:00)$/i;

/** Milliseconds since the epoch; finer fractions are cut. */
function parseInstant(text: string): number | undefined {
  if (/^\d{1,13}$/.test(text)) {
    const milliseconds = Number(text);
    return milliseconds <= LAST_INSTANT ? milliseconds : undefined;
  }
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  if (year < 1970 || year > 2100 || hour > 23 || minute > 59 || second > 59) return undefined;
  const midnight = Date.UTC(year, month - 1, day);
  const date = new Date(midnight);
  // 30 February is 1 March for Date.UTC: only a real day keeps its month and day.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const milliseconds = match[7] ? Number(match[7].slice(0, 3).padEnd(3, '0')) : 0;
  return midnight + (hour * 60 + minute) * MINUTE_MILLISECONDS + second * 1000 + milliseconds;
}

export const instant = {
  expected: 'a time in RFC 3339 UTC such as 2026-11-01T08:30:00Z, or epoch milliseconds, from 1970 to 2100',
  parse: parseInstant,
  format: (milliseconds: number): string => new Date(milliseconds).toISOString(),
};

export const iccid = {
  expected: 'an ICCID of 19 or 20 digits that starts with 89',
  parse: (text: string): string | undefined => normaliseIccid(text) ?? undefined,
};

export const imei = {
  expected: 'an IMEI of 15 digits or an IMEISV of 16',
  parse: (text: string): string | undefined => normaliseImei(text)?.imei,
};

export const plmn = {
  expected: 'MCC and MNC such as 214-07 or 21407',
  parse: (text: string): string | undefined => normalisePlmn(text) ?? undefined,
};

/** 2^53 − 1: what JSON numbers and columns of detectors keep exactly. */
const MOST_BYTES = BigInt(Number.MAX_SAFE_INTEGER);

export const byteCount = {
  expected: `a whole number of bytes from 0 to ${MOST_BYTES}`,
  parse: (text: string): bigint | undefined => {
    if (!/^\d{1,16}$/.test(text)) return undefined;
    const bytes = BigInt(text);
    return bytes <= MOST_BYTES ? bytes : undefined;
  },
};

export function wholeNumber(least: number, most: number): { expected: string; parse: (text: string) => number | undefined } {
  return {
    expected: `a whole number from ${least} to ${most}`,
    parse: (text) => (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined),
  };
}

export function textUpTo(mostCharacters: number): { expected: string; parse: (text: string) => string | undefined } {
  return {
    expected: `a text of at most ${mostCharacters} characters, well-formed and without U+0000`,
    parse: (text) => (text.length <= mostCharacters ? text : undefined),
  };
}

export function oneOf<Name extends string>(names: readonly Name[]): { expected: string; parse: (text: string) => Name | undefined } {
  return { expected: `one of ${names.join(', ')}`, parse: (text) => names.find((name) => name === text) };
}

export const deviceEventType = {
  expected: 'REBOOT, TLS_ERROR, RETRY_LOOP or another name of 1 to 64 of A-Z and _',
  parse: (text: string): string | undefined => (/^[A-Z_]{1,64}$/.test(text) ? text : undefined),
};

/** 3GPP's names of the radio access technologies, and what else platforms call them. */
export const RATS = ['GERAN', 'UTRAN', 'EUTRAN', 'LTE_M', 'NB_IOT', 'NR'] as const;
export type Rat = (typeof RATS)[number];

const RAT_SYNONYMS: Readonly<Record<string, Rat>> = {
  '2G': 'GERAN',
  GSM: 'GERAN',
  GPRS: 'GERAN',
  EDGE: 'GERAN',
  '3G': 'UTRAN',
  UMTS: 'UTRAN',
  '4G': 'EUTRAN',
  LTE: 'EUTRAN',
  E_UTRAN: 'EUTRAN',
  LTEM: 'LTE_M',
  CAT_M: 'LTE_M',
  CAT_M1: 'LTE_M',
  NBIOT: 'NB_IOT',
  '5G': 'NR',
  '5G_NR': 'NR',
  ...Object.fromEntries(RATS.map((rat) => [rat, rat])),
};

export const rat = {
  expected: `one of ${RATS.join(', ')}, or 2G, 3G, 4G, 5G`,
  parse: (text: string): Rat | undefined => {
    const name = text.toUpperCase().replaceAll('-', '_');
    return Object.hasOwn(RAT_SYNONYMS, name) ? RAT_SYNONYMS[name] : undefined;
  },
};

const HOST_NAME = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

export const destination = {
  expected: 'a host name, an IP address, or an autonomous system such as AS64500',
  parse: (text: string): string | undefined => {
    if (/^as\d{1,10}$/i.test(text)) return text.toUpperCase();
    const name = text.toLowerCase().replace(/\.$/, '');
    return isIP(name) !== 0 || HOST_NAME.test(name) ? name : undefined;
  },
};
