/**
 * Dialogues of one UTC day in 16 bytes each, so that a day is sorted and passed over at the speed of memory. Nothing is rounded or hashed: two rows
 * are equal exactly where the dialogues are, since exact repeats within a SIM-day count once.
 *
 *   word 0   millisecond of the day (27 bits) · origin (2) · outcome (2)
 *   word 1   PLMN + 1 (21), 0 unknown · protocol (1) · procedure (3) · cancellation type (2) · format violation (1)
 *   word 2   node id; 0 unknown
 *   word 3   duration + 1 (18) · result code + 1 (13); where one doesn't fit, −1 − ordinal of the pair in a table beside
 */
import { SimOrdinals } from './sim-ordinals';

export const WORDS = 4;

/** A dialogue as it lies in the table; codes as in `telemetry/dialogue-codes.ts`, `plmn` as there. */
export interface Dialogue {
  /** 0 to 86,399,999. */
  readonly millisecond: number;
  readonly durationMs: number | null;
  readonly protocol: number;
  readonly procedure: number;
  readonly origin: number;
  readonly outcome: number;
  readonly resultCode: number | null;
  readonly plmn: number | null;
  readonly nodeId: number | null;
  readonly cancellationType: number | null;
  readonly formatViolation: boolean;
}

const LARGEST_DURATION = 2 ** 18 - 2;
const LARGEST_RESULT = 2 ** 13 - 2;
const LARGEST_PLMN = 1_999_999;
/** In place of an unknown duration or result code, in packed pairs and before packing. */
export const UNKNOWN = -1;

/** Dialogues in order of arrival, with the ordinal of each one's SIM; grows as they come. */
export class PackedDialogues {
  words: Int32Array;
  /** Ordinal of each dialogue's SIM. Ids of SIMs come from one sequence: float64 holds them exactly. */
  sims: Int32Array;
  rows = 0;
  /** Pairs of duration and result code that don't fit into word 3. */
  private readonly widePairs = new Map<string, number>();
  private readonly ordinals = new SimOrdinals();

  constructor(capacity = 1024) {
    this.words = new Int32Array(capacity * WORDS);
    this.sims = new Int32Array(capacity);
  }

  get simCount(): number {
    return this.ordinals.count;
  }

  /** Numbers the SIMs anew in the order of their ids, which it answers: rows of features are stored in that order. Nothing can be added afterwards. */
  sortSims(): Float64Array {
    const byId = Float64Array.from(this.ordinals.simIds).sort();
    const place = new Map<number, number>();
    for (let index = 0; index < byId.length; index++) place.set(byId[index]!, index);
    const placeOfOrdinal = Int32Array.from(this.ordinals.simIds, (simId) => place.get(simId)!);
    for (let row = 0; row < this.rows; row++) this.sims[row] = placeOfOrdinal[this.sims[row]!]!;
    return byId;
  }

  add(simId: number, dialogue: Dialogue): void {
    const { durationMs, resultCode, plmn, nodeId, cancellationType } = dialogue;
    this.addPacked(
      this.simOrdinal(simId),
      firstWord(dialogue.millisecond, dialogue.origin, dialogue.outcome),
      secondWord(plmn ?? UNKNOWN, dialogue.protocol, dialogue.procedure, cancellationType ?? 0, dialogue.formatViolation ? 1 : 0),
      nodeId ?? 0,
      this.lastWord(durationMs ?? UNKNOWN, resultCode ?? UNKNOWN),
    );
  }

  addPacked(sim: number, first: number, second: number, third: number, last: number): void {
    if (this.rows === this.sims.length) this.grow();
    const at = this.rows * WORDS;
    this.words[at] = first;
    this.words[at + 1] = second;
    this.words[at + 2] = third;
    this.words[at + 3] = last;
    this.sims[this.rows] = sim;
    this.rows += 1;
  }

  simOrdinal(simId: number): number {
    return this.ordinals.of(simId);
  }

  /** Duration in milliseconds and result code, `UNKNOWN` where there is none. */
  lastWord(durationMs: number, resultCode: number): number {
    if (durationMs >= UNKNOWN && durationMs <= LARGEST_DURATION && resultCode >= UNKNOWN && resultCode <= LARGEST_RESULT)
      return ((durationMs + 1) << 13) | (resultCode + 1);
    const pair = `${durationMs} ${resultCode}`;
    let ordinal = this.widePairs.get(pair);
    if (ordinal === undefined) this.widePairs.set(pair, (ordinal = this.widePairs.size));
    return -1 - ordinal;
  }

  private grow(): void {
    const words = new Int32Array(this.words.length * 2);
    words.set(this.words);
    const sims = new Int32Array(this.sims.length * 2);
    sims.set(this.sims);
    this.words = words;
    this.sims = sims;
  }
}

export function firstWord(millisecond: number, origin: number, outcome: number): number {
  return (millisecond << 4) | ((origin - 1) << 2) | (outcome - 1);
}

/** A code outside PLMN space is as good as unknown. */
export function secondWord(plmn: number, protocol: number, procedure: number, cancellationType: number, formatViolation: number): number {
  const network = plmn < 0 || plmn > LARGEST_PLMN ? 0 : plmn + 1;
  return (network << 7) | ((protocol - 1) << 6) | ((procedure - 1) << 3) | (cancellationType << 1) | formatViolation;
}
