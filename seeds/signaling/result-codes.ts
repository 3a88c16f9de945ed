/** Which result codes go with which refusal: MAP errors of 3GPP TS 29.002, Diameter results of RFC 6733 and TS 29.272. */
import { CL, DIAMETER, ERROR, NOTIFY, PURGE, REJECT, SAI, SUCCESS, UL } from './packed-rows';

/** 0 where the exchange carried none: a successful MAP answer, or no answer at all. */
export const NO_RESULT = 0;

// by protocol, then procedure; a code that stands twice is twice as frequent
const mapRejects: Record<number, readonly number[]> = {
  [SAI]: [1, 1, 9],
  [UL]: [8, 8, 8, 8, 1, 9, 21],
  [PURGE]: [1],
  [NOTIFY]: [5, 5, 27, 21],
};
const diameterRejects: Record<number, readonly number[]> = {
  [SAI]: [5001, 5001, 4181],
  [UL]: [5004, 5004, 5004, 5004, 5420, 5421, 5001],
  [CL]: [5001],
  [PURGE]: [5001],
  [NOTIFY]: [5001, 5420],
};
const mapErrors: readonly number[] = [34, 34, 34, 35, 36, 51];
const diameterErrors: readonly number[] = [3002, 3002, 5012, 5012];
const authenticationErrors: readonly number[] = [4181, 4181, 5012, 3002];

/** `draw`: any random bits. */
export function resultCode(protocol: number, procedure: number, outcome: number, draw: number): number {
  if (outcome === SUCCESS) return protocol === DIAMETER ? 2001 : NO_RESULT;
  if (outcome !== REJECT && outcome !== ERROR) return NO_RESULT;
  const codes = outcome === REJECT ? rejects(protocol, procedure) : errors(protocol, procedure);
  return codes[draw % codes.length]!;
}

function rejects(protocol: number, procedure: number): readonly number[] {
  const table = protocol === DIAMETER ? diameterRejects : mapRejects;
  // UL_GPRS is refused for the same reasons as UL
  return table[procedure] ?? table[UL]!;
}

function errors(protocol: number, procedure: number): readonly number[] {
  if (protocol !== DIAMETER) return mapErrors;
  return procedure === SAI ? authenticationErrors : diameterErrors;
}
