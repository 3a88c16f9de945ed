/** The usage input: one row per SIM and day. Each group of columns is one read, made only where a detector needs one of its columns. */
import type { Transaction } from '../../database/database';
import type { ColumnName } from '../../detector';
import { daysBetween, endOfDay, isoWeekday, DAY_MILLISECONDS } from '../days';
import { usageLatenessSeconds } from './calendar';
import { fillBaselines, fillTop, topColumns } from './family-columns';
import { fillLimits, limitColumns } from './limits';
import { UsageColumns, type Observation, type ObservationScope } from './observation';
import { fillClientTotals, fillFleetTotals } from './shared-totals';
import { fillSilence, fillTotals } from './usage-totals';

interface ColumnGroup {
  readonly provides: readonly ColumnName[];
  readonly fill: (tx: Transaction, usage: UsageColumns) => Promise<void>;
}

const groups: readonly ColumnGroup[] = [
  { provides: ['dayBytes', 'dayUplinkBytes', 'dayDownlinkBytes', 'weekBytes', 'cycleBytes', 'activeDaysOf28'], fill: fillTotals },
  { provides: ['silentDays'], fill: fillSilence },
  { provides: limitColumns, fill: fillLimits },
  { provides: ['fleetDayBytes', 'fleetCycleBytes'], fill: fillFleetTotals },
  { provides: ['clientDayBytes', 'clientCycleBytes'], fill: fillClientTotals },
  { provides: ['baselineDayBytes', 'baselineWeekBytes'], fill: fillBaselines },
  { provides: topColumns, fill: fillTop },
];

export async function observeUsage(tx: Transaction, scope: ObservationScope, needs: ReadonlySet<ColumnName>): Promise<Observation> {
  const usage = new UsageColumns(scope);
  for (const group of groups) {
    if (group.provides.some((name) => needs.has(name))) await group.fill(tx, usage);
  }
  fillFacts(usage);
  return {
    rows: scope.sims.length,
    columns: usage.columns,
    simOfRow: Int32Array.from(scope.sims, (_, row) => row),
    networkOfRow: [],
  };
}

/** Columns that follow from what was read already. */
function fillFacts(usage: UsageColumns): void {
  const { scope } = usage;
  usage.column('dayClosed').fill(scope.closed ? 1 : 0);
  usage.column('dayIncomplete').fill(scope.incomplete ? 1 : 0);
  usage.column('weekClosed').fill(weekIsClosed(scope) ? 1 : 0);
  usage.column('sourceLatenessSeconds').fill(usageLatenessSeconds(scope.calendar.sources, scope.day));
  usage.fill('daysSinceRegistered', (sim) => Math.max(0, Math.floor((endOfDay(scope.day) - sim.registeredAt) / DAY_MILLISECONDS)));
  usage.fill('lifecycleActive', (sim) => (sim.lifecycleActive ? 1 : 0));
  usage.fill('blockedByUs', (sim) => (sim.blockedByUs ? 1 : 0));
  usage.fill('critical', (sim) => (sim.critical ? 1 : 0));
}

/** Closed Sunday of a week whose every day is closed: days close without a gap, so the first closed day tells. */
function weekIsClosed(scope: ObservationScope): boolean {
  const { firstClosed } = scope.calendar;
  return scope.closed && isoWeekday(scope.day) === 7 && firstClosed !== null && daysBetween(firstClosed, scope.day) >= 6;
}
