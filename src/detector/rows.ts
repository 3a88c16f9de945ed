/** Walking event rows SIM by SIM, and comparing categories without touching strings per row. */
import type { CategoryColumn } from './columns';

/** A run of rows [from, to) that belong to one SIM, in event-time order. */
export interface SubjectRows {
  readonly from: number;
  readonly to: number;
}

/** The SIMs of an events input: rows of one SIM share their `subject` and stand together. */
export function* subjects(subject: Float64Array, rows: number): Generator<SubjectRows> {
  for (let from = 0; from < rows;) {
    let to = from + 1;
    while (to < rows && subject[to] === subject[from]) to += 1;
    yield { from, to };
    from = to;
  }
}

/** The code of a name in a category column; −2, which no row carries, where the name does not occur. */
export function codeOf(column: CategoryColumn, name: string): number {
  const code = column.names.indexOf(name);
  return code < 0 ? -2 : code;
}

/** The name in a row, or null where it is unknown. */
export function nameAt(column: CategoryColumn, row: number): string | null {
  return column.names[column.codes[row] ?? -1] ?? null;
}
