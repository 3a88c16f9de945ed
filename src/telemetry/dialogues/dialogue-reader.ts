/** Bytes to chunks of dialogues: plain CSV lines by the byte, all else by the reader of single rows. Holds no more than the chunk that is being filled. */
import { createHash, type Hash } from 'node:crypto';
import { CsvReader, type CsvRecord } from '../parsing/csv';
import { MOST_LINE_BYTES, type Line } from '../parsing/lines';
import { CsvHeader, csvRow, EMPTY_BODY, headerError, ndjsonRow, type Format, type Row } from '../parsing/rows';
import type { DialogueChunk } from './dialogue-chunk';
import { dialogueKind, type DialogueColumn, type DialogueValues } from './dialogue-kind';
import { DialogueLineReader } from './dialogue-line';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const SHOWN_OF_LONG_LINE = 256;
/** A chunk also ends at this many bytes. */
const MOST_CHUNK_BYTES = 16 * 1024 * 1024;

/** A line that was handed to the reader of quoted fields, and where it ends in the chunk's bytes. */
interface Handed {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/** Where chunks come from and which wall clock they are read by. */
export interface DialogueReading {
  readonly format: Format;
  readonly newChunk: () => DialogueChunk;
  readonly now: () => number;
  /** Called with a piece that was taken over to the chunk. */
  readonly release?: ((piece: Buffer) => void) | undefined;
}

export class DialogueReader {
  private chunk: DialogueChunk;
  private number = 0;
  /** First byte of the chunk that isn't read yet. */
  private at = 0;
  private line = 1;
  private header: CsvHeader | null = null;
  private plain: DialogueLineReader | null = null;
  private quoted: CsvReader | null = null;
  /** Lines of the open quoted field. */
  private handed: Handed[] = [];
  /** Rows that were read beyond the end of a full chunk. */
  private early: { readonly row: Row<DialogueValues>; readonly handed: readonly Handed[] }[] = [];
  /** The last row had no line break. */
  private cut = false;
  /** A line that is longer than any row: what was seen of it. */
  private overlong: { readonly start: Buffer; readonly hash: Hash } | null = null;

  constructor(private readonly reading: DialogueReading) {
    this.chunk = reading.newChunk();
    this.chunk.begin(0, this.preamble);
  }

  private get preamble(): string {
    return this.reading.format === 'ndjson' ? 'ndjson' : (this.header?.names.join(',') ?? '');
  }

  /** The chunks that are full with these bytes. Throws HEADER_INVALID. */
  *push(piece: Buffer): Generator<DialogueChunk> {
    let rest = piece;
    if (this.overlong) {
      const end = piece.indexOf(LINE_FEED);
      this.overlong.hash.update(end === -1 ? piece : piece.subarray(0, end));
      if (end === -1) return;
      yield* this.endOverlong(true);
      rest = piece.subarray(end + 1);
    }
    this.chunk.append(rest);
    this.reading.release?.(piece);
    yield* this.readLines();
    if (this.chunk.byteCount - this.at > MOST_LINE_BYTES) this.beginOverlong();
  }

  /** What is left at the end of a whole body. An empty body still makes one chunk. */
  *end(): Generator<DialogueChunk> {
    if (this.overlong) yield* this.endOverlong(false);
    else if (this.at < this.chunk.byteCount) yield* this.readSlowly(this.at, this.chunk.byteCount, false);
    if (this.reading.format === 'csv' && !this.header) throw headerError(dialogueKind, EMPTY_BODY);
    if (this.quoted?.isOpen) yield* this.keepRows(this.rowsOf(this.quoted.end()));
    if (this.chunk.rowCount > 0 || this.number === 0) yield this.finish();
  }

  private *readLines(): Generator<DialogueChunk> {
    const now = this.reading.now();
    this.plain?.standAt(now);
    for (;;) {
      const limit = this.chunk.bytes.subarray(0, this.chunk.byteCount).lastIndexOf(LINE_FEED) + 1;
      if (limit <= this.at) return;
      if (this.readPlainLines(limit)) yield this.next();
      else if (this.at < limit) {
        const end = this.chunk.bytes.indexOf(LINE_FEED, this.at) + 1; // at or before the limit
        yield* this.readSlowly(this.at, end, true);
        this.plain?.standAt(now);
      }
    }
  }

  /** The loop that has to be fast. True where it filled the chunk; otherwise it stands before a line that isn't plain, or at the limit. */
  private readPlainLines(limit: number): boolean {
    const { chunk, plain } = this;
    if (!plain || this.quoted?.isOpen) return false;
    while (this.at < limit) {
      chunk.reserveRow();
      const after = plain.read(chunk, this.at);
      if (after === -1) return false;
      const row = chunk.rowCount++;
      chunk.rowStart[row] = this.at;
      chunk.rowEnd[row] = this.at = after;
      chunk.line[row] = this.line++;
      if (chunk.rowCount === chunk.fullAt || after >= MOST_CHUNK_BYTES) return true;
    }
    return false;
  }

