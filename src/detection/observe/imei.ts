/** How one IMEI compares with another: by TAC (model), serial and software version, never as raw texts (3GPP TS 23.003). */

export type ImeiChange = 'SAME' | 'SOFTWARE_VERSION' | 'SERIAL' | 'TAC';
export type ImeiMatch = 'MATCH' | 'SOFTWARE_VERSION' | 'SERIAL' | 'TAC';

const TAC_DIGITS = 8;
const COMPARED_DIGITS = 14;
const IMEISV_DIGITS = 16;

export function changeBetween(previous: string | null, observed: string | null): ImeiChange | null {
  if (previous === null || observed === null) return null;
  if (previous.slice(0, TAC_DIGITS) !== observed.slice(0, TAC_DIGITS)) return 'TAC';
  if (previous.slice(0, COMPARED_DIGITS) !== observed.slice(0, COMPARED_DIGITS)) return 'SERIAL';
  return softwareVersionDiffers(previous, observed) ? 'SOFTWARE_VERSION' : 'SAME';
}

/** Only an IMEISV carries a software version; against an IMEI it is unknown, which is no difference. */
function softwareVersionDiffers(one: string, other: string): boolean {
  return one.length === IMEISV_DIGITS && other.length === IMEISV_DIGITS && one.slice(COMPARED_DIGITS) !== other.slice(COMPARED_DIGITS);
}

/** `bound`: the IMEIs that the SIM may sit in. `previous`: the one seen before, which tells a software update from an old acquaintance. */
export function matchAgainst(bound: readonly string[], previous: string | null, observed: string | null): ImeiMatch | null {
  if (observed === null || bound.length === 0) return null;
  const same = bound.filter((imei) => imei.slice(0, COMPARED_DIGITS) === observed.slice(0, COMPARED_DIGITS));
  if (same.length > 0) {
    const seenBefore = previous !== null && changeBetween(previous, observed) !== 'TAC' && changeBetween(previous, observed) !== 'SERIAL';
    const references = seenBefore && previous.length === IMEISV_DIGITS ? [previous] : same;
    return references.every((reference) => softwareVersionDiffers(reference, observed)) ? 'SOFTWARE_VERSION' : 'MATCH';
  }
  return bound.some((imei) => imei.slice(0, TAC_DIGITS) === observed.slice(0, TAC_DIGITS)) ? 'SERIAL' : 'TAC';
}
