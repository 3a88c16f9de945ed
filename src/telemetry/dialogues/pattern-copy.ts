/** Patterns in PostgreSQL's binary COPY format: the fields of a row behind its duration, encoded once and copied into each row that has them. */
import { UNKNOWN, type DialoguePatterns } from './dialogue-patterns';

/** As they are encoded. */
export const PATTERN_COLUMNS = [
  'protocol',
  'procedure',
  'origin',
  'outcome',
  'result_code',
  'plmn',
  'node_id',
  'cancellation_type',
  'format_violation',
] as const;

const NULL = -1;
/** Bytes from one pattern to the next: more than the longest, which has 59, and whole words. */
const STRIDE_BYTES = 64;
const LEAST_BYTES = 256 * STRIDE_BYTES;

/** To be used again and again: its bytes keep their size. */
export class PatternCopies {
  private view = new DataView(new ArrayBuffer(LEAST_BYTES));
  private lengths = new Uint8Array(LEAST_BYTES / STRIDE_BYTES);
  private at = 0;

  /** `nodeIds`: by ordinals of names. */
  encode(patterns: DialoguePatterns, nodeIds: Int32Array): void {
    const { count } = patterns;
    if (count > this.lengths.length) {
      this.lengths = new Uint8Array(count * 2);
      this.view = new DataView(new ArrayBuffer(count * 2 * STRIDE_BYTES));
    }
    for (let pattern = 0; pattern < count; pattern++) {
      const start = (this.at = pattern * STRIDE_BYTES);
      this.code(patterns.protocol[pattern]!);
      this.code(patterns.procedure[pattern]!);
      this.code(patterns.origin[pattern]!);
      this.code(patterns.outcome[pattern]!);
      this.optional(patterns.resultCode[pattern]!);
      this.optional(patterns.plmn[pattern]!);
      this.optional(nodeIds[patterns.node[pattern]!]!);
      if (patterns.cancellationType[pattern] === 0) this.absent();
      else this.code(patterns.cancellationType[pattern]!);
      this.view.setInt32(this.at, 1);
      this.view.setInt8(this.at + 4, patterns.formatViolation[pattern]!);
      this.lengths[pattern] = this.at + 5 - start;
    }
  }

  /** Writes a pattern's fields from this place on, and up to three bytes behind them; answers the place behind the fields. */
  copy(pattern: number, into: DataView, at: number): number {
    const { view } = this;
    const from = pattern * STRIDE_BYTES;
    const length = this.lengths[pattern]!;
    for (let i = 0; i < length; i += 4) into.setInt32(at + i, view.getInt32(from + i));
    return at + length;
  }

  private absent(): void {
    this.view.setInt32(this.at, NULL);
    this.at += 4;
  }

  private optional(value: number): void {
    if (value === UNKNOWN) return this.absent();
    this.view.setInt32(this.at, 4);
    this.view.setInt32(this.at + 4, value);
    this.at += 8;
  }

  private code(value: number): void {
    this.view.setInt32(this.at, 2);
    this.view.setInt16(this.at + 4, value);
    this.at += 6;
  }
}
