/** Usage columns that all SIMs of a fleet, or of the client, share: their totals of the day and of the billing cycle. */
import type { Transaction } from '../../database/database';
import { cycleStart, endOfDay, startOfDay } from '../days';
import type { UsageColumns } from './observation';

interface SumRow {
  day_bytes: number;
  cycle_bytes: number;
}

export async function fillFleetTotals(tx: Transaction, usage: UsageColumns): Promise<void> {
  const { clientId, sims } = usage.scope;
  const fleetIds = [...new Set(sims.flatMap((sim) => sim.fleetId ?? []))];
  const rows = await tx.query<SumRow & { fleet_id: string }>(
    `SELECT fleet_id, ${sums} FROM usage_fleet_hour
      WHERE client_id = $1 AND hour >= $2 AND hour < $4 AND fleet_id = ANY($5::uuid[]) GROUP BY fleet_id`,
    [clientId, ...bounds(usage), fleetIds],
  );
  const totals = new Map(rows.map((row) => [row.fleet_id, row]));
  usage.fill('fleetDayBytes', (sim) => (sim.fleetId === null ? NaN : (totals.get(sim.fleetId)?.day_bytes ?? 0)));
  usage.fill('fleetCycleBytes', (sim) => (sim.fleetId === null ? NaN : (totals.get(sim.fleetId)?.cycle_bytes ?? 0)));
}

export async function fillClientTotals(tx: Transaction, usage: UsageColumns): Promise<void> {
  const [row] = await tx.query<SumRow>(`SELECT ${sums} FROM usage_client_hour WHERE client_id = $1 AND hour >= $2 AND hour < $4`, [
    usage.scope.clientId,
    ...bounds(usage),
  ]);
  usage.column('clientDayBytes').fill(row?.day_bytes ?? 0);
  usage.column('clientCycleBytes').fill(row?.cycle_bytes ?? 0);
}

const sums = `coalesce(sum(uplink_bytes + downlink_bytes) FILTER (WHERE hour >= $3), 0)::float8 AS day_bytes,
              coalesce(sum(uplink_bytes + downlink_bytes), 0)::float8 AS cycle_bytes`;

/** Start of the billing cycle, start and end of the day. */
function bounds(usage: UsageColumns): [Date, Date, Date] {
  const { day, calendar } = usage.scope;
  return [new Date(startOfDay(cycleStart(day, calendar.billingCycleDay))), new Date(startOfDay(day)), new Date(endOfDay(day))];
}
