/** Dialogues as four 32-bit words each: small enough to hold millions, and quick to sort, to spill and to write. */
import { CANCELLATION_TYPES, ORIGINS, OUTCOMES, PROCEDURES, PROTOCOLS } from '../../src/telemetry/dialogue-codes';

/** Words of a row: SIM ordinal; millisecond of the day; duration (16 bits) and result code; node ordinal (16 bits) and kind. */
export const WORDS = 4;

/** Protocol, procedure, origin, outcome, cancellation type (0 none) and format violation in 11 bits; names by their place. */
export interface DialogueKind {
  readonly protocol: number;
  readonly procedure: number;
  readonly origin: number;
  readonly outcome: number;
  readonly cancellation: number;
  readonly formatViolation: number;
}

export const KINDS = 1 << 11;

export function packKind(kind: DialogueKind): number {
  return (
    kind.protocol |
    (kind.procedure << 1) |
    (kind.origin << 4) |
    (kind.outcome << 6) |
    (kind.cancellation << 8) |
    (kind.formatViolation << 10)
  );
}

export function unpackKind(code: number): DialogueKind {
  return {
    protocol: code & 1,
    procedure: (code >> 1) & 7,
    origin: (code >> 4) & 3,
    outcome: (code >> 6) & 3,
    cancellation: (code >> 8) & 3,
    formatViolation: (code >> 10) & 1,
  };
}

export const MAP = PROTOCOLS.indexOf('MAP');
export const DIAMETER = PROTOCOLS.indexOf('DIAMETER');
export const SAI = PROCEDURES.indexOf('SAI');
export const UL = PROCEDURES.indexOf('UL');
export const UL_GPRS = PROCEDURES.indexOf('UL_GPRS');
export const CL = PROCEDURES.indexOf('CL');
export const PURGE = PROCEDURES.indexOf('PURGE');
export const NOTIFY = PROCEDURES.indexOf('NOTIFY');
export const HOME = ORIGINS.indexOf('HOME');
export const SUCCESS = OUTCOMES.indexOf('SUCCESS');
export const REJECT = OUTCOMES.indexOf('REJECT');
export const ERROR = OUTCOMES.indexOf('ERROR');
export const TIMEOUT = OUTCOMES.indexOf('TIMEOUT');
/** Cancellation types as stored: their place, from 1. */
export const AFTER_UPDATE = CANCELLATION_TYPES.indexOf('UPDATE_PROCEDURE') + 1;
export const WITHDRAWAL = CANCELLATION_TYPES.indexOf('SUBSCRIPTION_WITHDRAWAL') + 1;

/** Durations of a minute and more are written as this many milliseconds. */
export const LONGEST_DURATION_MS = 0xffff;

export class PackedRows {
  words: Uint32Array;
  rows = 0;

  constructor(capacity: number) {
    this.words = new Uint32Array(capacity * WORDS);
  }

  push(sim: number, millisecond: number, durationMs: number, resultCode: number, node: number, kind: number): void {
    if ((this.rows + 1) * WORDS > this.words.length) this.grow();
    const at = this.rows++ * WORDS;
    this.words[at] = sim;
    this.words[at + 1] = millisecond;
    this.words[at + 2] = (Math.min(durationMs, LONGEST_DURATION_MS) << 16) | resultCode;
    this.words[at + 3] = (node << 16) | kind;
  }

  /** Brings rows from this one on, all of one SIM, into time order; equal times stay as they came. */
  sortByTimeFrom(first: number): void {
    const times = this.words;
    const order = Array.from({ length: this.rows - first }, (_, place) => first + place);
    order.sort((a, b) => times[a * WORDS + 1]! - times[b * WORDS + 1]! || a - b);
    const sorted = new Uint32Array(order.length * WORDS);
    order.forEach((row, place) => sorted.set(this.words.subarray(row * WORDS, (row + 1) * WORDS), place * WORDS));
    this.words.set(sorted, first * WORDS);
  }

  private grow(): void {
    const wider = new Uint32Array(this.words.length * 2);
    wider.set(this.words);
    this.words = wider;
  }
}
