/** Finds SIMs that use a multiple of what their device model family usually uses, by day and by week: the guide's "more than 3 × baseline". */
import {
  bytesInWords,
  countInWords,
  defineDetector,
  DetectionDraft,
  multipleInWords,
  type Evidence,
  type Kind,
  type KindDraft,
} from 'simwarden/detector';

const dailyOutlier: Kind = {
  id: 'DAILY_OUTLIER',
  title: 'Far more data in a day than its model family',
  severity: 'WARNING',
  escalated: 'CRITICAL',
  subject: 'SIM',
  window: 'DAY',
  judged: 'ANY_TIME',
};
const weeklyOutlier: Kind = {
  id: 'WEEKLY_OUTLIER',
  title: 'Far more data in a week than its model family',
  severity: 'WARNING',
  escalated: 'CRITICAL',
  subject: 'SIM',
  window: 'WEEK',
  judged: 'ANY_TIME',
};
const dailyDrop: Kind = {
  id: 'DAILY_DROP',
  title: 'Far less data in a day than its model family',
  severity: 'INFO',
  subject: 'SIM',
  window: 'DAY',
  judged: 'CLOSED_DAY',
};
const persistentOutlier: Kind = {
  id: 'PERSISTENT_OUTLIER',
  title: 'Among the top consumers and above its family day after day',
  severity: 'INFO',
  escalated: 'WARNING',
  subject: 'SIM',
  window: 'DAY',
  judged: 'CLOSED_DAY',
};
const kinds = [dailyOutlier, weeklyOutlier, dailyDrop, persistentOutlier] as const;

const topRatios = ['topRatioDay0', 'topRatioDay1', 'topRatioDay2', 'topRatioDay3', 'topRatioDay4'] as const;

/** A drop needs a SIM that usually sends: active on at least this many of the 28 days before. */
const ACTIVE_DAYS_FOR_A_DROP = 21;
/** A ratio to nothing is infinite; scores are finite. */
const HIGHEST_SCORE = 1_000_000;

export default defineDetector({
  meta: {
    id: 'baseline-multiple',
    version: '1.0.0',
    contract: 1,
    title: 'Multiples of the family baseline',
    summary: "Compares a SIM's day and week with the median of its device model family, and names top consumers that stay above it.",
    input: 'usage',
    needs: [
      'dayBytes',
      'weekBytes',
      'baselineDayBytes',
      'baselineWeekBytes',
      'dayClosed',
      'dayIncomplete',
      'activeDaysOf28',
      'expectedSilence',
      'blockedByUs',
      'topRank',
      ...topRatios,
    ],
    kinds,
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        multiple: {
          type: 'number',
          default: 3,
          minimum: 1.1,
          maximum: 1000,
          description: 'How many times the baseline a day or week must exceed (×).',
        },
        criticalMultiple: {
          type: 'number',
          default: 10,
          minimum: 1.1,
          maximum: 100_000,
          description: 'From how many times the baseline it is critical (×).',
        },
        minimumBytes: {
          type: 'number',
          default: 100_000,
          minimum: 0,
          description: 'Days and weeks below this never alarm, however small the baseline (bytes).',
        },
        dropDivisor: {
          type: 'number',
          default: 0,
          minimum: 0,
          maximum: 1000,
          description: 'Raise DAILY_DROP below baseline ÷ this (×); 0 = off.',
        },
        persistentMultiple: {
          type: 'number',
          default: 2,
          minimum: 1,
          maximum: 1000,
          description: 'How many times the baseline a top consumer must reach on a day that counts as persistent (×).',
        },
        persistentDays: {
          type: 'integer',
          default: 3,
          minimum: 1,
          maximum: 5,
          description: 'On how many of the last five days (days).',
        },
      },
    },
    decides: 'itself',
    scope: 'client',
    reference: 'guide-detect-iot-fraud, steps 1 and 3',
    limits:
      'A SIM that legitimately does more than its family alarms until its limit or family is set right; needs 5 SIMs and 7 days of history.',
  },

  detect(input, { options }) {
    const draft = new DetectionDraft(input, kinds);
    const { dayBytes, weekBytes, baselineDayBytes, baselineWeekBytes } = input.columns;
    const daily = draft.kind('DAILY_OUTLIER');
    const weekly = draft.kind('WEEKLY_OUTLIER');
    const drop = draft.kind('DAILY_DROP');
    const persistent = draft.kind('PERSISTENT_OUTLIER');
    for (let row = 0; row < input.rows; row++) {
      judgeExcess(daily, row, dayBytes[row]!, baselineDayBytes[row]!, options);
      judgeExcess(weekly, row, weekBytes[row]!, baselineWeekBytes[row]!, options);
      judgePersistence(persistent, row);
      if (options.dropDivisor > 0) judgeDrop(drop, row);
    }
    return draft.detection();

    function judgeDrop(kind: KindDraft, row: number): void {
      const baseline = baselineDayBytes[row]!;
      if (Number.isNaN(baseline) || Number.isNaN(dayBytes[row]!)) kind.abstain(row, 'the family has no daily baseline yet');
      else if (input.columns.dayClosed[row] !== 1 || input.columns.dayIncomplete[row] !== 0) kind.abstain(row, 'the day is not complete');
      else if (input.columns.blockedByUs[row] === 1) kind.abstain(row, 'we blocked the SIM');
      else if (input.columns.expectedSilence[row] === 1) kind.abstain(row, 'the SIM is expected to be silent');
      else if (!(input.columns.activeDaysOf28[row]! >= ACTIVE_DAYS_FOR_A_DROP)) kind.abstain(row, 'the SIM does not send every day');
      else {
        const below = dayBytes[row]! < baseline / options.dropDivisor && baseline >= options.minimumBytes;
        kind.judge(row, Math.min(HIGHEST_SCORE, baseline / Math.max(1, dayBytes[row]!) / options.dropDivisor), below ? 1 : 0);
      }
    }

    function judgePersistence(kind: KindDraft, row: number): void {
      const baseline = baselineDayBytes[row]!;
      if (Number.isNaN(baseline) && Number.isFinite(input.columns.topRank[row]!)) {
        kind.abstain(row, 'a top consumer, but its family has no daily baseline yet');
        return;
      }
      // Off the list the ratio is NaN and counts as nothing; the day that decides is the weakest of the strongest `persistentDays`.
      const strongest = topRatios
        .map((name) => input.columns[name][row]!)
        .map((ratio) => (ratio > 0 ? ratio : 0))
        .sort((a, b) => b - a);
      const deciding = strongest[options.persistentDays - 1]!;
      const persists = deciding >= options.persistentMultiple && !(deciding * baseline < options.minimumBytes);
      const outlies = deciding > Math.max(options.multiple, options.persistentMultiple);
      kind.judge(row, deciding / options.persistentMultiple, persists ? (outlies ? 2 : 1) : 0);
    }
  },

  explain(input, rows, { options }) {
    const at = input.columns;
    return rows.map(({ row, kind }): Evidence[] => {
      switch (kind) {
        case 'DAILY_OUTLIER':
          return [excessEvidence('dayBytes', at.dayBytes[row]!, at.baselineDayBytes[row]!, 'today', 'day')];
        case 'WEEKLY_OUTLIER':
          return [excessEvidence('weekBytes', at.weekBytes[row]!, at.baselineWeekBytes[row]!, 'this week', 'week')];
        case 'DAILY_DROP':
          return [dropEvidence(at.dayBytes[row]!, at.baselineDayBytes[row]!)];
        default:
          return persistenceEvidence(
            topRatios.map((name) => at[name][row]!),
            options,
          );
      }
    });
  },
});

