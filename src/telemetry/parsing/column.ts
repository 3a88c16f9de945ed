/** What a column of an import is: CSV, NDJSON and GraphQL input read it through the same table, and errors quote it. */
import { errorMessage, type ErrorCode, type ErrorDetails } from '../../errors';
import { textFault } from '../../graphql/safe-text';

/** Why a row isn't stored. */
export interface RowError {
  readonly code: ErrorCode;
  readonly message: string;
}

export function rowError(code: ErrorCode, details: ErrorDetails = {}): RowError {
  return { code, message: errorMessage(code, details) };
}

export interface Column<Value> {
  readonly required: boolean;
  /** What a valid value looks like, as error messages say it. */
  readonly expected: string;
  /** undefined where the text is not one. Never called with an empty text. */
  readonly parse: (text: string) => Value | undefined;
  /** The text that reads back as the value; default: String. */
  readonly format?: ((value: never) => string) | undefined;
  /** NDJSON and GraphQL may give it as true or false. */
  readonly takesBooleans?: boolean;
}

export type ColumnTable = Readonly<Record<string, Column<unknown>>>;

/** The values of a row, null where an optional one is empty. */
export type ValuesOf<Table extends ColumnTable> = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly required: true; readonly parse: (text: string) => infer Value | undefined }
    ? Exclude<Value, undefined>
    : Table[Name] extends { readonly parse: (text: string) => infer Value | undefined }
      ? Exclude<Value, undefined> | null
      : never;
};

export type Parsing<Value> = Omit<Column<Value>, 'required'>;

export function required<Value>(parsing: Parsing<Value>): Parsing<Value> & { readonly required: true } {
  return { ...parsing, required: true };
}

export function optional<Value>(parsing: Parsing<Value>): Parsing<Value> & { readonly required: false } {
  return { ...parsing, required: false };
}

/** Reads a row's texts by the table; '' and undefined are empty. */
export function readColumns<Table extends ColumnTable>(
  table: Table,
  text: (column: string) => string | undefined,
): ValuesOf<Table> | RowError {
  const values: Record<string, unknown> = {};
  for (const name in table) {
    const column = table[name]!;
    const given = text(name);
    if (given === undefined || given === '') {
      if (column.required) return rowError('FIELD_MISSING', { column: name });
      values[name] = null;
      continue;
    }
    const value = textFault(given) === null ? column.parse(given) : undefined;
    if (value === undefined) return rowError('FIELD_INVALID', { column: name, given: shown(given), expected: column.expected });
    values[name] = value;
  }
  return values as ValuesOf<Table>;
}

/** The texts that read back as these values; empty ones are left out. */
export function textsOf(table: ColumnTable, values: object): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const name in table) {
    const value = (values as Readonly<Record<string, string | number | bigint | null | undefined>>)[name];
    if (value === null || value === undefined) continue;
    texts[name] = table[name]!.format?.(value as never) ?? String(value);
  }
  return texts;
}

export function isRowError(result: object): result is RowError {
  return 'code' in result && 'message' in result;
}

const MOST_SHOWN = 80;

/** A given value as an error message may carry it: short, and without characters that a database or a terminal trips over. */
export function shown(given: string): string {
  const short = given.length > MOST_SHOWN ? `${given.slice(0, MOST_SHOWN)}…` : given;
  // eslint-disable-next-line no-control-regex -- control characters are what must not get through
  return short.toWellFormed().replace(/[\u0000-\u001f\u007f]/g, '\uFFFD');
}
