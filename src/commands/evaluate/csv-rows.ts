/** A CSV file with a header, plain or gzip: its rows, and where in them each column stands. */
import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SimwardenError } from '../../errors';
import { CsvReader, type CsvRecord } from '../../telemetry/parsing/csv';
import { LineSplitter } from '../../telemetry/parsing/lines';

export interface Columns<Name extends string> {
  readonly needed: readonly Name[];
  /** They may be absent; columns that are not named at all are ignored. */
  readonly others: readonly Name[];
}

/** Place of each column in a row, from 0; −1: the file doesn't have it. */
export type Places<Name extends string> = Readonly<Record<Name, number>>;

export interface CsvRows<Name extends string> {
  readonly places: Places<Name>;
  /** null: a line that is not CSV in UTF-8. */
  readonly rows: readonly (readonly string[] | null)[];
}

/** Some rows at a time: one by one costs more than reading them. Nothing comes of an empty file; one with a header alone gives no rows once. */
export async function* csvRows<Name extends string>(file: string, columns: Columns<Name>): AsyncGenerator<CsvRows<Name>> {
  const lines = new LineSplitter();
  const records = new CsvReader(null);
  let places: Places<Name> | null = null;
  const rowsOf = (read: readonly CsvRecord[]): CsvRows<Name>[] => {
    const rows = read.map(({ fields }) => fields);
    if (rows.length === 0) return [];
    places ??= placesOf(file, columns, rows.shift()!);
    return [{ places, rows }];
  };
  try {
    for await (const chunk of bytesOf(file) as AsyncIterable<Buffer>) yield* rowsOf(records.push(lines.push(chunk)));
  } catch (error) {
    throw error instanceof SimwardenError ? error : new SimwardenError('FILE_UNREADABLE', { file, what: (error as Error).message });
  }
  yield* rowsOf([...records.push(lines.end()), ...records.end()]);
}

/** A field by its place; empty where the file or the row doesn't have it. */
export function fieldAt(row: readonly string[], place: number): string {
  return place < 0 ? '' : (row[place] ?? '');
}

function bytesOf(file: string): Readable {
  const source = createReadStream(file);
  // what goes wrong with the file ends the reading of what is unpacked too
  return file.endsWith('.gz') ? pipeline(source, createGunzip(), () => undefined) : source;
}

function placesOf<Name extends string>(file: string, { needed, others }: Columns<Name>, header: readonly string[] | null): Places<Name> {
  if (header === null) throw new SimwardenError('FILE_UNREADABLE', { file, what: 'its first line is not CSV in UTF-8; expected a header' });
  const names = header.map((name) =>
    name
      .replace(/^\uFEFF/, '')
      .trim()
      .toLowerCase(),
  );
  const missing = needed.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    const what = `its header has no column ${missing.join(', ')}; expected ${needed.join(', ')}, got "${header.join(',').slice(0, 120)}"`;
    throw new SimwardenError('FILE_UNREADABLE', { file, what });
  }
  return Object.fromEntries([...needed, ...others].map((name) => [name, names.indexOf(name)])) as Places<Name>;
}
