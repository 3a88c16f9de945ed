/** Bytes to rows: the same rows from CSV and NDJSON, whatever the sizes of the pieces that the bytes arrive in. */
import { isUtf8 } from 'node:buffer';
import { SimwardenError } from '../../errors';
import { isRowError, rowError, shown, type Column, type ColumnTable, type RowError } from './column';
import { CsvReader, FieldScanner, type CsvRecord } from './csv';
import { LineSplitter, MOST_LINE_BYTES, type Line } from './lines';

export type Format = 'csv' | 'ndjson';

/** A row as it stands in the body: what it says, or why it can't be read. */
export interface Row<Content> {
  readonly line: number;
  /** Its bytes (of a line that is too long their SHA-256): what chunks are compared by. */
  readonly bytes: Buffer;
  /** False for a last row without a line break: it may have been cut. */
  readonly terminated: boolean;
  readonly content: Content | null;
  readonly error: RowError | null;
  /** What was given, for quarantine; only where there is an error. */
  readonly given: Readonly<Record<string, string>>;
}

/** What can be imported: columns, and how a row of them is read and checked. */
export interface RowKind<Content> {
  readonly name: string;
  readonly columns: ColumnTable;
  read(text: (column: string) => string | undefined, now: number): Content | RowError;
}

export interface RowReader<Content> {
  /** The rows that end in these bytes; `now` is the wall clock in epoch milliseconds. Throws HEADER_INVALID. */
  push(bytes: Buffer, now: number): Row<Content>[];
  end(now: number): Row<Content>[];
  /** What besides the rows decides their meaning: the order of the columns. */
  readonly preamble: string;
}

export function rowReader<Content extends object>(format: Format, kind: RowKind<Content>): RowReader<Content> {
  return format === 'csv' ? new CsvRows(kind) : new NdjsonRows(kind);
}

/** The first line of a CSV: which column stands where. */
export class CsvHeader {
  readonly names: readonly string[];
  private readonly positions = new Map<string, number>();

  /** Throws HEADER_INVALID. */
  constructor(kind: RowKind<unknown>, line: Line) {
    const wrong = (what: string): SimwardenError => headerError(kind, what);
    if (line.tooLong) throw wrong(`its line is longer than ${MOST_LINE_BYTES} bytes`);
    if (!isUtf8(line.bytes)) throw wrong('it is not UTF-8');
    const scanner = new FieldScanner();
    if (scanner.feed(line.bytes.toString('utf8').replace(/^\uFEFF/, '')) !== 'complete') throw wrong("its quotes don't match");
    this.names = scanner.fields.map((name) => name.trim());
    for (const [position, name] of this.names.entries()) {
      if (!Object.hasOwn(kind.columns, name)) throw wrong(`column "${shown(name)}" is unknown`);
      if (this.positions.has(name)) throw wrong(`column "${name}" is there twice`);
      this.positions.set(name, position);
    }
    const missing = Object.keys(kind.columns).filter((name) => kind.columns[name]!.required && !this.positions.has(name));
    if (missing.length > 0) throw wrong(`column "${missing.join('", "')}" is missing`);
  }

  position(column: string): number | undefined {
    return this.positions.get(column);
  }
}

/** HEADER_INVALID. */
export function headerError(kind: RowKind<unknown>, what: string): SimwardenError {
  const expected = Object.entries(kind.columns)
    .map(([name, column]) => (column.required ? name : `${name} (optional)`))
    .join(', ');
  return new SimwardenError('HEADER_INVALID', { what, expected });
}

export const EMPTY_BODY = 'the body is empty';

class CsvRows<Content extends object> implements RowReader<Content> {
  private readonly lines = new LineSplitter();
  private reader: CsvReader | null = null;
  private header: CsvHeader | null = null;

  constructor(private readonly kind: RowKind<Content>) {}

  get preamble(): string {
    return this.header?.names.join(',') ?? '';
  }

  push(bytes: Buffer, now: number): Row<Content>[] {
    return this.rows(this.records(this.lines.push(bytes)), now);
  }

  end(now: number): Row<Content>[] {
    const last = this.records(this.lines.end());
    if (!this.reader) throw headerError(this.kind, EMPTY_BODY);
    return this.rows([...last, ...this.reader.end()], now);
  }

  private records(lines: Line[]): CsvRecord[] {
    let rest = lines;
    while (!this.reader && rest.length > 0) {
      const [first, ...others] = rest as [Line, ...Line[]];
      if (first.tooLong || first.bytes.length > 0) {
        this.header = new CsvHeader(this.kind, first);
        this.reader = new CsvReader(this.header.names.length);
      }
      rest = others;
    }
    return this.reader ? this.reader.push(rest) : [];
  }

  private rows(records: readonly CsvRecord[], now: number): Row<Content>[] {
    return records.map((record) => csvRow(this.kind, this.header!, record, now));
  }
}