  /** One line, wherever it may belong. */
  private *readSlowly(start: number, end: number, terminated: boolean): Generator<DialogueChunk> {
    const { chunk } = this;
    let content = chunk.bytes.subarray(start, terminated ? end - 1 : end);
    if (content.length > MOST_LINE_BYTES) {
      this.overlong = { start: Buffer.from(content.subarray(0, SHOWN_OF_LONG_LINE)), hash: createHash('sha256').update(content) };
      const rest = Buffer.from(chunk.bytes.subarray(end, chunk.byteCount));
      chunk.byteCount = start;
      yield* this.endOverlong(terminated);
      this.chunk.append(rest);
      return;
    }
    this.at = end;
    if (content.at(-1) === CARRIAGE_RETURN) content = content.subarray(0, -1);
    const line: Line = { number: this.line++, bytes: Buffer.from(content), terminated, tooLong: null };
    yield* this.takeLine(line, { number: line.number, start, end });
  }

  private *takeLine(line: Line, handed: Handed): Generator<DialogueChunk> {
    if (this.reading.format === 'ndjson') {
      if (line.tooLong || line.bytes.length > 0)
        yield* this.keepRows([{ row: ndjsonRow(dialogueKind, line, this.reading.now()), handed: [handed] }]);
    } else if (!this.header) {
      if (line.tooLong || line.bytes.length > 0) this.readHeader(line);
      else this.forget(handed.end);
    } else {
      this.handed.push(handed);
      const rows = this.rowsOf(this.quoted!.push([line]));
      if (!this.quoted!.isOpen && rows.length === 0) this.handed = []; // a blank line
      yield* this.keepRows(rows);
    }
  }

  private readHeader(line: Line): void {
    this.header = new CsvHeader(dialogueKind, line);
    this.plain = new DialogueLineReader(this.header.names as DialogueColumn[]);
    this.plain.standAt(this.reading.now());
    this.quoted = new CsvReader(this.header.names.length);
    this.forget(this.at);
    this.chunk.preamble = this.preamble;
  }

  /** Lines before the first row are no part of the chunk. */
  private forget(end: number): void {
    const rest = Buffer.from(this.chunk.bytes.subarray(end, this.chunk.byteCount));
    this.chunk.byteCount = 0;
    this.chunk.append(rest);
    this.at = 0;
  }

  private rowsOf(records: readonly CsvRecord[]): { row: Row<DialogueValues>; handed: Handed[] }[] {
    return records.map((record) => {
      const first = this.handed.findIndex(({ number }) => number === record.line);
      const lines = 1 + (record.fault === 'TOO_LONG' ? 0 : countOf(record.bytes, LINE_FEED));
      const handed = this.handed.splice(0, first + lines).slice(first);
      return { row: csvRow(dialogueKind, this.header!, record, this.reading.now()), handed };
    });
  }

  private *keepRows(rows: readonly { readonly row: Row<DialogueValues>; readonly handed: readonly Handed[] }[]): Generator<DialogueChunk> {
    this.early.push(...rows);
    while (this.early.length > 0) {
      const { row, handed } = this.early.shift()!;
      this.chunk.takeRow(row, handed[0]!.start, handed.at(-1)!.end);
      this.cut = !row.terminated;
      if (this.chunk.rowCount === this.chunk.fullAt || this.chunk.rowEnd[this.chunk.rowCount - 1]! >= MOST_CHUNK_BYTES) yield this.next();
    }
  }

  /** The chunk, finished; what was read ahead of it goes to the next. */
  private next(): DialogueChunk {
    const full = this.chunk;
    const end = full.rowEnd[full.rowCount - 1]!;
    const following = this.reading.newChunk();
    following.begin(++this.number, this.preamble);
    following.append(full.bytes.subarray(end, full.byteCount));
    const move = (handed: Handed): Handed => ({ ...handed, start: handed.start - end, end: handed.end - end });
    this.handed = this.handed.map(move);
    this.early = this.early.map(({ row, handed }) => ({ row, handed: handed.map(move) }));
    this.at -= end;
    this.finish();
    this.chunk = following;
    return full;
  }

  private finish(): DialogueChunk {
    const { chunk } = this;
    chunk.settledRows = chunk.rowCount - (this.cut ? 1 : 0);
    return chunk;
  }

  /** The line that isn't ended yet is too long already: from here on it is only hashed. */
  private beginOverlong(): void {
    const seen = this.chunk.bytes.subarray(this.at, this.chunk.byteCount);
    this.overlong = { start: Buffer.from(seen.subarray(0, SHOWN_OF_LONG_LINE)), hash: createHash('sha256').update(seen) };
    this.chunk.byteCount = this.at;
  }

  /** Among the bytes of the chunk its hash stands for the line, whatever the pieces were that it came in. */
  private *endOverlong(terminated: boolean): Generator<DialogueChunk> {
    const { start: bytes, hash } = this.overlong!;
    this.overlong = null;
    const tooLong = hash.digest();
    const start = this.chunk.byteCount;
    this.chunk.append(tooLong);
    if (terminated) this.chunk.append(Buffer.of(LINE_FEED));
    const end = (this.at = this.chunk.byteCount);
    const number = this.line++;
    yield* this.takeLine({ number, bytes, terminated, tooLong }, { number, start, end });
  }
}

function countOf(bytes: Buffer, byte: number): number {
  let count = 0;
  for (let at = bytes.indexOf(byte); at !== -1; at = bytes.indexOf(byte, at + 1)) count++;
  return count;
}
