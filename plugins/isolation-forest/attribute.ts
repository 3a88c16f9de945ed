/** Why a row's path is short: every split's change of the expected path length, credited to the column that it splits on. */
import type { Forest } from './grow';

/**
 * Per column, by how much it shortens the row's mean path: they add up exactly to the forest's expectation − the row's own length.
 * `row`: without NaN.
 */
export function shortening(forest: Forest, row: Float32Array): Float64Array {
  const { nodes, roots, expectations, columns, trees } = forest;
  const floats = new Float32Array(nodes.buffer, nodes.byteOffset, nodes.length);
  const credits = new Float64Array(columns);
  for (const root of roots) {
    let node = root;
    for (let left = nodes[4 * node + 1]!; left !== node; left = nodes[4 * node + 1]!) {
      const column = nodes[4 * node]!;
      const child = row[column]! > floats[4 * node + 2]! ? left + 1 : left;
      credits[column]! += (expectations[node]! - expectations[child]!) / trees;
      node = child;
    }
  }
  return credits;
}

/** Mean path length of the rows that the forest was grown on. */
export function expectedPathLength({ roots, expectations, trees }: Forest): number {
  return roots.reduce((sum, root) => sum + expectations[root]! / trees, 0);
}
