/** Hashes that stand in for random draws: whether a SIM is in a sample depends on the seed and on it alone, not on the order of reading. */
import { createHash } from 'node:crypto';

/** Uniform in [0, 1) over (seed, parts); FNV-1a over the text, then the finaliser of MurmurHash3, in two halves for 53 bits. */
export function uniformHash(seed: number, text: string): number {
  let one = (0x811c9dc5 ^ seed) >>> 0;
  let two = (0x01000193 ^ Math.imul(seed, 0x9e3779b1)) >>> 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    one = Math.imul(one ^ code, 0x01000193);
    two = Math.imul(two ^ (code + 0x9e37), 0x85ebca6b);
  }
  return (finished(one) * 0x200000 + (finished(two) >>> 11)) / 2 ** 53;
}

function finished(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A 32-bit seed of its own for each purpose. */
export function seedFor(seed: number, purpose: string): number {
  return Math.floor(uniformHash(seed, purpose) * 2 ** 32);
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
