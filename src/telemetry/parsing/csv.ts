/** RFC 4180 records out of lines; a broken quote costs its own line, never the good ones after it. */
import { isUtf8 } from 'node:buffer';
import { MOST_LINE_BYTES, type Line } from './lines';

/** One record: its fields, or what is wrong with its line. `bytes` are its lines as they came, line breaks between them. */
export interface CsvRecord {
  readonly line: number;
  readonly bytes: Buffer;
  readonly terminated: boolean;
  readonly fields: readonly string[] | null;
  readonly fault: 'TOO_LONG' | 'NOT_UTF8' | 'QUOTES' | null;
}

const QUOTE = 34;

/** Reads fields of one record piece by piece, so that a field may go on over line breaks. */
export class FieldScanner {
  readonly fields: string[] = [];
  private field = '';
  private state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';

  /** `open`: the line break belongs to a quoted field. `malformed`: something follows a closing quote. */
  feed(text: string): 'complete' | 'open' | 'malformed' {
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (this.state === 'quoted') {
        if (code !== QUOTE) continue;
        this.field += text.slice(from, i);
        if (text.charCodeAt(i + 1) === QUOTE) {
          from = ++i;
        } else {
          this.state = 'closed';
          from = i + 1;
        }
      } else if (code === 44) {
        this.finishField(text.slice(from, i));
        from = i + 1;
      } else if (this.state === 'closed') {
        return 'malformed';
      } else if (this.state === 'start' && code === QUOTE) {
        this.state = 'quoted';
        from = i + 1;
      } else {
        this.state = 'plain';
      }
    }
    if (this.state === 'quoted') {
      this.field += text.slice(from);
      return 'open';
    }
    this.finishField(text.slice(from));
    return 'complete';
  }

  private finishField(rest: string): void {
    this.fields.push(this.field + rest);
    this.field = '';
    this.state = 'start';
  }
}

/** Joins the lines of quoted fields. Where the joined record isn't one of `fieldCount` fields, only its first line is bad, and reading goes on at the second. */
export class CsvReader {
  private open: { readonly scanner: FieldScanner; readonly lines: Line[]; length: number } | null = null;

  constructor(private readonly fieldCount: number | null) {}

  /** A quoted field goes on in the next line. */
  get isOpen(): boolean {
    return this.open !== null;
  }

  push(lines: readonly Line[]): CsvRecord[] {
    const records: CsvRecord[] = [];
    const queue = [...lines].reverse();
    for (let line = queue.pop(); line; line = queue.pop()) this.read(line, records, queue);
    return records;
  }

  /** What an unclosed quote at the end of the body still holds. */
  end(): CsvRecord[] {
    const records: CsvRecord[] = [];
    const queue: Line[] = [];
    do {
      if (this.open) this.giveUp(records, queue);
      for (let line = queue.pop(); line; line = queue.pop()) this.read(line, records, queue);
    } while (this.open);
    return records;
  }

  private read(line: Line, records: CsvRecord[], queue: Line[]): void {
    if (this.open) this.goOn(line, records, queue);
    else this.start(line, records);
  }

  private start(line: Line, records: CsvRecord[]): void {
    if (line.tooLong) records.push(faulty(line, 'TOO_LONG'));
    else if (line.bytes.length === 0) return;
    else if (!isUtf8(line.bytes)) records.push(faulty(line, 'NOT_UTF8'));
    else if (!line.bytes.includes(QUOTE)) records.push(recordOf([line], line.bytes.toString('utf8').split(',')));
    else {
      const scanner = new FieldScanner();
      const state = scanner.feed(line.bytes.toString('utf8'));
      if (state === 'open') this.open = { scanner, lines: [line], length: line.bytes.length };
      else if (state === 'malformed') records.push(faulty(line, 'QUOTES'));
      else records.push(recordOf([line], scanner.fields));
    }
  }

  private goOn(line: Line, records: CsvRecord[], queue: Line[]): void {
    const { scanner, lines } = this.open!;
    lines.push(line);
    this.open!.length += line.bytes.length + 1;
    const readable = !line.tooLong && this.open!.length <= MOST_LINE_BYTES && isUtf8(line.bytes);
    const state = readable ? scanner.feed(`\n${line.bytes.toString('utf8')}`) : 'malformed';
    if (state === 'open') return;
    if (state === 'malformed' || (this.fieldCount !== null && scanner.fields.length !== this.fieldCount)) {
      this.giveUp(records, queue);
    } else {
      this.open = null;
      records.push(recordOf(lines, scanner.fields));
    }
  }

  private giveUp(records: CsvRecord[], queue: Line[]): void {
    const lines = this.open!.lines;
    this.open = null;
    records.push(faulty(lines[0]!, 'QUOTES'));
    for (let i = lines.length - 1; i > 0; i--) queue.push(lines[i]!);
  }
}

function recordOf(lines: readonly Line[], fields: readonly string[]): CsvRecord {
  const bytes =
    lines.length === 1
      ? lines[0]!.bytes
      : Buffer.concat(lines.flatMap((line, i) => (i === 0 ? [line.bytes] : [Buffer.from('\n'), line.bytes])));
  return { line: lines[0]!.number, bytes, terminated: lines.at(-1)!.terminated, fields, fault: null };
}

function faulty(line: Line, fault: CsvRecord['fault']): CsvRecord {
  return { line: line.number, bytes: line.tooLong ?? line.bytes, terminated: line.terminated, fields: null, fault };
}

/** Writes one record, quoting where RFC 4180 asks for it. */
export function csvLine(fields: readonly string[]): string {
  return `${fields.map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',')}\n`;
}
