/** Reads a table of numbers from CSV: what isn't a number is told by line and column, and nothing is guessed. */
import type { Readable } from 'node:stream';
import type { FeatureMatrix } from '../../detector';
import { SimwardenError } from '../../errors';
import { CsvReader, type CsvRecord } from '../../telemetry/parsing/csv';
import { LineSplitter } from '../../telemetry/parsing/lines';

export interface Table extends FeatureMatrix {
  /** 1 where the row is an anomaly; null where no label was named. */
  readonly labels: Uint8Array | null;
}

/** Numbers that one table may hold: 800 MB. */
const MOST_CELLS = 200_000_000;
const MOST_COLUMNS = 5_000;
/** A decimal number as programs write them. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** From here on a number is rounded to infinity in the single precision of the table: 2^128 less half of the last place. */
const TOO_LARGE = 2 ** 128 - 2 ** 103;
const MISSING: ReadonlySet<string> = new Set(['', 'nan', 'na', 'n/a', 'null', '?']);

/** Throws TABLE_INVALID, saying where. An empty cell, NaN, NA, null and ? are unknown values. */
export async function readTable(
  file: string,
  body: Readable,
  label: string | undefined,
  seen: (bytes: number) => void = () => undefined,
): Promise<Table> {
  const builder = new TableBuilder(file, label);
  const lines = new LineSplitter();
  const records = new CsvReader(null);
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      for (const record of records.push(lines.push(chunk))) builder.add(record);
      seen((bytes += chunk.length));
    }
  } catch (error) {
    if (error instanceof SimwardenError) throw error;
    throw new SimwardenError('FILE_UNREADABLE', { file, what: (error as Error).message });
  }
  for (const record of [...records.push(lines.end()), ...records.end()]) builder.add(record);
  return builder.table();
}

class TableBuilder {
  private header: readonly string[] | null = null;
  private names: string[] = [];
  private labelAt = -1;
  private values = new Float32Array(1 << 16);
  private labels = new Uint8Array(1 << 12);
  private rows = 0;

  constructor(
    private readonly file: string,
    private readonly label: string | undefined,
  ) {}

  add({ line, fields, fault }: CsvRecord): void {
    if (fields === null) throw this.refused(`line ${line} is not CSV in UTF-8 (${faults[fault!]})`);
    if (this.header === null) this.begin(fields.map((field) => field.trim()));
    else this.addRow(line, fields);
  }

  table(): Table {
    if (this.header === null) throw this.refused('it is empty; expected a header');
    if (this.rows === 0) throw this.refused('it has a header but no rows');
    return {
      names: this.names,
      rows: this.rows,
      values: this.values.subarray(0, this.rows * this.names.length),
      labels: this.labelAt < 0 ? null : this.labels.subarray(0, this.rows),
    };
  }

  private begin(given: readonly string[]): void {
    const header = given.map((name, place) => (place === 0 ? name.replace(/^\uFEFF/, '') : name));
    const nameless = header.indexOf('');
    if (nameless >= 0) throw this.refused(`column ${nameless + 1} has no name; expected a header as the first line`);
    const twice = header.find((name, place) => header.indexOf(name) !== place);
    if (twice !== undefined) throw this.refused(`two columns are named "${twice}"`);
    if (this.label !== undefined) {
      this.labelAt = header.indexOf(this.label);
      if (this.labelAt < 0)
        throw this.refused(`there is no label column "${this.label}"; the columns are ${header.slice(0, 20).join(', ')}`);
    }
    this.names = header.filter((_, place) => place !== this.labelAt);
    if (this.names.length === 0) throw this.refused('it has no column beside the label');
    if (this.names.length > MOST_COLUMNS) throw this.refused(`it has ${this.names.length} columns; at most ${MOST_COLUMNS} are allowed`);
    this.header = header;
  }

  private addRow(line: number, fields: readonly string[]): void {
    const { header, labelAt } = this;
    const width = this.names.length;
    if (fields.length !== header!.length) throw this.refused(`line ${line} has ${fields.length} fields; the header has ${header!.length}`);
    if ((this.rows + 1) * width > MOST_CELLS) throw this.refused(`it has more than ${MOST_CELLS} numbers; split it`);
    if ((this.rows + 1) * width > this.values.length) this.values = grown(this.values, width);
    if (this.rows === this.labels.length) this.labels = grown(this.labels, 1);
    let cell = this.rows * width;
    for (let place = 0; place < fields.length; place++) {
      if (place === labelAt) this.labels[this.rows] = this.labelOf(fields[place]!, line);
      else this.values[cell++] = this.numberOf(fields[place]!, line, place);
    }
    this.rows += 1;
  }

  private numberOf(text: string, line: number, place: number): number {
    const trimmed = text.trim();
    if (NUMBER.test(trimmed)) {
      const number = Number(trimmed);
      if (Math.abs(number) < TOO_LARGE) return number;
      throw this.refusedAt(line, place, `expected a number up to 3.4e38, the largest in single precision, got "${trimmed.slice(0, 40)}"`);
    }
    if (MISSING.has(trimmed.toLowerCase())) return NaN;
    throw this.refusedAt(line, place, `expected a number or nothing, got "${trimmed.slice(0, 40)}"; leave columns of text out`);
  }

  private refusedAt(line: number, place: number, what: string): SimwardenError {
    return this.refused(`line ${line}, column ${this.header![place]}: ${what}`);
  }

  private labelOf(text: string, line: number): number {
    const trimmed = text.trim();
    const value = NUMBER.test(trimmed) ? Number(trimmed) : NaN;
    if (value !== 0 && value !== 1)
      throw this.refused(`line ${line}, label ${this.label}: expected 1 (an anomaly) or 0, got "${trimmed.slice(0, 40)}"`);
    return value;
  }

  private refused(what: string): SimwardenError {
    return new SimwardenError('TABLE_INVALID', { file: this.file, what });
  }
}

const faults = { TOO_LONG: 'the line is too long', NOT_UTF8: 'other bytes', QUOTES: 'a quote is not closed, or text follows it' } as const;

function grown<Values extends Float32Array | Uint8Array>(values: Values, atLeast: number): Values {
  const Kind = values.constructor as new (length: number) => Values;
  const more = new Kind(Math.max(values.length * 2, values.length + atLeast));
  more.set(values);
  return more;
}
