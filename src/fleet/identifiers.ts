/** One spelling for every identifier, so that what belongs together meets: ICCID, IMSI, MSISDN, IMEI and PLMN as platforms really write them. */

const ZERO = 48;

/** True when the last digit is the Luhn check digit of the ones before (ISO/IEC 7812-1; ICCID per E.118, IMEI per 3GPP TS 23.003). */
export function isLuhnValid(digits: string): boolean {
  return digits.length > 1 && isDigits(digits) && luhnSum(digits, digits.length) % 10 === 0;
}

/** The check digit that completes `body`. */
export function luhnCheckDigit(body: string): string {
  return String((10 - (luhnSum(`${body}0`, body.length + 1) % 10)) % 10);
}

function luhnSum(digits: string, length: number): number {
  let sum = 0;
  for (let i = length - 1, doubled = false; i >= 0; i--, doubled = !doubled) {
    const digit = digits.charCodeAt(i) - ZERO;
    sum += doubled ? (digit > 4 ? 2 * digit - 9 : 2 * digit) : digit;
  }
  return sum;
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < ZERO || code > ZERO + 9) return false;
  }
  return text.length > 0;
}

/** Longest text that is looked at: the longest identifier with a separator after each digit. */
const LONGEST = 48;

/** The digits of an identifier printed in groups (`8944 1100-…`); null where anything but digits, spaces and hyphens is left. */
function ungroup(text: string): string | null {
  if (isDigits(text)) return text.length <= LONGEST ? text : null;
  if (text.length > LONGEST) return null;
  const digits = text.replace(/[ -]/g, '');
  return isDigits(digits) ? digits : null;
}

/**
 * What was given as an ICCID, without grouping and without the `F` that fills 19 digits to the ten octets of EF_ICCID (TS 102 221): 19 or 20
 * digits starting with 89 (E.118's telecommunication prefix), or null. This is what is kept and shown.
 */
export function iccidDigits(text: string): string | null {
  const filled = text.endsWith('F') || text.endsWith('f');
  const digits = ungroup(filled ? text.slice(0, -1) : text);
  if (digits === null || !digits.startsWith('89')) return null;
  return digits.length === 19 || (digits.length === 20 && !filled) ? digits : null;
}

/**
 * The key under which the spellings of one SIM meet: the first 19 digits.
 *
 * Issuers print 19 digits with a check digit, or 20 with one, and platforms store the 20-digit form beside its 19 digits without it. Nothing tells a
 * 19-digit number with its check digit from one without (one in ten of the latter passes Luhn by chance), so 19 digits stand for themselves, and the
 * 20th is dropped where it is the right check digit. Some issuers' 20th digit is part of the number: where it isn't the check digit it stays, or
 * ten of their SIMs would meet under one key. Two different 20-digit numbers never share a key, since only one last digit is the right one.
 */
export function normaliseIccid(text: string): string | null {
  const digits = iccidDigits(text);
  if (digits === null || digits.length === 19) return digits;
  return isLuhnValid(digits) ? digits.slice(0, 19) : digits;
}

/** Every spelling that has this key: what to look for where numbers are stored as given. */
export function iccidSpellings(key: string): string[] {
  return key.length === 19 ? [key, key + luhnCheckDigit(key)] : [key];
}

/** IMSI (E.212): MCC (3) + MNC (2 or 3) + MSIN, 6 to 15 digits; null for anything else. */
export function normaliseImsi(text: string): string | null {
  const digits = ungroup(text);
  return digits !== null && digits.length >= 6 && digits.length <= 15 ? digits : null;
}

/** MSISDN (E.164) as digits without `+` or `00`: at most 15, among them ranges that phone-number libraries refuse (+882, +883); null for anything else. */
export function normaliseMsisdn(text: string): string | null {
  if (text.length > LONGEST) return null;
  const digits = text.replace(/[ \-().]/g, '').replace(/^(\+|00)/, '');
  return /^[1-9]\d{2,14}$/.test(digits) ? digits : null;
}

export interface Imei {
  /** As given, without grouping: 15 digits (IMEI), 16 (IMEISV), or 14 (IMEI without its check digit). */
  readonly imei: string;
  /** TAC and serial, the first 14 digits: what is compared. */
  readonly imei14: string;
  /** Type allocation code, the first 8 digits: the modem model. */
  readonly tac: string;
  /** Last two digits of an IMEISV; null for an IMEI. */
  readonly softwareVersion: string | null;
}

/**
 * An IMEI, with or without its check digit, or IMEISV (TS 23.003); null for anything else. The check digit isn't looked at: it never travels over the
 * air, and networks report a 0 in its place or leave it out.
 */
export function normaliseImei(text: string): Imei | null {
  const digits = ungroup(text);
  if (digits === null || digits.length < 14 || digits.length > 16) return null;
  return {
    imei: digits,
    imei14: digits.slice(0, 14),
    tac: digits.slice(0, 8),
    softwareVersion: digits.length === 16 ? digits.slice(14) : null,
  };
}

/**
 * How two IMEIs differ. SAME: one device. SOFTWARE_VERSION: one device after a firmware update. SERIAL: another device of the same model.
 * TAC: another kind of device.
 */
export type ImeiDifference = 'SAME' | 'SOFTWARE_VERSION' | 'SERIAL' | 'TAC';

/** Compares two IMEIs or IMEISVs by their first 14 digits; null where either is not one: unknown is neither a match nor a mismatch. */
export function compareImei(a: string, b: string): ImeiDifference | null {
  const left = normaliseImei(a);
  const right = normaliseImei(b);
  if (!left || !right) return null;
  if (left.tac !== right.tac) return 'TAC';
  if (left.imei14 !== right.imei14) return 'SERIAL';
  const bothKnown = left.softwareVersion !== null && right.softwareVersion !== null;
  return bothKnown && left.softwareVersion !== right.softwareVersion ? 'SOFTWARE_VERSION' : 'SAME';
}

/** PLMN as `MCC-MNC`, both as strings ("02" is not "2"). The MCC always has three digits, so `21407` is 214-07 and `310410` is 310-410; null for anything else. */
export function normalisePlmn(text: string): string | null {
  const match = /^(\d{3})-?(\d{2,3})$/.exec(text);
  return match ? `${match[1]}-${match[2]}` : null;
}
