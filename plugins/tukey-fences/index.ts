/** Finds SIM-days with features far outside the box that holds the middle half of the population: the plainest of the ANCHOR paper's models. */
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
import { fitScaler, imputeMedians, packModel, readOnce, unpackModel, usualOf } from 'simwarden/detector/numeric';

const kinds = [
  {
    id: 'BEYOND_FENCES',
    title: 'Signaling far outside what is usual',
    severity: 'WARNING',
    subject: 'SIM',
    window: 'DAY',
    judged: 'CLOSED_DAY',
  },
] as const satisfies readonly Kind[];

const FORMAT = 'tukey-fences/1';

export default defineDetector({
  meta: {
    id: 'tukey-fences',
    version: '1.0.0',
    contract: 1,
    title: 'Tukey fences',
    summary: 'Adds up how far the features of a SIM-day lie outside the fences around the middle half of the population.',
    input: 'features',
    needs: [...featureNames, 'blockedByUs'],
    anyColumns: true,
    kinds,
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        reach: {
          type: 'number',
          default: 1.5,
          minimum: 0,
          maximum: 100,
          description: 'How far the fences stand outside the quartiles (interquartile ranges).',
        },
      },
    },
    decides: 'by-rank',
    scope: 'population',
    reference: 'Tukey: Exploratory Data Analysis, 1977; ANCHOR, section IV (baseline)',
    limits:
      'Looks at each feature alone: what is strange only in combination escapes it, and in a mixture of different devices the box is too wide. Fit it per cluster.',
  },

  fit(input) {
    const matrix = featureMatrix(input);
    const training = judgedRows(input, matrix);
    const usual = usualOf(training);
    const imputed = { ...training, values: training.values.slice() };
    imputeMedians(imputed, usual.median);
    const { deviations } = fitScaler(imputed);
    // where the middle half is one value, the tails or at last the deviation say what a step is
    const spread = deviations.map((deviation, column) => {
      const box = usual.upperQuartile[column]! - usual.lowerQuartile[column]!;
      const range = usual.high[column]! - usual.low[column]!;
      return box > 0 ? box : range > 0 ? range : deviation;
    });
    return packModel(FORMAT, { facts: { names: matrix.names }, arrays: { ...usual, spread } });
  },

  detect(input, { model, options }) {
    const { names, ...box } = readModel(model);
    const matrix = featureMatrix(input);
    demandColumns(matrix.names, names);
    const fences = fencesOf(box, options.reach);
    const width = names.length;
    return rankedDetection(input, matrix, (row) => {
      let score = 0;
      for (let column = 0, cell = row * width; column < width; column++, cell++) score += beyond(fences, column, matrix.values[cell]!);
      return score;
    });
  },

  explain(input, rows, { model, options }) {
    const { names, ...box } = readModel(model);
    const matrix = featureMatrix(input);
    demandColumns(matrix.names, names);
    const fences = fencesOf(box, options.reach);
    return rows.map(({ row }) => {
      const values = matrix.values.subarray(row * names.length, (row + 1) * names.length);
      const shares = new Float64Array(names.length).map((_, column) => beyond(fences, column, values[column]!));
      return featureEvidence(names, values, shares, box);
    });
  },
});

interface Box {
  readonly lowerQuartile: Float64Array;
  readonly upperQuartile: Float64Array;
  readonly low: Float64Array;
  readonly median: Float64Array;
  readonly high: Float64Array;
  readonly spread: Float64Array;
}

interface Fences {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly spread: Float64Array;
}

function fencesOf({ lowerQuartile, upperQuartile, spread }: Box, reach: number): Fences {
  return {
    lower: lowerQuartile.map((quartile, column) => quartile - reach * spread[column]!),
    upper: upperQuartile.map((quartile, column) => quartile + reach * spread[column]!),
    spread,
  };
}

/** log₂(1 + distance to the fence in spreads): 0 inside, and one wild feature does not drown the others. Nothing where the value is missing. */
function beyond({ lower, upper, spread }: Fences, column: number, value: number): number {
  if (value > upper[column]!) return Math.log2(1 + Math.min(Number.MAX_VALUE, (value - upper[column]!) / spread[column]!));
  if (value < lower[column]!) return Math.log2(1 + Math.min(Number.MAX_VALUE, (lower[column]! - value) / spread[column]!));
  return 0;
}

function readModel(bytes: Uint8Array | undefined): Box & { readonly names: readonly string[] } {
  if (bytes === undefined) throw new Error('expected a model: fit the detector first');
  return readKnown(bytes);
}

const readKnown = readOnce((bytes): Box & { readonly names: readonly string[] } => {
  const { facts, arrays } = unpackModel(FORMAT, bytes);
  return { names: facts.names as string[], ...(arrays as unknown as Box) };
});
