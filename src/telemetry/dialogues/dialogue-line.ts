/**
 * Reads a plain CSV line of a dialogue byte by byte into typed arrays: no strings, no regular expressions, no Date. What isn't written in the plain
 * way (quotes, empty required fields, anything wrong) is left to the reader of single rows, which also finds the words for what is wrong.
 */
import { CANCELLATION_TYPES, ORIGINS, OUTCOMES, PROCEDURES, PROTOCOLS } from '../dialogue-codes';
import type { DialogueChunk } from './dialogue-chunk';
import { MOST_NODE_CHARACTERS, takenTimes, type DialogueColumn } from './dialogue-kind';
import { UNKNOWN, type DialoguePatterns } from './dialogue-patterns';
import { hashByte } from './name-table';
import { MOST_NAME_LETTERS, vocabulary, type Vocabulary } from './vocabulary';

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
const MINUTE_CHARACTERS = 16;
const NOT_PLAIN = -1;
/** What each row has of its own; the other columns are its pattern. */
const OWN_COLUMNS: readonly DialogueColumn[] = ['imsi', 'started_at', 'duration_ms'];

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
  private view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the field begins; behind it when it was read. */
  private at = 0;
  private firstTaken = 0;
  private lastTaken = 0;
  /** The day that was read last, as its digits and in epoch milliseconds: most lines are of one day. */
  private dayDigits = -1;
  private dayStart = 0;
  /** The minute that was read last, as its four words of text and in epoch milliseconds. */
  private readonly minuteWords = new Int32Array(MINUTE_CHARACTERS / 4);
  private minuteStart = NaN;
  /** Columns before the tail that is looked for among those that were read; 0 where what rows have of their own doesn't come first. */
  private readonly before: number;

  /** `columns`: the header. */
  constructor(private readonly columns: readonly DialogueColumn[]) {
    const own = columns.filter((column) => OWN_COLUMNS.includes(column)).length;
    this.before = columns.slice(0, own).every((column) => OWN_COLUMNS.includes(column)) ? own : 0;
  }

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
    this.view = chunk.view;
    this.at = start;
    chunk.durationMs[row] = UNKNOWN;
    const { before } = this;
    if (before > 0) {
      if (!this.readFields(0, before, chunk, row, 0)) return NOT_PLAIN;
      const known = chunk.tails.find(this.view, this.at);
      if (known !== -1) {
        chunk.pattern[row] = known;
        return chunk.tails.end + 1;
      }
    }
    const pattern = chunk.patterns.begin();
    if (!this.readFields(before, this.columns.length, chunk, row, pattern)) return NOT_PLAIN;
    if (this.bytes[this.at] === CARRIAGE_RETURN) this.at++;
    if (this.bytes[this.at] !== LINE_FEED) return NOT_PLAIN;
    chunk.pattern[row] = chunk.patterns.add();
    if (before > 0 && chunk.tails.end !== -1) chunk.tails.keep(pattern);
    return this.at + 1;
  }

  /** The fields of these columns, and the commas between them and the next. */
  private readFields(first: number, end: number, chunk: DialogueChunk, row: number, pattern: number): boolean {
    const last = this.columns.length - 1;
    for (let column = first; column < end; column++) {
      if (!this.readField(this.columns[column]!, chunk, row, pattern)) return false;
      if (column < last) {
        if (this.bytes[this.at] !== COMMA) return false;
        this.at++;
      }
    }
    return true;
  }

  private readField(column: DialogueColumn, chunk: DialogueChunk, row: number, pattern: number): boolean {
    const { patterns } = chunk;
    switch (column) {
      case 'imsi':
        return this.readImsi(chunk, row);
      case 'started_at':
        return this.readInstant(chunk, row);
      case 'duration_ms':
        return this.readNumber(chunk.durationMs, row);
      case 'protocol':
        return this.readName(protocols, patterns.protocol, pattern);
      case 'procedure':
        return this.readName(procedures, patterns.procedure, pattern);
      case 'origin':
        return this.readName(origins, patterns.origin, pattern);
      case 'outcome':
        return this.readName(outcomes, patterns.outcome, pattern);
      case 'result_code':
        return this.readNumber(patterns.resultCode, pattern);
      case 'visited_plmn':
        return this.readPlmn(patterns, pattern);
      case 'node':
        return this.readNode(chunk, pattern);
      case 'cancellation_type':
        return isEnd(this.bytes[this.at]!) || this.readName(cancellationTypes, patterns.cancellationType, pattern);
      case 'format_violation':
        if (isEnd(this.bytes[this.at]!)) return true;
        if (!this.readName(booleans, patterns.formatViolation, pattern)) return false;
        patterns.formatViolation[pattern] = patterns.formatViolation[pattern] === TRUE_CODE ? 1 : 0;
        return true;
    }
  }

  /** In two numbers of which each is a small one, since those are quicker. */
  private readImsi(chunk: DialogueChunk, row: number): boolean {
    const { bytes } = this;
    const start = this.at;
    let at = start;
    let high = 1;
    for (const end = at + 8; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      high = high * 10 + digit;
    }
    let low = 0;
    let scale = 1;
    for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO) {
      if (at - start === 15) return false;
      low = low * 10 + digit;
      scale *= 10;
    }
    if (at - start < 6 || !isEnd(bytes[at]!)) return false;
    chunk.imsi[row] = high * scale + low;
    this.at = at;
    return true;
  }

  /** Epoch milliseconds, or RFC 3339 in UTC by fixed places. */
  private readInstant(chunk: DialogueChunk, row: number): boolean {
    if (this.isMinuteBefore()) return this.takeInstant(chunk, row, this.readSeconds(this.at + MINUTE_CHARACTERS, this.minuteStart));
    const { bytes } = this;
    let at = this.at;
    let value = 0;
    for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO) {
      if (at - this.at === 13) return false;
      value = value * 10 + digit;
    }
    const isDate = bytes[at] === DASH && at - this.at === 4;
    if (!isDate && (at === this.at || !isEnd(bytes[at]!))) return false;
    if (isDate) value = this.readDateTime(value, this.at);
    else this.at = at;
    return this.takeInstant(chunk, row, value);
  }

  private takeInstant(chunk: DialogueChunk, row: number, value: number): boolean {
    if (!(value >= this.firstTaken && value <= this.lastTaken)) return false;
    chunk.startedAt[row] = value;
    return true;
  }

  /** `2026-11-01T08:30:00Z`, or with one to nine digits of a second's fraction, of which three count. NaN: it isn't one. */
  private readDateTime(year: number, start: number): number {
    const { bytes } = this;
    const month = this.twoDigits(start + 5);
    const day = this.twoDigits(start + 8);
    const hour = this.twoDigits(start + 11);
    const minute = this.twoDigits(start + 14);
    // T, a colon and the second dash
    if (bytes[start + 7] !== DASH || bytes[start + 10] !== 84 || bytes[start + 13] !== 58) return NaN;
    if (!(hour <= 23 && minute <= 59)) return NaN;
    const minuteStart = this.midnight(year, month, day) + (hour * 60 + minute) * 60_000;
    const value = this.readSeconds(start + MINUTE_CHARACTERS, minuteStart);
    if (!Number.isNaN(value)) {
      for (let word = 0; word < this.minuteWords.length; word++) this.minuteWords[word] = this.view.getInt32(start + word * 4, true);
      this.minuteStart = minuteStart;
    }
    return value;
  }

  /** Whether the field begins as the time before it did, up to its minute. */
  private isMinuteBefore(): boolean {
    const { view, at, minuteWords } = this;
    return (
      view.getInt32(at + 12, true) === minuteWords[3] &&
      view.getInt32(at + 8, true) === minuteWords[2] &&
      view.getInt32(at + 4, true) === minuteWords[1] &&
      view.getInt32(at, true) === minuteWords[0]
    );
  }

  /** What follows the minute: `:00Z`, or with a fraction. */
  private readSeconds(start: number, minuteStart: number): number {
    const { bytes } = this;
    const second = this.twoDigits(start + 1);
    if (bytes[start] !== 58 || !(second <= 59)) return NaN;
    let at = start + 3;
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
    return minuteStart + second * 1000 + milliseconds;
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
  private readPlmn(patterns: DialoguePatterns, pattern: number): boolean {
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
    patterns.plmn[pattern] = (mcc * 1000 + mnc) * 2 + (digits === 3 ? 1 : 0);
    this.at = at;
    return true;
  }

  /** Printable ASCII without quotes; other names are read as text. */
  private readNode(chunk: DialogueChunk, pattern: number): boolean {
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
    if (length > 0) chunk.patterns.node[pattern] = chunk.nodes.ordinal(bytes, this.at, at, hash);
    this.at = at;
    return true;
  }
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
