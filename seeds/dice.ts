/** Randomness of the simulator: every draw depends on (seed, who, when, what for) alone, so records come out equal however time is sliced. */
import { seededRandom } from '../src/detector/numeric';

/** A stream of uniform numbers for these integers. */
export function dice(seed: number, ...purpose: number[]): () => number {
  let hash = 0x811c9dc5 ^ seed;
  for (const part of purpose) {
    hash = Math.imul(hash ^ (part & 0xffff), 0x01000193);
    hash = Math.imul(hash ^ ((part >>> 16) & 0xffff), 0x01000193);
    hash ^= hash >>> 13;
  }
  return seededRandom(hash >>> 0);
}

/** A standard normal number (Box–Muller). */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Digits followed by their Luhn check digit, as an ICCID or IMEI carries it (ISO/IEC 7812-1). */
export function withLuhnDigit(digits: string): string {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    let digit = Number(digits[digits.length - 1 - i]);
    if (i % 2 === 0) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return digits + String((10 - (sum % 10)) % 10);
}
