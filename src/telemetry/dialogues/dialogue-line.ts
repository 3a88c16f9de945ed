/**
 * Reads a plain CSV line of a dialogue byte by byte into typed arrays: no strings, no regular expressions, no Date. What isn't written in the plain
 * way (quotes, empty required fields, anything wrong) is left to the reader of single rows, which also finds the words for what is wrong.
 */
import { CANCELLATION_TYPES, ORIGINS, OUTCOMES, PROCEDURES, PROTOCOLS } from '../dialogue-codes';
import { UNKNOWN, type DialogueChunk } from './dialogue-chunk';
import { MOST_NODE_CHARACTERS, takenTimes, type DialogueColumn } from './dialogue-kind';
import { hashByte } from './name-table';

const COMMA = 44;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 34;
const ZERO = 48;
const DASH = 45;
const SPACE = 32;
const TILDE = 126;
const DAY_MILLISECONDS = 86_400_000;
const MOST_INT4 = 2_147_483_647;
const NOT_PLAIN = -1;

/** Names one behind the other, each in a place of equal size and found by its first letter; most have theirs alone. */
interface Vocabulary {
  /** First byte of a name → the name's code, the lowest where several begin with it; 0: none does. */
  readonly codeByByte: Uint8Array;
  /** Code → the next that begins with the same byte; 0: none. */
  readonly nextCode: Uint8Array;
  readonly lengths: Uint8Array;
  readonly letters: Uint8Array;
}
const MOST_NAME_LETTERS = 32;
function vocabulary(names: readonly string[]): Vocabulary {
  const codeByByte = new Uint8Array(256);
  const nextCode = new Uint8Array(names.length + 1);
  const lengths = new Uint8Array(names.length + 1);
  const letters = new Uint8Array((names.length + 1) * MOST_NAME_LETTERS);
  for (let code = names.length; code > 0; code--) {
    const name = Buffer.from(names[code - 1]!);
    nextCode[code] = codeByByte[name[0]!]!;
    codeByByte[name[0]!] = code;
    lengths[code] = name.length;
    letters.set(name, code * MOST_NAME_LETTERS);
  }
  return { codeByByte, nextCode, lengths, letters };
}
const protocols = vocabulary(PROTOCOLS);
const procedures = vocabulary(PROCEDURES);
const origins = vocabulary(ORIGINS);
const outcomes = vocabulary(OUTCOMES);
const cancellationTypes = vocabulary(CANCELLATION_TYPES);
const booleans = vocabulary(['false', 'true']);

/** `format_violation` as a vocabulary: 1 is false, 2 is true. */
const TRUE_CODE = 2;

function isEnd(byte: number): boolean {
  return byte === COMMA || byte === LINE_FEED || byte === CARRIAGE_RETURN;
}

export class DialogueLineReader {
  private bytes: Buffer = Buffer.alloc(0);
  /** Where the field begins; behind it when it was read. */
  private at = 0;
  private firstTaken = 0;
  private lastTaken = 0;
  /** The day that was read last, as its digits and in epoch milliseconds: most lines are of one day. */
  private dayDigits = -1;
  private dayStart = 0;

  /** `columns`: the header. */
  constructor(private readonly columns: readonly DialogueColumn[]) {}

  /** To be called before lines are read: the wall clock decides which times are taken. */
  standAt(now: number): void {
    const { from, to } = takenTimes(now);
    this.firstTaken = from;
    this.lastTaken = to;
  }

