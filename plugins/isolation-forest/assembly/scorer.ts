/** AssemblyScript: sends rows down a forest, eight at a time in turn, so that eight loads wait for memory together. `score.ts` does the same, bit for bit, without it. */

/**
 * Adds to sums[row] (f64) the value of the leaf where each row ends, tree after tree. `nodes`: 16 bytes each, column as a byte offset into the row,
 * left child as an address; `roots`: addresses. `rows` a multiple of 8. Every row takes `depth` steps: leaves lead to themselves.
 */
export function score(nodes: usize, roots: usize, trees: i32, depth: i32, values: usize, rows: i32, rowBytes: i32, sums: usize): void {
  const step = <usize>rowBytes;
  for (let tree = 0; tree < trees; tree++) {
    const root = <usize>load<u32>(roots + (<usize>tree << 2));
    let x0 = values;
    let sum = sums;
    for (let row = 0; row < rows; row += 8) {
      const x1 = x0 + step, x2 = x1 + step, x3 = x2 + step, x4 = x3 + step, x5 = x4 + step, x6 = x5 + step, x7 = x6 + step;
      let n0 = root, n1 = root, n2 = root, n3 = root, n4 = root, n5 = root, n6 = root, n7 = root;
      for (let d = depth; d > 0; d--) {
        n0 = next(n0, x0);
        n1 = next(n1, x1);
        n2 = next(n2, x2);
        n3 = next(n3, x3);
        n4 = next(n4, x4);
        n5 = next(n5, x5);
        n6 = next(n6, x6);
        n7 = next(n7, x7);
      }
      add(sum, n0);
      add(sum + 8, n1);
      add(sum + 16, n2);
      add(sum + 24, n3);
      add(sum + 32, n4);
      add(sum + 40, n5);
      add(sum + 48, n6);
      add(sum + 56, n7);
      x0 = x7 + step;
      sum += 64;
    }
  }
}

/** Puts the column's median where a value is NaN. */
export function impute(values: usize, rows: i32, columns: i32, medians: usize): void {
  const vectors = <usize>(columns >> 2) << 4;
  const end = <usize>columns << 2;
  for (let row = 0; row < rows; row++) {
    let at: usize = 0;
    for (; at < vectors; at += 16) {
      const value = v128.load(values + at);
      v128.store(values + at, v128.bitselect(value, v128.load(medians + at), f32x4.eq(value, value)));
    }
    for (; at < end; at += 4) {
      const value = load<f32>(values + at);
      if (value != value) store<f32>(values + at, load<f32>(medians + at));
    }
    values += end;
  }
}

// @ts-ignore: decorator
@inline
function next(node: usize, row: usize): usize {
  return <usize>load<u32>(node, 4) + (<usize>(load<f32>(row + <usize>load<u32>(node)) > load<f32>(node, 8)) << 4);
}

// @ts-ignore: decorator
@inline
function add(at: usize, node: usize): void {
  store<f64>(at, load<f64>(at) + <f64>load<f32>(node, 12));
}