function judgeExcess(
  kind: KindDraft,
  row: number,
  bytes: number,
  baseline: number,
  options: { multiple: number; criticalMultiple: number; minimumBytes: number },
): void {
  if (Number.isNaN(baseline)) kind.abstain(row, 'the family has no baseline yet (it takes 5 SIMs and 7 days)');
  else if (Number.isNaN(bytes)) kind.abstain(row, 'the usage is unknown');
  else {
    const over = bytes > options.multiple * baseline && bytes >= options.minimumBytes;
    const critical = bytes > Math.max(options.multiple, options.criticalMultiple) * baseline;
    kind.judge(row, Math.min(HIGHEST_SCORE, bytes / Math.max(1, baseline) / options.multiple), over ? (critical ? 2 : 1) : 0);
  }
}

function excessEvidence(column: string, bytes: number, baseline: number, when: string, period: string): Evidence {
  const multiple = baseline > 0 ? `, ${multipleInWords(bytes / baseline)} the` : '; the';
  const text = `${bytesInWords(bytes)} ${when}${multiple} family's usual ${bytesInWords(baseline)} a ${period}`;
  return { column, observed: bytes, expected: baseline, unit: 'bytes', weight: 1, text };
}

function dropEvidence(bytes: number, baseline: number): Evidence {
  const text = `only ${bytesInWords(bytes)} on the day, the family's usual is ${bytesInWords(baseline)}`;
  return { column: 'dayBytes', observed: bytes, expected: baseline, unit: 'bytes', weight: 1, text };
}

/** One line per day that counted, each with an equal share. */
function persistenceEvidence(ratios: readonly number[], options: { persistentMultiple: number; persistentDays: number }): Evidence[] {
  const counted = ratios.map((ratio, daysAgo) => ({ ratio, daysAgo })).filter(({ ratio }) => ratio >= options.persistentMultiple);
  return counted.map(({ ratio, daysAgo }) => ({
    column: topRatios[daysAgo]!,
    observed: ratio,
    expected: options.persistentMultiple,
    unit: 'ratio',
    weight: 1 / counted.length,
    text: `among the top 20 with ${multipleInWords(ratio)} the family's daily baseline ${daysAgo === 0 ? 'on the day judged' : `${countInWords(daysAgo, 'day')} before`}`,
  }));
}
