/** Finds SIMs that upload far more than they download. */
const { bytesInWords, defineDetector, DetectionDraft } = require('simwarden/detector');

const kinds = [
  { id: 'UPLOAD_HEAVY', title: 'Uploads far more than usual', severity: 'WARNING', subject: 'SIM', window: 'DAY', judged: 'ANY_TIME' },
];
const multiple = { type: 'number', default: 5, minimum: 1, maximum: 1000, description: 'Uplink over downlink from which it alarms (×).' };
const options = { type: 'object', additionalProperties: false, properties: { multiple } };

// prettier-ignore
module.exports = defineDetector({
  meta: {
    id: 'acme-upload-heavy', version: '0.1.0', contract: 1, title: 'Upload-heavy SIMs', summary: "Compares the day's uplink with its downlink.",
    limits: 'Cameras upload by trade.', input: 'usage', needs: ['dayUplinkBytes', 'dayDownlinkBytes'], kinds, options, decides: 'itself', scope: 'client',
  },
  detect(input, context) {
    const { dayUplinkBytes, dayDownlinkBytes } = input.columns;
    const draft = new DetectionDraft(input, kinds);
    for (let row = 0; row < input.rows; row++) {
      const score = dayUplinkBytes[row] / Math.max(1, dayDownlinkBytes[row]) / context.options.multiple;
      if (Number.isNaN(score)) draft.kind('UPLOAD_HEAVY').abstain(row, 'the traffic of the day is unknown');
      else draft.kind('UPLOAD_HEAVY').judge(row, score, score > 1 ? 1 : 0);
    }
    return draft.detection();
  },
  explain: ({ columns: { dayUplinkBytes: up, dayDownlinkBytes: down } }, asked) => asked.map(({ row }) => [
    { column: 'dayUplinkBytes', observed: up[row], expected: down[row], unit: 'bytes', weight: 1, text: `${bytesInWords(up[row])} up, ${bytesInWords(down[row])} down` },
  ]),
});
