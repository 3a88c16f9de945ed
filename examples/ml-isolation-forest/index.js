/** The package ml-isolation-forest as a detector: what a library of others needs around it to meet the contract, and where it can't. */
const { IsolationForest } = require('ml-isolation-forest');
const { bytesInWords, defineDetector, DetectionDraft } = require('simwarden/detector');

const kinds = [
  { id: 'EASILY_ISOLATED', title: 'Unlike the fleet', severity: 'WARNING', subject: 'SIM', window: 'DAY', judged: 'CLOSED_DAY' },
];
/** As in the paper; the library itself takes all rows. */
const TRAINING_ROWS = 256;
const FEATURES = 2;

module.exports = defineDetector({
  meta: {
    id: 'acme-isolation-forest',
    version: '0.1.0',
    contract: 1,
    title: 'Isolation forest of ml-isolation-forest',
    summary: "Isolates SIMs by random cuts through traffic over baseline and the uplink's share of it.",
    limits: 'The library has no seed: two runs differ. It grows its trees again on every call.',
    reference: 'Liu, Ting and Zhou, Isolation Forest, ICDM 2008',
    input: 'usage',
    needs: ['dayBytes', 'dayUplinkBytes', 'baselineDayBytes'],
    kinds,
    decides: 'itself',
    scope: 'client',
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        border: {
          type: 'number',
          default: 0.72,
          minimum: 0.5,
          maximum: 1,
          description: 'Score above which it fires (0 to 1, without unit).',
        },
        trees: { type: 'integer', default: 100, minimum: 1, maximum: 1000, description: 'Trees in the forest.' },
      },
    },
  },

  /** The library can't store a forest: its model is the rows that it is grown from. */
  fit(input, { random }) {
    const known = points(input.columns).filter((point) => point !== null);
    const sample = known.map((point) => [random(), point]).sort(([one], [other]) => one - other);
    return new Uint8Array(Float64Array.from(sample.slice(0, TRAINING_ROWS).flatMap(([, point]) => point)).buffer);
  },

  detect(input, { options, model }) {
    const draft = new DetectionDraft(input, kinds);
    const isolated = draft.kind('EASILY_ISOLATED');
    const forest = model && grown(model, options.trees);
    points(input.columns).forEach((point, row) => {
      if (!forest || point === null) return isolated.abstain(row, forest ? 'traffic or baseline is unknown' : 'nothing was learned yet');
      const [score] = forest.predict([point]);
      isolated.judge(row, score, score > options.border ? 1 : 0);
    });
    return draft.detection();
  },

  explain({ columns: { dayBytes, baselineDayBytes } }, asked) {
    return asked.map(({ row }) => {
      const text = `${bytesInWords(dayBytes[row])} today, the family usually ${bytesInWords(baselineDayBytes[row])}: few cuts isolate it`;
      return [{ column: 'dayBytes', observed: dayBytes[row], expected: baselineDayBytes[row], unit: 'bytes', weight: 1, text }];
    });
  },
});

/** A forest is trained once: a second `train` of the library adds trees that it then ignores. */
function grown(model, trees) {
  const values = new Float64Array(model.slice().buffer);
  const forest = new IsolationForest({ nEstimators: trees });
  forest.train(Array.from({ length: values.length / FEATURES }, (_, row) => [...values.subarray(row * FEATURES, (row + 1) * FEATURES)]));
  return forest;
}

/** null where something is unknown: the library would take NaN for a number and answer nonsense. */
function points({ dayBytes, dayUplinkBytes, baselineDayBytes }) {
  return Array.from(dayBytes, (bytes, row) => {
    const point = [Math.log1p(bytes / baselineDayBytes[row]), dayUplinkBytes[row] / Math.max(1, bytes)];
    return point.some(Number.isNaN) ? null : point;
  });
}
