/** Finds SIMs, fleets and clients near or over their data limits: the guide's per-SIM and per-fleet thresholds. */
import {
  bytesInWords,
  defineDetector,
  DetectionDraft,
  percentInWords,
  type DetectorInput,
  type Evidence,
  type Kind,
} from 'simwarden/detector';

/** One limit: the total it bounds, and where the limit, its warning and its clearing stand. */
const limits = [
  limit(
    'DAILY_LIMIT',
    'Daily data limit of the SIM',
    'SIM',
    'DAY',
    'dayBytes',
    'dailyLimitBytes',
    'dailyWarnBytes',
    'dailyClearBytes',
    'today',
  ),
  limit(
    'MONTHLY_LIMIT',
    'Data limit of the SIM per billing cycle',
    'SIM',
    'BILLING_CYCLE',
    'cycleBytes',
    'monthlyLimitBytes',
    'monthlyWarnBytes',
    'monthlyClearBytes',
    'in this billing cycle',
  ),
  limit(
    'FLEET_DAILY_TOTAL',
    "Daily limit of the fleet's total",
    'FLEET',
    'DAY',
    'fleetDayBytes',
    'fleetDailyLimitBytes',
    'fleetDailyWarnBytes',
    'fleetDailyClearBytes',
    'in the whole fleet today',
  ),
  limit(
    'FLEET_MONTHLY_TOTAL',
    "Limit of the fleet's total per billing cycle",
    'FLEET',
    'BILLING_CYCLE',
    'fleetCycleBytes',
    'fleetMonthlyLimitBytes',
    'fleetMonthlyWarnBytes',
    'fleetMonthlyClearBytes',
    'in the whole fleet in this billing cycle',
  ),
  limit(
    'CLIENT_DAILY_TOTAL',
    "Daily limit of the client's total",
    'CLIENT',
    'DAY',
    'clientDayBytes',
    'clientDailyLimitBytes',
    'clientDailyWarnBytes',
    'clientDailyClearBytes',
    'of the whole client today',
  ),
  limit(
    'CLIENT_MONTHLY_TOTAL',
    "Limit of the client's total per billing cycle",
    'CLIENT',
    'BILLING_CYCLE',
    'clientCycleBytes',
    'clientMonthlyLimitBytes',
    'clientMonthlyWarnBytes',
    'clientMonthlyClearBytes',
    'of the whole client in this billing cycle',
  ),
] as const;

type Limit = (typeof limits)[number];
type Column = Limit['total' | 'limit' | 'warn' | 'clear'];

export default defineDetector({
  meta: {
    id: 'threshold',
    version: '1.0.0',
    contract: 1,
    title: 'Data limits',
    summary:
      'Compares running totals of SIMs, fleets and clients with their daily and monthly limits: a warning near the limit, critical over it.',
    input: 'usage',
    needs: limits.flatMap((each): Column[] => [each.total, each.limit, each.warn, each.clear]),
    kinds: limits.map((each): Kind => each.kind),
    options: { type: 'object', additionalProperties: false, properties: {} },
    decides: 'itself',
    scope: 'client',
    reference: 'guide-detect-iot-fraud, step 2; Twilio Super SIM fleet data limits',
    limits:
      'Knows no "usual": a limit that is too high finds nothing, one that is too low finds everybody. Sees usage only when the records arrive.',
  },
  detect(input) {
    const draft = new DetectionDraft(
      input,
      limits.map((each) => each.kind),
    );
    for (const each of limits) {
      const kind = draft.kind(each.kind.id);
      for (let row = 0; row < input.rows; row++) {
        const { total, limit: bound } = amounts(input, each, row);
        // Without a limit nothing can be over it; a limit that was taken away clears its alert.
        if (Number.isNaN(bound)) continue;
        if (Number.isNaN(total)) kind.abstain(row, 'the total is unknown');
        else kind.judge(row, total / Math.max(bound, 1), level(input, each, row, kind.wasFiring(row)));
      }
    }
    return draft.detection();
  },
  explain(input, rows) {
    return rows.map(({ row, kind }) => {
      const asked = limits.find((each) => each.kind.id === kind);
      return asked === undefined ? [] : [evidence(input, asked, row)];
    });
  },
});

function limit<const Total extends string, const Bound extends string, const Warn extends string, const Clear extends string>(
  id: string,
  title: string,
  subject: Kind['subject'],
  window: Kind['window'],
  total: Total,
  bound: Bound,
  warn: Warn,
  clear: Clear,
  when: string,
) {
  const kind: Kind = { id, title, severity: 'WARNING', escalated: 'CRITICAL', subject, window, judged: 'ANY_TIME' };
  return { kind, total, limit: bound, warn, clear, when };
}

function amounts(input: DetectorInput<Column>, each: Limit, row: number) {
  const at = (column: Column) => input.columns[column][row] ?? NaN;
  return { total: at(each.total), limit: at(each.limit), warn: at(each.warn), clear: at(each.clear) };
}

/** 2 over the limit, 1 from the warning on; a subject that fired before keeps firing until it is under the clear level (hysteresis). */
function level(input: DetectorInput<Column>, each: Limit, row: number, wasFiring: boolean): 0 | 1 | 2 {
  const { total, limit: bound, warn, clear } = amounts(input, each, row);
  if (total > bound) return 2;
  if (total >= warn) return 1;
  return wasFiring && total >= clear ? 1 : 0;
}

function evidence(input: DetectorInput<Column>, each: Limit, row: number): Evidence {
  const { total, limit: bound, warn, clear } = amounts(input, each, row);
  const used = `${bytesInWords(total)} ${each.when}`;
  const text =
    total > bound
      ? `${used}, limit ${bytesInWords(bound)}`
      : total >= warn
        ? `${used}, ${percentInWords((100 * total) / Math.max(bound, 1))} of the limit of ${bytesInWords(bound)}`
        : `${used}, limit ${bytesInWords(bound)}: it fired before and clears below ${bytesInWords(clear)}`;
  return { column: each.total, observed: total, expected: bound, unit: 'bytes', weight: 1, text };
}
