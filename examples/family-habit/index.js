/** Learns how far from its family's baseline a client's SIMs usually are, and finds those that are farther. */
const { bytesInWords, defineDetector, DetectionDraft } = require('simwarden/detector');
const { quantile } = require('simwarden/detector/numeric');

const kinds = [
  { id: 'UNLIKE_ITS_FAMILY', title: 'Uses unlike its family', severity: 'WARNING', subject: 'SIM', window: 'DAY', judged: 'CLOSED_DAY' },
];

/** Of two normal quarters, the distance from median to quartile is 0.6745 standard deviations. */
const QUARTILE_DEVIATIONS = 0.6745;

module.exports = defineDetector({
  meta: {
    id: 'acme-family-habit',
    version: '0.1.0',
    contract: 1,
    title: 'Habit of the family',
    summary: "Compares the logarithm of a day's bytes over the family's baseline with its usual spread, learned from the fleet.",
    limits: 'Blind where all SIMs change together; a fleet that was ill when it was learned looks healthy.',
    input: 'usage',
    needs: ['dayBytes', 'baselineDayBytes'],
    kinds,
    decides: 'itself',
    scope: 'client',
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        deviations: {
          type: 'number',
          default: 6,
          minimum: 1,
          maximum: 100,
          description: 'Robust standard deviations above which it fires.',
        },
      },
    },
  },

  /** The model: median and robust standard deviation of the logarithm, as two numbers of eight bytes. */
  fit({ columns: { dayBytes, baselineDayBytes } }) {
    const known = logRatios(dayBytes, baselineDayBytes).filter((value) => !Number.isNaN(value));
    const median = quantile(known, 0.5);
    const spread = (quantile(known, 0.75) - quantile(known, 0.25)) / 2 / QUARTILE_DEVIATIONS;
    return new Uint8Array(Float64Array.of(median, spread).buffer);
  },

  detect(input, { options, model }) {
    const draft = new DetectionDraft(input, kinds);
    const unlike = draft.kind('UNLIKE_ITS_FAMILY');
    // A model comes from storage at any offset: copied before it is read as numbers.
    const [median, spread] = model ? new Float64Array(model.slice().buffer) : [NaN, NaN];
    logRatios(input.columns.dayBytes, input.columns.baselineDayBytes).forEach((value, row) => {
      const score = (value - median) / Math.max(spread, 0.01) / options.deviations;
      if (Number.isNaN(score)) unlike.abstain(row, model ? 'the family has no baseline, or the SIM no traffic' : 'nothing was learned yet');
      else unlike.judge(row, score, score > 1 ? 1 : 0);
    });
    return draft.detection();
  },

  explain({ columns: { dayBytes, baselineDayBytes } }, asked) {
    return asked.map(({ row }) => {
      const text = `${bytesInWords(dayBytes[row])} today, the family usually ${bytesInWords(baselineDayBytes[row])}`;
      return [{ column: 'dayBytes', observed: dayBytes[row], expected: baselineDayBytes[row], unit: 'bytes', weight: 1, text }];
    });
  },
});

/** NaN where there is no traffic or no baseline: a silent SIM is for other detectors. */
function logRatios(bytes, baseline) {
  return bytes.map((value, row) => (value > 0 && baseline[row] > 0 ? Math.log(value / baseline[row]) : NaN));
}
