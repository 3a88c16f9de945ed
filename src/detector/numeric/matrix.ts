/** What the numerical tools work on: rows of numbers, one after another in one flat typed array. */

/** `values[row * columns + column]`; `rows * columns` numbers are used. */
export interface Matrix<Values extends Float32Array | Float64Array = Float32Array | Float64Array> {
  readonly rows: number;
  readonly columns: number;
  readonly values: Values;
}

/** Some rows of a matrix, in the order named. */
export function rowsOf<Values extends Float32Array | Float64Array>(matrix: Matrix<Values>, rows: ArrayLike<number>): Matrix<Values> {
  const { columns, values } = matrix;
  const Kind = values.constructor as new (length: number) => Values;
  const picked = new Kind(rows.length * columns);
  for (let place = 0; place < rows.length; place++) {
    const from = rows[place]! * columns;
    picked.set(values.subarray(from, from + columns), place * columns);
  }
  return { rows: rows.length, columns, values: picked };
}
