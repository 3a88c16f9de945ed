/** Finds SIMs that fell silent and SIMs that never spoke: broken, unplugged, or swapped without the inventory knowing. */
import { countInWords, defineDetector, DetectionDraft, type Evidence, type Kind } from 'simwarden/detector';

const kinds = [
  {
    id: 'SILENT_SIM',
    title: 'No usage any more from a SIM that used to send',
    severity: 'WARNING',
    subject: 'SIM',
    window: 'DAY',
    judged: 'CLOSED_DAY',
  },
  {
    id: 'NEVER_SEEN',
    title: 'No usage ever since the SIM was registered',
    severity: 'INFO',
    subject: 'SIM',
    window: 'DAY',
    judged: 'CLOSED_DAY',
  },
] as const satisfies readonly Kind[];

/** What the columns look back on: beyond it every earlier habit has left the window. */
const HISTORY_DAYS = 28;

export default defineDetector({
  meta: {
    id: 'zero-usage',
    version: '1.0.0',
    contract: 1,
    title: 'Silent SIMs',
    summary: 'Names SIMs whose silence is longer than their own habit explains, and SIMs never seen since they were registered.',
    input: 'usage',
    needs: [
      'silentDays',
      'activeDaysOf28',
      'daysSinceRegistered',
      'dayClosed',
      'dayIncomplete',
      'sourceLatenessSeconds',
      'expectedSilence',
      'lifecycleActive',
      'blockedByUs',
    ],
    kinds,
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        silentDays: {
          type: 'integer',
          default: 2,
          minimum: 1,
          maximum: 90,
          description: 'The shortest silence that alarms; SIMs with pauses of their own get longer (days).',
        },
        chancePercent: {
          type: 'number',
          default: 1,
          minimum: 0.0001,
          maximum: 50,
          description: "How likely a silence may be by the SIM's own habit and still alarm (percent).",
        },
        minimumActiveDays: {
          type: 'integer',
          default: 5,
          minimum: 1,
          maximum: 28,
          description: 'Days with usage of the last 28 that make a habit; below it the detector abstains (days).',
        },
        graceDays: {
          type: 'integer',
          default: 3,
          minimum: 0,
          maximum: 365,
          description: 'New SIMs are left alone for so long after registration (days).',
        },
        neverSeenDays: {
          type: 'integer',
          default: 7,
          minimum: 1,
          maximum: 3650,
          description: 'How long after registration a SIM without any usage is named NEVER_SEEN (days).',
        },
        latenessToleranceSeconds: {
          type: 'integer',
          default: 0,
          minimum: 0,
          maximum: 86_400,
          description: 'How far a usage source may be behind the end of the day and silence still be believed (seconds).',
        },
        expectedSilence: {
          type: 'array',
          default: [],
          maxItems: 200,
          items: {
            type: 'string',
            pattern: '^(MONDAY|TUESDAY|WEDNESDAY|THURSDAY|FRIDAY|SATURDAY|SUNDAY|\\d{4}-\\d{2}-\\d{2}(/\\d{4}-\\d{2}-\\d{2})?)$',
          },
          description:
            'UTC days on which silence is normal: SATURDAY, 2026-12-25, or 2026-12-24/2027-01-06. The host turns them into the column.',
        },
      },
    },
    decides: 'itself',
    scope: 'client',
    reference: 'guide-detect-iot-fraud, common pitfalls ("Ignoring zero-consumption SIMs")',
    limits:
      'Judges whole UTC days, once they are closed: a SIM that dies is named one to two days later. Devices that report once a week need a longer habit.',
  },

  detect(input, { options }) {
    const draft = new DetectionDraft(input, kinds);
    const silent = draft.kind('SILENT_SIM');
    const never = draft.kind('NEVER_SEEN');
    const at = input.columns;
    for (let row = 0; row < input.rows; row++) {
      const doubt = whySilenceMeansNothing(row);
      if (doubt !== undefined) {
        silent.abstain(row, doubt);
        never.abstain(row, doubt);
        continue;
      }
      const days = at.silentDays[row]!;
      const registeredDays = at.daysSinceRegistered[row]!;
      if (Number.isNaN(days)) {
        silent.judge(row, 0, 0);
        if (Number.isNaN(registeredDays)) never.abstain(row, 'the day of registration is unknown');
        else never.judge(row, Math.max(0, registeredDays) / options.neverSeenDays, registeredDays >= options.neverSeenDays ? 1 : 0);
        continue;
      }
      never.judge(row, 0, 0);
      const needed = neededSilence(row, days);
      if (days === 0) silent.judge(row, 0, 0);
      else if (needed === undefined) silent.abstain(row, "too few days with usage to know the SIM's habit");
      else silent.judge(row, days / needed, days >= needed ? 1 : 0);
    }
    return draft.detection();

    function whySilenceMeansNothing(row: number): string | undefined {
      if (at.dayClosed[row] !== 1) return 'the day is not closed';
      if (at.dayIncomplete[row] !== 0) return 'the day was closed although a source was late';
      if (Number.isNaN(at.sourceLatenessSeconds[row]!)) return 'no usage source ever delivered';
      if (at.sourceLatenessSeconds[row]! > options.latenessToleranceSeconds) return 'a usage source is late';
      if (at.expectedSilence[row] === 1) return 'the SIM is expected to be silent on this day';
      if (at.lifecycleActive[row] !== 1) return 'the subscription is not active';
      if (at.blockedByUs[row] === 1) return 'we blocked the SIM';
      const registeredDays = at.daysSinceRegistered[row]!;
      // A history longer than the registration was imported with the SIM: then it is not new.
      const knownBefore = at.activeDaysOf28[row]! > registeredDays;
      if (registeredDays >= 0 && registeredDays < options.graceDays && !knownBefore) return 'the SIM was registered only just';
      return undefined;
    }

    /** Days of silence that this SIM must reach; undefined where its habit is unknown. */
    function neededSilence(row: number, days: number): number | undefined {
      if (days >= HISTORY_DAYS) return Math.max(HISTORY_DAYS, options.silentDays);
      const activeDays = at.activeDaysOf28[row]!;
      if (!(activeDays >= options.minimumActiveDays)) return silent.wasFiring(row) ? options.silentDays : undefined;
      const daysBefore = daysKnownBefore(at.daysSinceRegistered[row]!, activeDays, days);
      return Math.max(options.silentDays, silenceBeyondChance(activeDays, daysBefore, options.chancePercent / 100));
    }
  },

  explain(input, rows) {
    const at = input.columns;
    return rows.map(({ row, kind }): Evidence[] => {
      if (kind === 'NEVER_SEEN') {
        const days = at.daysSinceRegistered[row]!;
        return [
          {
            column: 'daysSinceRegistered',
            observed: days,
            expected: null,
            unit: 'days',
            weight: 1,
            text: `registered ${countInWords(days, 'day')} ago and no usage so far`,
          },
        ];
      }
      const days = at.silentDays[row]!;
      const active = at.activeDaysOf28[row]!;
      return [
        { column: 'silentDays', observed: days, expected: 0, unit: 'days', weight: 0.7, text: `no usage for ${countInWords(days, 'day')}` },
        {
          column: 'activeDaysOf28',
          observed: Number.isNaN(active) ? null : active,
          expected: null,
          unit: 'days',
          weight: 0.3,
          text: `usage on ${countInWords(active, 'day')} of the 28 before`,
        },
      ];
    });
  },
});

/** Days before the silence on which the SIM could have sent: bounded by the window of 28 and by the registration, where the history is not older. */
function daysKnownBefore(registeredDays: number, activeDays: number, silentDays: number): number {
  const silentInWindow = silentDays - 1;
  const window = HISTORY_DAYS - silentInWindow;
  const sinceRegistered = registeredDays - 1 - silentInWindow;
  return sinceRegistered >= activeDays ? Math.min(window, sinceRegistered) : activeDays;
}

/** The shortest silence whose chance is at most `chance`, days taken as independent; half a day is added so that a perfect record is not certainty. */
function silenceBeyondChance(activeDays: number, daysBefore: number, chance: number): number {
  const quietChance = 1 - (Math.min(activeDays, daysBefore) + 0.5) / (daysBefore + 1);
  return Math.ceil(Math.log(chance) / Math.log(quietChance) - 1e-9);
}
