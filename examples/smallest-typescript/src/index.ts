/** Finds SIMs that upload far more than they download. */
import { bytesInWords, defineDetector, DetectionDraft, type Kind } from 'simwarden/detector';

const kinds: readonly Kind[] = [
  { id: 'UPLOAD_HEAVY', title: 'Uploads far more than usual', severity: 'WARNING', subject: 'SIM', window: 'DAY', judged: 'ANY_TIME' },
];

export default defineDetector({
  meta: {
    id: 'acme-upload-heavy',
    version: '0.1.0',
    contract: 1,
    title: 'Upload-heavy SIMs',
    summary: "Compares the day's uplink with its downlink.",
    limits: 'Cameras upload by trade.',
    input: 'usage',
    needs: ['dayUplinkBytes', 'dayDownlinkBytes'],
    kinds,
    decides: 'itself',
    scope: 'client',
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        multiple: { type: 'number', default: 5, minimum: 1, maximum: 1000, description: 'Uplink over downlink from which it alarms (×).' },
      },
    },
  },
  detect(input, { options }) {
    const { dayUplinkBytes, dayDownlinkBytes } = input.columns;
    const draft = new DetectionDraft(input, kinds);
    const heavy = draft.kind('UPLOAD_HEAVY');
    for (let row = 0; row < input.rows; row++) {
      const score = dayUplinkBytes[row]! / Math.max(1, dayDownlinkBytes[row]!) / options.multiple;
      if (Number.isNaN(score)) heavy.abstain(row, 'the traffic of the day is unknown');
      else heavy.judge(row, score, score > 1 ? 1 : 0);
    }
    return draft.detection();
  },
  explain(input, asked) {
    return asked.map(({ row }) => {
      const up = input.columns.dayUplinkBytes[row]!;
      const down = input.columns.dayDownlinkBytes[row]!;
      const text = `${bytesInWords(up)} up, ${bytesInWords(down)} down`;
      return [{ column: 'dayUplinkBytes', observed: up, expected: down, unit: 'bytes', weight: 1, text }];
    });
  },
});
