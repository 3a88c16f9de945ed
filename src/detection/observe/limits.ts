/** Usage columns of limits: the one of the SIM, else of its fleet, else of the client; and the limits of totals. Thresholds are the alerts' table, read here. */
import type { Transaction } from '../../database/database';
import type { ColumnName } from '../../detector';
import type { UsageColumns } from './observation';

interface ThresholdRow {
  subject: 'CLIENT' | 'FLEET' | 'SIM';
  subject_id: string;
  measure: 'PER_SIM' | 'TOTAL';
  period: 'DAY' | 'MONTH';
  limit_bytes: number;
  warn_percent: number;
  clear_percent: number;
}

type LimitColumns = readonly [limit: ColumnName, warn: ColumnName, clear: ColumnName];

const perSim: Readonly<Record<ThresholdRow['period'], LimitColumns>> = {
  DAY: ['dailyLimitBytes', 'dailyWarnBytes', 'dailyClearBytes'],
  MONTH: ['monthlyLimitBytes', 'monthlyWarnBytes', 'monthlyClearBytes'],
};
const fleetTotal: Readonly<Record<ThresholdRow['period'], LimitColumns>> = {
  DAY: ['fleetDailyLimitBytes', 'fleetDailyWarnBytes', 'fleetDailyClearBytes'],
  MONTH: ['fleetMonthlyLimitBytes', 'fleetMonthlyWarnBytes', 'fleetMonthlyClearBytes'],
};
const clientTotal: Readonly<Record<ThresholdRow['period'], LimitColumns>> = {
  DAY: ['clientDailyLimitBytes', 'clientDailyWarnBytes', 'clientDailyClearBytes'],
  MONTH: ['clientMonthlyLimitBytes', 'clientMonthlyWarnBytes', 'clientMonthlyClearBytes'],
};

export const limitColumns: readonly ColumnName[] = [perSim, fleetTotal, clientTotal].flatMap((each) => [...each.DAY, ...each.MONTH]);

export async function fillLimits(tx: Transaction, usage: UsageColumns): Promise<void> {
  const rows = await tx.query<ThresholdRow>(
    `SELECT subject, subject_id, measure, period, limit_bytes::float8 AS limit_bytes, warn_percent, clear_percent
       FROM threshold
      WHERE client_id = $1 AND (subject <> 'SIM' OR subject_id = ANY($2::text[]))`,
    [usage.scope.clientId, usage.simIds],
  );
  const thresholds = new Map(
    rows.map((row) => [key(row.measure, row.period, row.subject, row.subject === 'CLIENT' ? '' : row.subject_id), row]),
  );
  for (const name of limitColumns) usage.column(name);
  usage.scope.sims.forEach((sim, row) => {
    for (const period of ['DAY', 'MONTH'] as const) {
      const ofFleet = (measure: ThresholdRow['measure']) =>
        sim.fleetId === null ? undefined : thresholds.get(key(measure, period, 'FLEET', sim.fleetId));
      const ofClient = (measure: ThresholdRow['measure']) => thresholds.get(key(measure, period, 'CLIENT', ''));
      write(
        usage,
        row,
        perSim[period],
        thresholds.get(key('PER_SIM', period, 'SIM', sim.simId)) ?? ofFleet('PER_SIM') ?? ofClient('PER_SIM'),
      );
      write(usage, row, fleetTotal[period], ofFleet('TOTAL'));
      write(usage, row, clientTotal[period], ofClient('TOTAL'));
    }
  });
}

function key(measure: string, period: string, subject: string, subjectId: string): string {
  return `${measure} ${period} ${subject} ${subjectId}`;
}

function write(usage: UsageColumns, row: number, [limit, warn, clear]: LimitColumns, threshold: ThresholdRow | undefined): void {
  if (!threshold) return;
  usage.column(limit)[row] = threshold.limit_bytes;
  usage.column(warn)[row] = (threshold.limit_bytes * threshold.warn_percent) / 100;
  usage.column(clear)[row] = (threshold.limit_bytes * threshold.clear_percent) / 100;
}
