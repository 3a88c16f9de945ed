/** Finds SIM-days that the rest of the population makes unlikely: principal components, then a mixture of Gaussians (PCA-GMM of the ANCHOR paper). */
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
import { packModel, rowsOf, usualOf } from 'simwarden/detector/numeric';
import { densityOf, fitDensity, unlikeliness } from './density';
import { FORMAT, packed, readModel } from './model';

const kinds = [
  {
    id: 'UNLIKELY',
    title: 'Signaling that the population makes unlikely',
    severity: 'WARNING',
    subject: 'SIM',
    window: 'DAY',
    judged: 'CLOSED_DAY',
  },
] as const satisfies readonly Kind[];

export default defineDetector({
  meta: {
    id: 'gaussian-mixture',
    version: '1.0.0',
    contract: 1,
    title: 'Gaussian mixture',
    summary:
      'Describes the population by a few principal components and a mixture of Gaussians whose number BIC chooses; ranks by how unlikely a SIM-day is.',
    input: 'features',
    needs: [...featureNames, 'blockedByUs'],
    anyColumns: true,
    kinds,
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        mostComponents: {
          type: 'integer',
          default: 10,
          minimum: 1,
          maximum: 64,
          description: 'The largest number of Gaussians that BIC may choose (components).',
        },
        minimumWeight: {
          type: 'number',
          default: 0.02,
          minimum: 0,
          maximum: 0.5,
          description: 'Share of the rows that a Gaussian must describe, so that anomalies among them get none of their own (share).',
        },
        varianceShare: {
          type: 'number',
          default: 0.95,
          minimum: 0.1,
          maximum: 1,
          description: 'Share of the variance that the principal components keep (share).',
        },
        mostDirections: {
          type: 'integer',
          default: 20,
          minimum: 1,
          maximum: 128,
          description: 'At most so many principal components (directions).',
        },
        scale: {
          type: 'string',
          default: 'linear',
          enum: ['linear', 'logarithmic'],
          description: 'Whether features are taken as they are or as sign(x) log(1 + |x|) (name).',
        },
      },
    },
    decides: 'by-rank',
    scope: 'population',
    reference: 'ANCHOR, section IV (PCA-GMM); Schwarz: Estimating the Dimension of a Model, 1978 (BIC)',
    limits:
      'Anomalies among the training rows widen the Gaussians; features that hardly vary are lost with the small components. Needs some hundred rows.',
  },

  fit(input, { options, random }) {
    const matrix = featureMatrix(input);
    const training = judgedRows(input, matrix);
    const usual = usualOf(training);
    const density = fitDensity(training, usual.median, options, Math.floor(random() * 2 ** 32));
    return packModel(FORMAT, packed(matrix.names, usual, density));
  },

  detect(input, { model }) {
    const { names, density } = readModel(model);
    const matrix = featureMatrix(input);
    demandColumns(matrix.names, names);
    const { logLikelihood } = densityOf(density, { rows: matrix.rows, columns: names.length, values: matrix.values });
    return rankedDetection(input, matrix, (row) => -logLikelihood[row]!);
  },

  explain(input, rows, { model }) {
    const { names, usual, density } = readModel(model);
    const matrix = featureMatrix(input);
    demandColumns(matrix.names, names);
    const all = { rows: matrix.rows, columns: names.length, values: matrix.values };
    const flagged = rowsOf(
      all,
      rows.map(({ row }) => row),
    );
    const parts = unlikeliness(density, flagged);
    const width = names.length;
    return rows.map((_, index) => {
      const ofRow = <Values extends Float32Array | Float64Array>(values: Values) => values.subarray(index * width, (index + 1) * width);
      return featureEvidence(names, ofRow(flagged.values), ofRow(parts), usual);
    });
  },
});
