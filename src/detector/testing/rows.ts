/** Rows as an author writes them down, and the columnar input that the host would make of them. */
import { columnCatalogue, type CategoryColumn, type ColumnName, type ColumnsOf } from '../columns';
import type { DetectorInput, DetectorMeta } from '../contract';

type NamesOf<Input extends 'usage' | 'events' | 'features' | 'services'> = {
  [Name in ColumnName]: (typeof columnCatalogue)[Name]['input'] extends Input ? Name : never;
}[ColumnName];
type ValueOf<Name extends ColumnName> = (typeof columnCatalogue)[Name]['type'] extends 'category' ? string | null : number;

type UsageColumnName = NamesOf<'usage'>;
type EventColumnName = NamesOf<'events'>;
type FeatureColumnName = NamesOf<'features'> | 'blockedByUs';
/** One SIM-day; NaN where unknown. */
export type UsageRow = { readonly [Name in UsageColumnName]: number };
/** One event of a SIM; NaN, or null for a category, where unknown. */
export type EventRow = { readonly [Name in EventColumnName]: ValueOf<Name> };
/** The signaling of one SIM-day; NaN where undefined. */
export type FeatureRow = { readonly [Name in FeatureColumnName]: number };
/** One service of a country in one hour; NaN, or null for a category, where unknown. */
export type ServiceRow = { readonly [Name in NamesOf<'services'>]: ValueOf<Name> };
export type Row = UsageRow | EventRow | FeatureRow | ServiceRow;

/** What the host carries over from the last closed window. */
export interface Memory {
  /** Kinds that were firing, for every row. */
  readonly wasFiring?: readonly string[];
}

type AnyMeta = Pick<DetectorMeta<ColumnName>, 'needs' | 'kinds' | 'stateWidth'>;

/** A fresh columnar input with only the columns that the detector declares. */
export function inputOf(meta: AnyMeta, rows: readonly Row[], memory: Memory = {}): DetectorInput<ColumnName> {
  const columns: Record<string, Float64Array | CategoryColumn> = {};
  for (const name of meta.needs) {
    const values = rows.map((row) => (row as Readonly<Record<string, number | string | null | undefined>>)[name]);
    columns[name] =
      columnCatalogue[name]?.type === 'category'
        ? category(values)
        : Float64Array.from(values, (value) => (typeof value === 'number' ? value : NaN));
  }
  const width = meta.kinds.length;
  const wasFiring = new Uint8Array(rows.length * width);
  for (let cell = 0; cell < wasFiring.length; cell++) wasFiring[cell] = memory.wasFiring?.includes(meta.kinds[cell % width]!.id) ? 1 : 0;
  return {
    rows: rows.length,
    columns: columns as unknown as ColumnsOf<ColumnName>,
    wasFiring,
    consecutiveWindows: Int32Array.from(wasFiring),
    previousState: new Float64Array(rows.length * (meta.stateWidth ?? 0)).fill(NaN),
  };
}

/** The SIM of each row: rows of one SIM stand together. Of other inputs every row stands for itself. */
export function simOfRow(rows: readonly Row[]): readonly number[] {
  return rows.map((row, index) => ('subject' in row ? row.subject : index));
}

/** Names in the order of their first row, −1 where unknown. */
function category(values: readonly (number | string | null | undefined)[]): CategoryColumn {
  const names: string[] = [];
  const codes = Int32Array.from(values, (value) => {
    if (typeof value !== 'string') return -1;
    const known = names.indexOf(value);
    return known >= 0 ? known : names.push(value) - 1;
  });
  return { codes, names };
}
