/** The 30-day sums of 256 SIMs whose ids follow each other: stored in one row, moved on together. */
import type { Day } from '../days';
import { changeSums, FeatureMonth, MONTH_WIDTH } from './feature-month';

export const PAGE_SIMS = 256;

/** As stored: the SIM's place in the page before its sums. */
const STORED_WIDTH = 1 + MONTH_WIDTH;

/** The page of a SIM. */
export function pageOf(simId: number): number {
  return Math.floor(simId / PAGE_SIMS);
}

export class MonthPage {
  private readonly sums = new Float64Array(PAGE_SIMS * MONTH_WIDTH);

  constructor(
    /** The SIMs' ids begin at 256 times this. */
    readonly page: number,
    /** The sums are over the SIMs' stored days from this one on. */
    public fromDay: Day,
  ) {}

  static read(page: number, fromDay: Day, bytes: Uint8Array): MonthPage {
    const read = new MonthPage(page, fromDay);
    const stored = new Float64Array(Uint8Array.from(bytes).buffer);
    for (let from = 0; from < stored.length; from += STORED_WIDTH)
      read.sums.set(stored.subarray(from + 1, from + STORED_WIDTH), stored[from]! * MONTH_WIDTH);
    return read;
  }

  /** The SIMs with signaling; no bytes where there are none. */
  write(): Uint8Array {
    const stored = new Float64Array(this.sims().length * STORED_WIDTH);
    this.sims().forEach((place, index) => {
      stored[index * STORED_WIDTH] = place;
      stored.set(this.sums.subarray(place * MONTH_WIDTH, (place + 1) * MONTH_WIDTH), index * STORED_WIDTH + 1);
    });
    return new Uint8Array(stored.buffer);
  }

  /** Adds a SIM's day, the 95 values from `from` on, or takes it out. */
  change(simId: number, values: Float32Array, from: number, sign: 1 | -1): void {
    changeSums(this.sums, this.placeOf(simId) * MONTH_WIDTH, values, from, sign);
  }

  /** Null for a SIM without signaling. */
  month(simId: number): FeatureMonth | null {
    const at = this.placeOf(simId) * MONTH_WIDTH;
    return this.sums[at] === 0 ? null : new FeatureMonth(this.fromDay, this.sums.slice(at, at + MONTH_WIDTH));
  }

  clear(): void {
    this.sums.fill(0);
  }

  private placeOf(simId: number): number {
    return simId - this.page * PAGE_SIMS;
  }

  /** Places of those with signaling. */
  private sims(): number[] {
    const places: number[] = [];
    for (let place = 0; place < PAGE_SIMS; place++) if (this.sums[place * MONTH_WIDTH] !== 0) places.push(place);
    return places;
  }
}
