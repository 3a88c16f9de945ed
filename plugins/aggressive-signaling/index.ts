/** Finds devices that hammer the network: far too many dialogues, endless retries that all fail, and those that our own block drives mad. */
import { countInWords, defineDetector, DetectionDraft, percentInWords, type Evidence, type Kind } from 'simwarden/detector';

const kinds = [
  {
    id: 'AGGRESSIVE_DEVICE',
    title: 'The device signals far more than a working one needs to',
    severity: 'WARNING',
    escalated: 'CRITICAL',
    subject: 'SIM',
    window: 'DAY',
    judged: 'CLOSED_DAY',
  },
  {
    id: 'RETRY_STORM',
    title: 'The device tries again and again and is refused nearly every time',
    severity: 'WARNING',
    escalated: 'CRITICAL',
    subject: 'SIM',
    window: 'DAY',
    judged: 'CLOSED_DAY',
  },
  {
    id: 'BLOCK_CAUSES_STORM',
    title: 'The device answers our block with a storm of retries',
    severity: 'WARNING',
    subject: 'SIM',
    window: 'DAY',
    judged: 'CLOSED_DAY',
  },
] as const satisfies readonly Kind[];

/** This many times the limit is the same trouble, worse. */
const ESCALATION = 4;

export default defineDetector({
  meta: {
    id: 'aggressive-signaling',
    version: '1.0.0',
    contract: 1,
    title: 'Aggressive signaling',
    summary:
      "Holds a SIM's dialogues of the day, and how many of them failed, against limits; a SIM that we blocked is judged by what the block does to it.",
    input: 'features',
    needs: ['n', 'n_map_errors', 'n_diam_errors', 'n_map_rejects', 'n_diam_rejects', 'active_minutes', 'blockedByUs'],
    kinds,
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        dailyDialogues: {
          type: 'integer',
          default: 5_000,
          minimum: 10,
          maximum: 10_000_000,
          description: 'Dialogues of a SIM on a day above which it is aggressive (dialogues).',
        },
        minimumFailures: {
          type: 'integer',
          default: 300,
          minimum: 1,
          maximum: 10_000_000,
          description: 'Rejected, failed and timed-out dialogues of a day from which on retries are a storm (dialogues).',
        },
        failedSharePercent: {
          type: 'number',
          default: 60,
          minimum: 1,
          maximum: 100,
          description: 'Share of the dialogues that must have failed besides (percent).',
        },
      },
    },
    decides: 'itself',
    scope: 'client',
    reference: 'paper-anchor: the aggressive-device flag, and Table I, incident 4 (aggressive devices for lack of coverage)',
    limits:
      'The limits are absolute: a fleet of highly mobile devices needs a higher one; the population detectors compare like with like.',
  },

  detect(input, { options }) {
    const draft = new DetectionDraft(input, kinds);
    const aggressive = draft.kind('AGGRESSIVE_DEVICE');
    const retrying = draft.kind('RETRY_STORM');
    const blocked = draft.kind('BLOCK_CAUSES_STORM');
    for (let row = 0; row < input.rows; row++) {
      const dialogues = input.columns.n[row]!;
      const failures = failuresOf(input.columns, row);
      if (Number.isNaN(dialogues + failures)) {
        for (const kind of [aggressive, retrying, blocked]) kind.abstain(row, 'nothing is known of its signaling');
        continue;
      }
      // at least 1 exactly when both the number and the share are reached
      const storm = Math.min(failures / options.minimumFailures, (100 * failures) / Math.max(1, dialogues) / options.failedSharePercent);
      if (input.columns.blockedByUs[row] === 1) {
        aggressive.abstain(row, 'we blocked the SIM: its signaling is our doing');
        retrying.abstain(row, 'we blocked the SIM: its failures are ours');
        blocked.judge(row, storm, storm >= 1 ? 1 : 0);
        continue;
      }
      const load = dialogues / options.dailyDialogues;
      aggressive.judge(row, load, load > ESCALATION ? 2 : load > 1 ? 1 : 0);
      retrying.judge(row, storm, storm < 1 ? 0 : failures >= ESCALATION * options.minimumFailures ? 2 : 1);
      blocked.judge(row, 0, 0);
    }
    return draft.detection();
  },

  explain({ columns }, rows, { options }) {
    return rows.map(({ row, kind }): Evidence[] => {
      const dialogues = columns.n[row]!;
      if (kind === 'AGGRESSIVE_DEVICE') {
        return [
          {
            column: 'n',
            observed: dialogues,
            expected: options.dailyDialogues,
            unit: 'dialogues',
            weight: 1,
            text: `${countInWords(dialogues, 'dialogue')} on the day in ${countInWords(columns.active_minutes[row]!, 'minute')}, limit ${countInWords(options.dailyDialogues, 'dialogue')}`,
          },
        ];
      }
      const failures = failuresOf(columns, row);
      const advice = kind === 'BLOCK_CAUSES_STORM' ? '; a permanent reject makes a modem stop' : '';
      return [
        {
          column: 'n_map_rejects',
          observed: failures,
          expected: options.minimumFailures,
          unit: 'dialogues',
          weight: 1,
          text: `${countInWords(failures, 'dialogue')} rejected or failed, ${percentInWords((100 * failures) / Math.max(1, dialogues))} of the day's${advice}`,
        },
      ];
    });
  },
});

function failuresOf(
  at: { readonly [Name in 'n_map_errors' | 'n_diam_errors' | 'n_map_rejects' | 'n_diam_rejects']: Float64Array },
  row: number,
): number {
  return at.n_map_errors[row]! + at.n_diam_errors[row]! + at.n_map_rejects[row]! + at.n_diam_rejects[row]!;
}