  /**
   * Reads the line that begins at `start`, up to a line feed that must be there, into the row behind the chunk's last. Answers the place after the
   * line feed; or -1, and the row is as if it had not been touched.
   */
  read(chunk: DialogueChunk, start: number): number {
    const row = chunk.rowCount;
    this.bytes = chunk.bytes;
    this.at = start;
    chunk.durationMs[row] = UNKNOWN;
    chunk.resultCode[row] = UNKNOWN;
    chunk.plmn[row] = UNKNOWN;
    chunk.node[row] = 0;
    chunk.cancellationType[row] = 0;
    chunk.formatViolation[row] = 0;
    const last = this.columns.length - 1;
    for (let column = 0; column <= last; column++) {
      if (!this.readField(this.columns[column]!, chunk, row)) return NOT_PLAIN;
      if (column < last) {
        if (this.bytes[this.at] !== COMMA) return NOT_PLAIN;
        this.at++;
      }
    }
    if (this.bytes[this.at] === CARRIAGE_RETURN) this.at++;
    return this.bytes[this.at] === LINE_FEED ? this.at + 1 : NOT_PLAIN;
  }

  private readField(column: DialogueColumn, chunk: DialogueChunk, row: number): boolean {
    switch (column) {
      case 'imsi':
        return this.readImsi(chunk, row);
      case 'started_at':
        return this.readInstant(chunk, row);
      case 'duration_ms':
        return this.readNumber(chunk.durationMs, row);
      case 'protocol':
        return this.readName(protocols, chunk.protocol, row);
      case 'procedure':
        return this.readName(procedures, chunk.procedure, row);
      case 'origin':
        return this.readName(origins, chunk.origin, row);
      case 'outcome':
        return this.readName(outcomes, chunk.outcome, row);
      case 'result_code':
        return this.readNumber(chunk.resultCode, row);
      case 'visited_plmn':
        return this.readPlmn(chunk, row);
      case 'node':
        return this.readNode(chunk, row);
      case 'cancellation_type':
        return isEnd(this.bytes[this.at]!) || this.readName(cancellationTypes, chunk.cancellationType, row);
      case 'format_violation':
        if (isEnd(this.bytes[this.at]!)) return true;
        if (!this.readName(booleans, chunk.formatViolation, row)) return false;
        chunk.formatViolation[row] = chunk.formatViolation[row] === TRUE_CODE ? 1 : 0;
        return true;
    }
  }

