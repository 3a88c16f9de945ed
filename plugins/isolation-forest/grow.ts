/** Grows isolation forests (Liu, Ting and Zhou, 2008) by scikit-learn's conventions, so that the same data give the same scores there and here. */
import { randomStream, sampleWithoutReplacement } from 'simwarden/detector/numeric';

export interface Forest {
  readonly trees: number;
  /** Rows that each tree saw. */
  readonly subsample: number;
  /** Steps from a root after which every row stands at its leaf. */
  readonly depth: number;
  readonly columns: number;
  /** Node of each tree's root. */
  readonly roots: Int32Array;
  /** Packed nodes, 16 bytes each: column, left child (the right one follows it), threshold and value (float32). A leaf is its own left child, and nothing exceeds its threshold. */
  readonly nodes: Int32Array;
  /** Mean path length of the tree's own rows below each node, from the root: what attribution compares with. */
  readonly expectations: Float64Array;
}

export interface GrowOptions {
  readonly trees: number;
  readonly subsample: number;
  readonly seed: number;
  /** Where between its extremes a threshold is drawn: evenly, or evenly in sign(x) log(1 + |x|). Scoring is the same either way. */
  readonly scale: 'linear' | 'logarithmic';
}

/** Two values of a column that are nearer than this count as equal, as in scikit-learn. */
const CONSTANT = 1e-7;
const EULER_MASCHERONI = 0.5772156649015329;

/** c(n): the mean length of an unsuccessful search in a binary search tree of n keys. c(256) = 10.245. */
export function averagePathLength(rows: number): number {
  if (rows <= 1) return 0;
  if (rows === 2) return 1;
  return 2 * (Math.log(rows - 1) + EULER_MASCHERONI) - (2 * (rows - 1)) / rows;
}

/** `values`: rows × columns, row-major, without NaN. Tree number t depends on the rows, the seed and t alone. */
export function growForest(values: Float32Array, rows: number, columns: number, { trees, subsample, seed, scale }: GrowOptions): Forest {
  const size = Math.min(subsample, rows);
  const depth = Math.ceil(Math.log2(Math.max(2, size)));
  const most = trees * (2 * size - 1);
  const nodes = new Int32Array(4 * most);
  const grown: Grown = { nodes, floats: new Float32Array(nodes.buffer), expectations: new Float64Array(most), used: 0 };
  const roots = new Int32Array(trees);
  for (let tree = 0; tree < trees; tree++) {
    const random = randomStream(seed, tree);
    roots[tree] = grown.used;
    new Tree(values, columns, depth, scale, random, grown).grow(sampleWithoutReplacement(rows, size, random));
  }
  return {
    trees,
    subsample: size,
    depth,
    columns,
    roots,
    nodes: nodes.slice(0, 4 * grown.used),
    expectations: grown.expectations.slice(0, grown.used),
  };
}

interface Grown {
  readonly nodes: Int32Array;
  readonly floats: Float32Array;
  readonly expectations: Float64Array;
  used: number;
}

class Tree {
  private readonly order: Int32Array;

  constructor(
    private readonly values: Float32Array,
    private readonly columns: number,
    private readonly mostDepth: number,
    private readonly scale: GrowOptions['scale'],
    private readonly random: () => number,
    private readonly grown: Grown,
  ) {
    this.order = Int32Array.from({ length: columns }, (_, column) => column);
  }

  grow(sample: Int32Array): void {
    const root = this.grown.used++;
    this.split(root, sample, 0);
  }

  /** Fills the node for these rows, which it sorts into the two sides; answers its expectation. */
  private split(node: number, rows: Int32Array, depth: number): number {
    const { nodes, floats, expectations } = this.grown;
    const chosen = depth < this.mostDepth && rows.length > 1 ? this.chooseSplit(rows) : undefined;
    if (chosen === undefined) {
      floats[4 * node + 2] = Infinity;
      nodes[4 * node + 1] = node;
      floats[4 * node + 3] = depth + averagePathLength(rows.length);
      return (expectations[node] = floats[4 * node + 3]!);
    }
    const lefts = this.partition(rows, chosen.column, chosen.threshold);
    const left = this.grown.used;
    this.grown.used += 2;
    nodes[4 * node] = chosen.column;
    nodes[4 * node + 1] = left;
    floats[4 * node + 2] = chosen.threshold;
    const onLeft = this.split(left, rows.subarray(0, lefts), depth + 1);
    const onRight = this.split(left + 1, rows.subarray(lefts), depth + 1);
    return (expectations[node] = (lefts * onLeft + (rows.length - lefts) * onRight) / rows.length);
  }

  /** A column drawn until one is not constant in the node, and a threshold uniform between its extremes, never the largest. */
  private chooseSplit(rows: Int32Array): { column: number; threshold: number } | undefined {
    const { order, values, columns } = this;
    for (let left = columns; left > 0; left--) {
      const place = Math.floor(this.random() * left);
      const column = order[place]!;
      order[place] = order[left - 1]!;
      order[left - 1] = column;
      let least = Infinity;
      let greatest = -Infinity;
      for (const row of rows) {
        const value = values[row * columns + column]!;
        if (value < least) least = value;
        if (value > greatest) greatest = value;
      }
      if (greatest <= Math.fround(least + CONSTANT)) continue;
      return { column, threshold: this.drawThreshold(least, greatest) };
    }
    return undefined;
  }

  private drawThreshold(least: number, greatest: number): number {
    const [from, to] = this.scale === 'linear' ? [least, greatest] : [logarithmic(least), logarithmic(greatest)];
    const drawn = from + this.random() * (to - from);
    const threshold = Math.fround(this.scale === 'linear' ? drawn : exponential(drawn));
    return threshold >= least && threshold < greatest ? threshold : least;
  }

  /** Rows at or under the threshold first; answers how many. */
  private partition(rows: Int32Array, column: number, threshold: number): number {
    let end = rows.length;
    for (let place = 0; place < end;) {
      const row = rows[place]!;
      if (this.values[row * this.columns + column]! <= threshold) place += 1;
      else {
        end -= 1;
        rows[place] = rows[end]!;
        rows[end] = row;
      }
    }
    return end;
  }
}

function logarithmic(value: number): number {
  return Math.sign(value) * Math.log1p(Math.abs(value));
}

function exponential(value: number): number {
  return Math.sign(value) * Math.expm1(Math.abs(value));
}
