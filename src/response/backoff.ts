/** How long a failed message waits: 1 s, 5 s, 30 s, 2 min, 10 min, then 30 min each, spread by a fifth so that receivers aren't hit in step. */
import type { Entropy } from '../runtime';

const STEPS_SECONDS = [1, 5, 30, 120, 600, 1800] as const;
const SPREAD = 0.2;

/** Milliseconds to wait after attempt number `attempts` (from 1): the step, times a random factor in [0.8, 1.2). */
export function backoffMilliseconds(attempts: number, entropy: Entropy): number {
  const seconds = STEPS_SECONDS[Math.min(Math.max(attempts, 1), STEPS_SECONDS.length) - 1]!;
  const fraction = entropy.bytes(4).readUInt32BE() / 2 ** 32;
  return Math.round(seconds * 1000 * (1 - SPREAD + 2 * SPREAD * fraction));
}
