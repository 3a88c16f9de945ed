/** Finds services that are down for many devices at once: the two rules by which ANCHOR's engineers call an incident critical. */
import { countInWords, defineDetector, DetectionDraft, nameAt, percentInWords, type Evidence, type Kind } from 'simwarden/detector';

const critical = { severity: 'CRITICAL', window: 'DAY', judged: 'ANY_TIME' } as const;

const kinds = [
  { id: 'MAP_SUCCESS_LOW', title: 'Most MAP dialogues of a country fail at the home register', subject: 'COUNTRY', ...critical },
  { id: 'VOICE_SMS_HIT', title: "Many of a client's SIMs in a country get no voice or SMS service", subject: 'COUNTRY', ...critical },
  { id: 'DATA_HIT', title: "Many of a client's SIMs in a country get no data service", subject: 'COUNTRY', ...critical },
  { id: 'PLATFORM_MAP_SUCCESS_LOW', title: 'Most MAP dialogues of the whole platform fail', subject: 'CLIENT', ...critical },
  { id: 'PLATFORM_VOICE_SMS_HIT', title: 'Voice and SMS service is hit on the whole platform', subject: 'CLIENT', ...critical },
  { id: 'PLATFORM_DATA_HIT', title: 'Data service is hit on the whole platform', subject: 'CLIENT', ...critical },
] as const satisfies readonly Kind[];

const kindOfService: Readonly<Record<string, 'MAP_SUCCESS_LOW' | 'VOICE_SMS_HIT' | 'DATA_HIT'>> = {
  MAP: 'MAP_SUCCESS_LOW',
  VOICE_SMS: 'VOICE_SMS_HIT',
  DATA: 'DATA_HIT',
};

export default defineDetector({
  meta: {
    id: 'critical-service',
    version: '1.0.0',
    contract: 1,
    title: 'Critical service incidents',
    summary:
      'Names hours in which fewer than a quarter of the MAP dialogues succeed, or voice, SMS or data fails for more than 5 % of the devices.',
    input: 'services',
    needs: [
      'serviceName',
      'servicePlatformWide',
      'serviceHour',
      'serviceDialogues',
      'serviceSuccesses',
      'serviceSimsTried',
      'serviceSimsFailed',
      'serviceSimsProvisioned',
    ],
    kinds,
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        minimumSuccessPercent: {
          type: 'number',
          default: 25,
          minimum: 1,
          maximum: 99,
          description: 'Share of MAP dialogues that must succeed in an hour (percent).',
        },
        minimumDialogues: {
          type: 'integer',
          default: 50,
          minimum: 1,
          maximum: 1_000_000,
          description: 'MAP dialogues in the hour under which the share is not judged (dialogues).',
        },
        hitSharePercent: {
          type: 'number',
          default: 5,
          minimum: 0.1,
          maximum: 100,
          description: 'Share of the provisioned devices without service from which on it is critical (percent).',
        },
        minimumHitSims: {
          type: 'integer',
          default: 5,
          minimum: 2,
          maximum: 1_000_000,
          description: 'How many devices must be without service at least (SIMs).',
        },
      },
    },
    decides: 'itself',
    scope: 'client',
    reference:
      'paper-anchor, section on critical incidents: MAP success under 25 % in the HLR; voice, data or SMS hit for more than 5 % of devices',
    limits: 'A service that nobody tries to use looks whole: devices that gave up are for zero-usage to find.',
  },

  detect(input, { options }) {
    const draft = new DetectionDraft(input, kinds);
    const at = input.columns;
    for (let row = 0; row < input.rows; row++) {
      const found = kindOfService[nameAt(at.serviceName, row) ?? ''];
      if (found === undefined) continue;
      const judged = draft.kind(at.servicePlatformWide[row] === 1 ? `PLATFORM_${found}` : found);
      if (found === 'MAP_SUCCESS_LOW') {
        const dialogues = at.serviceDialogues[row]!;
        if (!(dialogues >= options.minimumDialogues)) {
          judged.abstain(row, 'too few MAP dialogues in the hour');
          continue;
        }
        // above 1 exactly when the share of successes is below the limit
        const score = (1 - at.serviceSuccesses[row]! / dialogues) / (1 - options.minimumSuccessPercent / 100);
        judged.judge(row, score, score > 1 ? 1 : 0);
      } else {
        const failed = at.serviceSimsFailed[row]!;
        const provisioned = at.serviceSimsProvisioned[row]!;
        if (failed === 0) {
          judged.judge(row, 0, 0);
          continue;
        }
        if (!(provisioned > 0) || Number.isNaN(failed)) {
          judged.abstain(row, 'it is not known how many devices are provisioned there');
          continue;
        }
        const score = Math.min((100 * failed) / provisioned / options.hitSharePercent, failed / options.minimumHitSims);
        const fires = failed >= options.minimumHitSims && (100 * failed) / provisioned > options.hitSharePercent;
        judged.judge(row, score, fires ? 1 : 0);
      }
    }
    return draft.detection();
  },

  explain({ columns: at }, rows, { options }) {
    return rows.map(({ row, kind }): Evidence[] => {
      const hour = at.serviceHour[row]!;
      const when = `between ${clock(hour)} and ${clock(hour + 1)} UTC`;
      if (kind.endsWith('MAP_SUCCESS_LOW')) {
        const share = (100 * at.serviceSuccesses[row]!) / at.serviceDialogues[row]!;
        return [
          {
            column: 'serviceSuccesses',
            observed: share,
            expected: options.minimumSuccessPercent,
            unit: 'percent',
            weight: 1,
            text: `${percentInWords(share)} of ${countInWords(at.serviceDialogues[row]!, 'MAP dialogue')} succeeded ${when}, at least ${percentInWords(options.minimumSuccessPercent)} should`,
          },
        ];
      }
      const failed = at.serviceSimsFailed[row]!;
      const provisioned = at.serviceSimsProvisioned[row]!;
      const service = kind.endsWith('VOICE_SMS_HIT') ? 'voice and SMS' : 'data';
      return [
        {
          column: 'serviceSimsFailed',
          observed: failed,
          expected: (provisioned * options.hitSharePercent) / 100,
          unit: 'SIMs',
          weight: 1,
          text: `${failed} of ${countInWords(provisioned, 'SIM')} (${percentInWords((100 * failed) / provisioned)}, limit ${percentInWords(options.hitSharePercent)}) tried and got no ${service} service ${when}`,
        },
      ];
    });
  },
});

function clock(hour: number): string {
  return `${String(hour).padStart(2, '0')}:00`;
}
