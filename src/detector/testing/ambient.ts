/** Replaces what a detector must not use, clock and Math.random, while it runs: so that one check, and only one, sees that it does. */
import { seededRandom } from '../numeric';

export interface Ambient {
  readonly seed: number;
  readonly milliseconds: number;
}

export async function withAmbient<Result>({ seed, milliseconds }: Ambient, work: () => Result | Promise<Result>): Promise<Result> {
  const realRandom = Math.random;
  const RealDate = Date;
  class FixedDate extends RealDate {
    constructor(...parts: unknown[]) {
      super(...((parts.length === 0 ? [milliseconds] : parts) as [number]));
    }
    static override now(): number {
      return milliseconds;
    }
  }
  Math.random = seededRandom(seed);
  globalThis.Date = FixedDate as DateConstructor;
  try {
    return await work();
  } finally {
    Math.random = realRandom;
    globalThis.Date = RealDate;
  }
}
