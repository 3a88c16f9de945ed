/** What an API key looks like and what is stored of it: `swk_<prefix>_<43 base64url characters>`, of which only the prefix and a hash remain. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Entropy } from '../runtime';

const KEY = /^swk_([0-9a-z]{8})_[A-Za-z0-9_-]{43}$/;

export interface NewKey {
  /** Shown once, stored nowhere. */
  readonly secret: string;
  /** Shown in lists, to tell keys apart. */
  readonly prefix: string;
  readonly sha256: Buffer;
}

export function newKey(entropy: Entropy): NewKey {
  const prefix = [...entropy.bytes(8)].map((byte) => (byte % 32).toString(32)).join('');
  const secret = `swk_${prefix}_${entropy.bytes(32).toString('base64url')}`;
  return { secret, prefix, sha256: sha256(secret) };
}

/** False for what can't be one of our keys, so that nonsense costs no query. */
export function looksLikeKey(text: string): boolean {
  return KEY.test(text);
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** Compares in constant time; both are hashes, so their lengths say nothing. */
export function sameHash(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