  private readImsi(chunk: DialogueChunk, row: number): boolean {
    const { bytes } = this;
    let at = this.at;
    let key = 1;
    for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO) {
      if (at - this.at === 15) return false;
      key = key * 10 + digit;
    }
    if (at - this.at < 6 || !isEnd(bytes[at]!)) return false;
    chunk.imsi[row] = key;
    this.at = at;
    return true;
  }

  /** Epoch milliseconds, or RFC 3339 in UTC by fixed places. */
  private readInstant(chunk: DialogueChunk, row: number): boolean {
    const { bytes } = this;
    let at = this.at;
    let value = 0;
    for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO) {
      if (at - this.at === 13) return false;
      value = value * 10 + digit;
    }
    const isDate = bytes[at] === DASH && at - this.at === 4;
    if (!isDate && (at === this.at || !isEnd(bytes[at]!))) return false;
    if (isDate) {
      value = this.readDateTime(value, this.at);
      at = this.at;
    }
    if (!(value >= this.firstTaken && value <= this.lastTaken)) return false;
    chunk.startedAt[row] = value;
    this.at = at;
    return true;
  }

  /** `2026-11-01T08:30:00Z`, or with one to nine digits of a second's fraction, of which three count. NaN: it isn't one. */
  private readDateTime(year: number, start: number): number {
    const { bytes } = this;
    const month = this.twoDigits(start + 5);
    const day = this.twoDigits(start + 8);
    const hour = this.twoDigits(start + 11);
    const minute = this.twoDigits(start + 14);
    const second = this.twoDigits(start + 17);
    // T, two colons and the second dash
    if (bytes[start + 7] !== DASH || bytes[start + 10] !== 84 || bytes[start + 13] !== 58 || bytes[start + 16] !== 58) return NaN;
    if (!(hour <= 23 && minute <= 59 && second <= 59)) return NaN;
    let at = start + 19;
    let milliseconds = 0;
    if (bytes[at] === 46) {
      const first = ++at;
      for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO) {
        if (at - first < 3) milliseconds = milliseconds * 10 + digit;
      }
      const digits = at - first;
      if (digits === 0 || digits > 9) return NaN;
      if (digits < 3) milliseconds *= digits === 1 ? 100 : 10;
    }
    if (bytes[at] !== 90) return NaN;
    if (!isEnd(bytes[++at]!)) return NaN;
    this.at = at;
    return this.midnight(year, month, day) + (hour * 60 + minute) * 60_000 + second * 1000 + milliseconds;
  }

  /** NaN where it isn't two digits. */
  private twoDigits(at: number): number {
    const tens = this.bytes[at]! - ZERO;
    const ones = this.bytes[at + 1]! - ZERO;
    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
  }

  /** Days from civil, after Howard Hinnant: years begin in March, in eras of 400. NaN where there is no such day. */
  private midnight(year: number, month: number, day: number): number {
    const digits = (year * 100 + month) * 100 + day;
    if (digits === this.dayDigits) return this.dayStart;
    if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month))) return NaN;
    const shifted = month <= 2 ? year - 1 : year;
    const era = Math.floor(shifted / 400);
    const yearOfEra = shifted - era * 400;
    const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
    const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
    this.dayDigits = digits;
    return (this.dayStart = (era * 146_097 + dayOfEra - 719_468) * DAY_MILLISECONDS);
  }

  /** Up to 2^31 − 1; an empty one stays unknown. */
  private readNumber(column: Int32Array, row: number): boolean {
    const { bytes } = this;
    let at = this.at;
    if (isEnd(bytes[at]!)) return true;
    let value = 0;
    for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO) {
      if (at - this.at === 10) return false;
      value = value * 10 + digit;
    }
    if (at === this.at || value > MOST_INT4 || !isEnd(bytes[at]!)) return false;
    column[row] = value;
    this.at = at;
    return true;
  }

  private readName({ codeByByte, nextCode, lengths, letters }: Vocabulary, column: Uint8Array, row: number): boolean {
    const { bytes, at } = this;
    for (let code = codeByByte[bytes[at]!]!; code !== 0; code = nextCode[code]!) {
      const from = code * MOST_NAME_LETTERS;
      const length = lengths[code]!;
      let same = 1;
      while (same < length && bytes[at + same] === letters[from + same]) same++;
      if (same < length || !isEnd(bytes[at + length]!)) continue;
      column[row] = code;
      this.at = at + length;
      return true;
    }
    return false;
  }

  /** `214-07` or `21407`: three digits, then two or three. */
  private readPlmn(chunk: DialogueChunk, row: number): boolean {
    const { bytes } = this;
    let at = this.at;
    if (isEnd(bytes[at]!)) return true;
    let mcc = 0;
    for (const end = at + 3; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) return false;
      mcc = mcc * 10 + digit;
    }
    if (bytes[at] === DASH) at++;
    const first = at;
    let mnc = 0;
    for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO) mnc = mnc * 10 + digit;
    const digits = at - first;
    if ((digits !== 2 && digits !== 3) || !isEnd(bytes[at]!)) return false;
    chunk.plmn[row] = (mcc * 1000 + mnc) * 2 + (digits === 3 ? 1 : 0);
    this.at = at;
    return true;
  }

  /** Printable ASCII without quotes; other names are read as text. */
  private readNode(chunk: DialogueChunk, row: number): boolean {
    const { bytes } = this;
    let at = this.at;
    let hash = chunk.nodes.seed;
    for (let byte = bytes[at]!; !isEnd(byte); byte = bytes[++at]!) {
      if (byte < SPACE || byte > TILDE || byte === QUOTE) return false;
      hash = hashByte(hash, byte);
    }
    const length = at - this.at;
    if (length > MOST_NODE_CHARACTERS) return false;
    // A carriage return within the line is part of a text.
    if (bytes[at] === CARRIAGE_RETURN && bytes[at + 1] !== LINE_FEED) return false;
    if (length > 0) chunk.node[row] = chunk.nodes.ordinal(bytes, this.at, at, hash);
    this.at = at;
    return true;
  }
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
