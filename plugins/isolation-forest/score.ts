/** Mean path lengths of rows in a forest: on WebAssembly where it is built, otherwise in plain code with the same bits. */
import { loadKernel, type Kernel } from 'simwarden/detector/numeric';
import type { Forest } from './grow';

/** Rows that are brought in and scored together: they stay in the first-level cache while all trees pass. A multiple of 8. */
const BUFFER_ROWS = 96;
const NODE_BYTES = 16;
const FIRST_BYTE = 1_024;

let loaded: Kernel | null | undefined;

/** Of each row the mean over the trees of depth + c(rows left) at its leaf; `median` stands in for NaN. `plain`: without WebAssembly, whatever is built. */
export function meanPathLengths(forest: Forest, values: Float32Array, rows: number, median: Float32Array, plain = false): Float64Array {
  if (loaded === undefined) loaded = loadKernel(`${__dirname}/scorer.wasm`) ?? null;
  const scorer = loaded === null || plain ? plainScorer(forest, median) : compiledScorer(loaded, forest, median);
  const { columns, trees } = forest;
  const lengths = new Float64Array(rows);
  for (let from = 0; from < rows; from += BUFFER_ROWS) {
    const to = Math.min(rows, from + BUFFER_ROWS);
    scorer.buffer.set(values.subarray(from * columns, to * columns));
    scorer.sums.fill(0);
    scorer.score(to - from);
    for (let row = from; row < to; row++) lengths[row] = scorer.sums[row - from]! / trees;
  }
  return lengths;
}

interface Scorer {
  /** BUFFER_ROWS × columns. */
  readonly buffer: Float32Array;
  readonly sums: Float64Array;
  /** Imputes the first rows of the buffer and adds their path lengths to the sums. */
  score(rows: number): void;
}

function compiledScorer(kernel: Kernel, forest: Forest, median: Float32Array): Scorer {
  const { nodes, roots, columns, trees, depth } = forest;
  const sumsAt = FIRST_BYTE;
  const bufferAt = sumsAt + 8 * BUFFER_ROWS;
  const medianAt = bufferAt + 4 * columns * BUFFER_ROWS;
  const rootsAt = medianAt + 4 * columns;
  const nodesAt = Math.ceil((rootsAt + 4 * trees) / 64) * 64;
  const memory = kernel.reserve(nodesAt + nodes.byteLength);
  new Float32Array(memory, medianAt, columns).set(median);
  new Int32Array(memory, rootsAt, trees).set(roots.map((root) => nodesAt + root * NODE_BYTES));
  // where node and column numbers stand, the kernel wants addresses and offsets
  const packed = new Int32Array(memory, nodesAt, nodes.length);
  packed.set(nodes);
  for (let at = 0; at < packed.length; at += 4) {
    packed[at] = packed[at]! * 4;
    packed[at + 1] = nodesAt + packed[at + 1]! * NODE_BYTES;
  }
  return {
    buffer: new Float32Array(memory, bufferAt, BUFFER_ROWS * columns),
    sums: new Float64Array(memory, sumsAt, BUFFER_ROWS),
    score(rows) {
      kernel.call.impute!(bufferAt, rows, columns, medianAt);
      kernel.call.score!(nodesAt, rootsAt, trees, depth, bufferAt, Math.ceil(rows / 8) * 8, 4 * columns, sumsAt);
    },
  };
}

function plainScorer({ nodes, roots, columns, depth }: Forest, median: Float32Array): Scorer {
  const buffer = new Float32Array(BUFFER_ROWS * columns);
  const sums = new Float64Array(BUFFER_ROWS);
  // where node numbers stand, the walk wants places in the array
  const packed = nodes.map((value, at) => (at % 4 === 1 ? 4 * value : value));
  const floats = new Float32Array(packed.buffer);
  return {
    buffer,
    sums,
    score(rows) {
      for (let row = 0, cell = 0; row < rows; row++) {
        // NaN alone differs from itself
        for (let column = 0; column < columns; column++, cell++) if (buffer[cell] !== buffer[cell]) buffer[cell] = median[column]!;
      }
      for (const root of roots) for (let row = 0; row < rows; row += 4) sendFourDown(4 * root, row);
    },
  };

  /** In turn, so that four loads wait for memory together. */
  function sendFourDown(root: number, row: number): void {
    const x0 = row * columns;
    const x1 = x0 + columns;
    const x2 = x1 + columns;
    const x3 = x2 + columns;
    let n0 = root;
    let n1 = root;
    let n2 = root;
    let n3 = root;
    for (let step = depth; step > 0; step--) {
      n0 = packed[n0 + 1]! + (buffer[x0 + packed[n0]!]! > floats[n0 + 2]! ? 4 : 0);
      n1 = packed[n1 + 1]! + (buffer[x1 + packed[n1]!]! > floats[n1 + 2]! ? 4 : 0);
      n2 = packed[n2 + 1]! + (buffer[x2 + packed[n2]!]! > floats[n2 + 2]! ? 4 : 0);
      n3 = packed[n3 + 1]! + (buffer[x3 + packed[n3]!]! > floats[n3 + 2]! ? 4 : 0);
    }
    sums[row]! += floats[n0 + 3]!;
    sums[row + 1]! += floats[n1 + 3]!;
    sums[row + 2]! += floats[n2 + 3]!;
    sums[row + 3]! += floats[n3 + 3]!;
  }
}
