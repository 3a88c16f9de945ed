/** Finds SIM-days that are easy to tell from all others: few random cuts set them apart. The winner of the ANCHOR paper. */
import {
  defineDetector,
  demandColumns,
  featureEvidence,
  featureMatrix,
  featureNames,
  judgedRows,
  rankedDetection,
  type Kind,
} from 'simwarden/detector';
import { packModel, readOnce, rowsOf, unpackModel, usualOf } from 'simwarden/detector/numeric';
import { shortening } from './attribute';
import { averagePathLength, growForest, type Forest } from './grow';
import { meanPathLengths } from './score';
import { sharesAmong, usualShares, weighed, type Share } from './shares';

const kinds = [
  {
    id: 'ISOLATED',
    title: 'Signaling unlike that of comparable SIMs',
    severity: 'WARNING',
    subject: 'SIM',
    window: 'DAY',
    judged: 'CLOSED_DAY',
  },
] as const satisfies readonly Kind[];

const FORMAT = 'isolation-forest/2';

export default defineDetector({
  meta: {
    id: 'isolation-forest',
    version: '1.1.0',
    contract: 1,
    title: 'Isolation forest',
    summary: 'Cuts the population at random until SIM-days stand alone; the fewer cuts one takes on average, the stranger it is.',
    input: 'features',
    needs: [...featureNames, 'blockedByUs'],
    anyColumns: true,
    kinds,
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        trees: { type: 'integer', default: 100, minimum: 1, maximum: 1_000, description: 'Trees of the forest (trees).' },
        subsample: {
          type: 'integer',
          default: 256,
          minimum: 2,
          maximum: 65_536,
          description: 'Rows that each tree sees, drawn without replacement; more where the population is a mixture (rows).',
        },
        scale: {
          type: 'string',
          default: 'linear',
          enum: ['linear', 'logarithmic'],
          description: 'How a threshold is drawn between the extremes of a feature: evenly, or evenly in its logarithm (name).',
        },
        shares: {
          type: 'string',
          default: 'plain',
          enum: ['plain', 'weighed'],
          description:
            'Whether percentages are taken as they are, or weighed by the dialogues that they are of: as if ten more had been as usual (name).',
        },
      },
    },
    decides: 'by-rank',
    scope: 'population',
    reference: 'Liu, Ting, Zhou: Isolation Forest, ICDM 2008; ANCHOR, section IV',
    limits:
      'Compares SIMs with the population it was fitted on: fit it per cluster where groups differ. What many SIMs share is not rare, so an incident that lasted through the training days is learned as normal.',
  },

  fit(input, { options, random }) {
    const { trees, subsample, scale } = options;
    const matrix = featureMatrix(input);
    const training = judgedRows(input, matrix);
    const usual = usualOf(training);
    const shares = options.shares === 'weighed' ? sharesAmong(matrix.names) : [];
    const usualShare = usualShares(training, shares);
    const median = Float32Array.from(usual.median, (value) => (Number.isNaN(value) ? 0 : value));
    const values = imputed(weighed(training.values, training.columns, shares, usualShare), median);
    const forest = growForest(values, training.rows, training.columns, { trees, subsample, scale, seed: Math.floor(random() * 2 ** 32) });
    const { nodes, roots, expectations } = forest;
    return packModel(FORMAT, {
      facts: { names: matrix.names, subsample: forest.subsample, depth: forest.depth },
      arrays: { nodes, roots, expectations, median, usualShare, low: usual.low, usual: usual.median, high: usual.high },
    });
  },

  detect(input, { model }) {
    const { forest, names, median, shares, usualShare } = readModel(model);
    const matrix = featureMatrix(input);
    demandColumns(matrix.names, names);
    const lengths = meanPathLengths(forest, asLearned(matrix.values, names.length, shares, usualShare), matrix.rows, median);
    const unit = averagePathLength(forest.subsample);
    // scikit-learn's score_samples with the sign turned: 2^(−E[h] / c(ψ)), 0 to 1
    return rankedDetection(input, matrix, (row) => (unit > 0 ? 2 ** (-lengths[row]! / unit) : 0.5));
  },

  explain(input, rows, { model }) {
    const { forest, names, median, usual, shares, usualShare } = readModel(model);
    const matrix = featureMatrix(input);
    demandColumns(matrix.names, names);
    const width = names.length;
    const all = { rows: matrix.rows, columns: width, values: matrix.values };
    const flagged = rowsOf(
      all,
      rows.map(({ row }) => row),
    );
    const learned = imputed(asLearned(flagged.values, width, shares, usualShare), median);
    return rows.map((_, index) => {
      const ofRow = (values: Float32Array) => values.subarray(index * width, (index + 1) * width);
      return featureEvidence(names, ofRow(flagged.values), shortening(forest, ofRow(learned)), usual);
    });
  },
});

interface Trained {
  readonly forest: Forest;
  readonly names: readonly string[];
  readonly median: Float32Array;
  /** The columns that are weighed, and what is usual of each; none where shares are taken as they are. */
  readonly shares: readonly Share[];
  readonly usualShare: Float64Array;
  readonly usual: { readonly low: ArrayLike<number>; readonly median: ArrayLike<number>; readonly high: ArrayLike<number> };
}

function readModel(bytes: Uint8Array | undefined): Trained {
  if (bytes === undefined) throw new Error('expected a model: fit the detector first');
  return readKnown(bytes);
}

const readKnown = readOnce((bytes): Trained => {
  const { facts, arrays } = unpackModel(FORMAT, bytes);
  const { names, subsample, depth } = facts as { names: string[]; subsample: number; depth: number };
  const nodes = arrays.nodes as Int32Array;
  const roots = arrays.roots as Int32Array;
  const expectations = arrays.expectations as Float64Array;
  const forest: Forest = { trees: roots.length, subsample, depth, columns: names.length, roots, nodes, expectations };
  demandSound(forest);
  const usualShare = arrays.usualShare as Float64Array;
  return {
    forest,
    names,
    median: arrays.median as Float32Array,
    shares: usualShare.length === 0 ? [] : sharesAmong(names),
    usualShare,
    usual: { low: arrays.low!, median: arrays.usual!, high: arrays.high! },
  };
});

/** Rows as the forest was grown on them. */
function asLearned(values: Float32Array, columns: number, shares: readonly Share[], usualShare: Float64Array): Float32Array {
  return shares.length === 0 ? values : weighed(values, columns, shares, usualShare);
}

/** A damaged model must not lead a walk out of the forest. */
function demandSound({ nodes, roots, columns, depth }: Forest): void {
  const count = nodes.length / 4;
  const inside = (node: number) => node >= 0 && node < count;
  let sound = Number.isInteger(depth) && depth >= 1 && depth <= 32 && roots.every(inside);
  for (let node = 0; node < count && sound; node++) {
    const left = nodes[4 * node + 1]!;
    sound = left === node || (left > node && inside(left + 1));
    sound &&= nodes[4 * node]! >= 0 && nodes[4 * node]! < columns;
  }
  if (!sound) throw new Error('the model is damaged: its trees lead nowhere; fit it again');
}

/** A copy with the column's median where a value is missing, and the largest float32 where one is infinite. */
function imputed(values: Float32Array, median: Float32Array): Float32Array {
  const columns = median.length;
  return values.map((value, cell) => (Number.isNaN(value) ? median[cell % columns]! : Math.min(LARGEST, Math.max(-LARGEST, value))));
}

const LARGEST = 3.4028234663852886e38;
