/** The features of many SIM-days as one block of numbers: how the host hands them over, and how a population detector takes them, without a copy in between. */
import type { ColumnName, ColumnsOf } from './columns';
import type { Detection, DetectorInput, Kind } from './contract';
import { rowsOf, type Matrix } from './numeric';

/** `values[row * names.length + column]`; NaN where unknown. Read only. */
export interface FeatureMatrix {
  readonly names: readonly string[];
  readonly rows: number;
  readonly values: Float32Array;
}

/** The one column of a features input that is not a feature: such rows are neither learned from nor judged. */
const BLOCKED = 'blockedByUs';

/** A features input over rows as they are stored; its columns are made only where they are read. `blockedByUs`: 1 per blocked row; none without it. */
export function featureInput(matrix: FeatureMatrix, kinds: readonly Kind[], blockedByUs?: ArrayLike<number>): DetectorInput<ColumnName> {
  const { names, rows, values } = matrix;
  const columns = Object.defineProperties(
    {},
    Object.fromEntries(
      names
        .filter((name) => name !== BLOCKED)
        .map((name) => {
          const column = names.indexOf(name);
          let made: Float64Array | undefined;
          return [name, { enumerable: true, get: () => (made ??= columnOf(values, rows, names.length, column)) }];
        }),
    ),
  ) as Record<string, Float64Array>;
  columns[BLOCKED] = blockedByUs === undefined ? new Float64Array(rows) : Float64Array.from(blockedByUs);
  return {
    rows,
    columns: columns as unknown as ColumnsOf<ColumnName>,
    matrix,
    wasFiring: new Uint8Array(rows * kinds.length),
    consecutiveWindows: new Int32Array(rows * kinds.length),
    previousState: new Float64Array(0),
  };
}

/** A features input of whatever columns. */
type AnyInput = Pick<DetectorInput<ColumnName>, 'rows' | 'matrix'> & { readonly columns: object };

/** The features of the input row by row: what the host has, or made from its columns. */
export function featureMatrix(input: AnyInput): FeatureMatrix {
  if (input.matrix !== undefined) return input.matrix;
  const given = input.columns as Readonly<Record<string, Float64Array>>;
  const names = Object.keys(given).filter((name) => name !== BLOCKED);
  const values = new Float32Array(input.rows * names.length);
  names.forEach((name, column) => {
    const from = given[name]!;
    for (let row = 0, cell = column; row < input.rows; row++, cell += names.length) values[cell] = from[row]!;
  });
  return { names, rows: input.rows, values };
}

/** The rows that a model may learn from: not blocked by us, and with at least one known feature. Throws where there is none. Read only: they may be the input's own. */
export function judgedRows(input: AnyInput, matrix: FeatureMatrix): Matrix<Float32Array> {
  const { names, rows, values } = matrix;
  const whyNot = whyUnjudged(input, matrix);
  const judged = Array.from({ length: rows }, (_, row) => row).filter((row) => whyNot(row) === undefined);
  if (judged.length === 0) throw new Error(`expected rows to learn from, got ${rows} of which none has a known feature`);
  const all = { rows, columns: names.length, values };
  return judged.length === rows ? all : rowsOf(all, judged);
}

/** The detection of a detector that ranks under one kind: a score per row, abstaining where a row can't be judged. */
export function rankedDetection(input: AnyInput, matrix: FeatureMatrix, scoreOf: (row: number) => number): Detection {
  const whyNot = whyUnjudged(input, matrix);
  const scores = new Float64Array(matrix.rows);
  const abstained: { row: number; reason: string }[] = [];
  for (let row = 0; row < matrix.rows; row++) {
    const reason = whyNot(row);
    scores[row] = reason === undefined ? scoreOf(row) : NaN;
    if (reason !== undefined) abstained.push({ row, reason });
  }
  return { scores, abstained };
}

/** Why a row can't be judged; undefined where it can. */
function whyUnjudged(input: AnyInput, { names, values }: FeatureMatrix): (row: number) => string | undefined {
  const blocked = (input.columns as Readonly<Partial<Record<string, Float64Array>>>)[BLOCKED];
  const width = names.length;
  return (row) => {
    if (blocked?.[row] === 1) return 'we blocked the SIM';
    for (let cell = row * width; cell < (row + 1) * width; cell++) if (values[cell] === values[cell]) return undefined;
    return 'no feature is known';
  };
}

/** Throws where the columns aren't those of the model, in their order. */
export function demandColumns(given: readonly string[], fitted: readonly string[]): void {
  const place = fitted.findIndex((name, index) => name !== given[index]);
  if (place >= 0 || given.length !== fitted.length)
    throw new Error(
      `the model was fitted on other columns: expected ${fitted.length} of them${place < 0 ? '' : `, number ${place + 1} being ${fitted[place]}`}, got ${given.length}${place < 0 ? '' : ` with ${given[place] ?? 'none'} there`}; fit it again`,
    );
}

function columnOf(values: Float32Array, rows: number, width: number, column: number): Float64Array {
  const made = new Float64Array(rows);
  for (let row = 0, cell = column; row < rows; row++, cell += width) made[row] = values[cell]!;
  return made;
}