/** What a record of a CSV says, or why it can't be read. */
export function csvRow<Content extends object>(kind: RowKind<Content>, header: CsvHeader, record: CsvRecord, now: number): Row<Content> {
  const { line, bytes, terminated, fields } = record;
  if (!fields) return { line, bytes, terminated, content: null, error: faultError(record), given: { line: shown(bytes.toString('utf8')) } };
  const given = (): Record<string, string> =>
    Object.fromEntries(fields.map((field, i) => [header.names[i] ?? `field ${i + 1}`, storable(field)]));
  if (fields.length !== header.names.length) {
    const error = rowError('FIELD_COUNT', { given: fields.length, expected: header.names.length });
    return { line, bytes, terminated, content: null, error, given: given() };
  }
  const content = kind.read((column) => {
    const position = header.position(column);
    return position === undefined ? undefined : fields[position];
  }, now);
  if (isRowError(content)) return { line, bytes, terminated, content: null, error: content, given: given() };
  return { line, bytes, terminated, content, error: null, given: {} };
}

function faultError(record: CsvRecord): RowError {
  switch (record.fault) {
    case 'TOO_LONG':
      return rowError('LINE_TOO_LONG', { most: MOST_LINE_BYTES });
    case 'NOT_UTF8':
      return rowError('FIELD_INVALID', { column: '(the line)', given: shown(record.bytes.toString('utf8')), expected: 'UTF-8' });
    default:
      return rowError('FIELD_INVALID', {
        column: '(the line)',
        given: shown(record.bytes.toString('utf8')),
        expected: 'quotes that match (RFC 4180)',
      });
  }
}

class NdjsonRows<Content extends object> implements RowReader<Content> {
  readonly preamble = 'ndjson';
  private readonly lines = new LineSplitter();

  constructor(private readonly kind: RowKind<Content>) {}

  push(bytes: Buffer, now: number): Row<Content>[] {
    return this.rows(this.lines.push(bytes), now);
  }

  end(now: number): Row<Content>[] {
    return this.rows(this.lines.end(), now);
  }

  private rows(lines: readonly Line[], now: number): Row<Content>[] {
    return lines.filter((line) => line.tooLong || line.bytes.length > 0).map((line) => ndjsonRow(this.kind, line, now));
  }
}

/** What a line of NDJSON says, or why it can't be read. */
export function ndjsonRow<Content extends object>(kind: RowKind<Content>, given: Line, now: number): Row<Content> {
  const { number: line, bytes, terminated, tooLong } = given;
  const failed = (error: RowError, fields: Record<string, string>): Row<Content> => ({
    line,
    bytes: tooLong ?? bytes,
    terminated,
    content: null,
    error,
    given: fields,
  });
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (tooLong) return failed(rowError('LINE_TOO_LONG', { most: MOST_LINE_BYTES }), { line: shown(text) });
  if (!isUtf8(bytes))
    return failed(rowError('FIELD_INVALID', { column: '(the line)', given: shown(text), expected: 'UTF-8' }), { line: shown(text) });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return failed(rowError('JSON_INVALID', { what: shown((error as Error).message) }), { line: storable(text) });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return failed(rowError('JSON_INVALID', { what: `it is ${Array.isArray(value) ? 'an array' : JSON.stringify(value).slice(0, 40)}` }), {
      line: storable(text),
    });
  }
  return { line, bytes, terminated, ...readObject(kind, value as Record<string, unknown>, now) };
}

/** Reads an object with the columns' names, as NDJSON and GraphQL give it. */
export function readObject<Content extends object>(
  kind: RowKind<Content>,
  value: Readonly<Record<string, unknown>>,
  now: number,
): Pick<Row<Content>, 'content' | 'error' | 'given'> {
  const result = readTexts(kind, value, now);
  if (!isRowError(result)) return { content: result, error: null, given: {} };
  const given = Object.fromEntries(
    Object.entries(value).map(([name, field]) => [storable(name), storable(textOf(field) ?? JSON.stringify(field))]),
  );
  return { content: null, error: result, given };
}

function readTexts<Content extends object>(
  kind: RowKind<Content>,
  value: Readonly<Record<string, unknown>>,
  now: number,
): Content | RowError {
  for (const [name, field] of Object.entries(value)) {
    if (!Object.hasOwn(kind.columns, name)) {
      return rowError('FIELD_INVALID', {
        column: shown(name),
        given: shown(textOf(field) ?? ''),
        expected: `one of the columns ${Object.keys(kind.columns).join(', ')}`,
      });
    }
    if (textOf(field, kind.columns[name]) === undefined) {
      return rowError('FIELD_INVALID', { column: name, given: shown(JSON.stringify(field)), expected: kind.columns[name]!.expected });
    }
  }
  return kind.read((column) => textOf(value[column], kind.columns[column]), now);
}

/** A JSON value as CSV would write it; undefined where it has no such form. */
function textOf(value: unknown, column?: Column<unknown>): string | undefined {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'boolean' && column?.takesBooleans) return String(value);
  return value instanceof Date ? value.toISOString() : undefined;
}

/** Longest part of a field that quarantine keeps: longer than any valid one. */
const MOST_KEPT = 2000;

/** A text that jsonb takes. */
function storable(text: string): string {
  return text.slice(0, MOST_KEPT).toWellFormed().replaceAll('\0', '\uFFFD');
}
