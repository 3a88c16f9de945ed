/** Usage columns that are sums of a SIM's own days: this day, its week, its billing cycle, and how many days it was active. */
import type { Transaction } from '../../database/database';
import { addDays, cycleStart, weekStart } from '../days';
import type { UsageColumns } from './observation';

interface TotalsRow {
  sim_id: string;
  day_bytes: number;
  day_uplink: number;
  day_downlink: number;
  week_bytes: number;
  cycle_bytes: number;
  active_days: number;
}

export async function fillTotals(tx: Transaction, usage: UsageColumns): Promise<void> {
  const { clientId, day, calendar } = usage.scope;
  const [week, cycle, month] = [weekStart(day), cycleStart(day, calendar.billingCycleDay), addDays(day, -28)];
  const rows = await tx.query<TotalsRow>(
    `SELECT sim_id,
            coalesce(sum(total_bytes) FILTER (WHERE day = $3), 0)::float8 AS day_bytes,
            coalesce(sum(uplink_bytes) FILTER (WHERE day = $3), 0)::float8 AS day_uplink,
            coalesce(sum(downlink_bytes) FILTER (WHERE day = $3), 0)::float8 AS day_downlink,
            coalesce(sum(total_bytes) FILTER (WHERE day >= $4), 0)::float8 AS week_bytes,
            coalesce(sum(total_bytes) FILTER (WHERE day >= $5), 0)::float8 AS cycle_bytes,
            (count(*) FILTER (WHERE day >= $6 AND day < $3 AND total_bytes > 0))::int4 AS active_days
       FROM usage_sim_day
      WHERE client_id = $1 AND sim_id = ANY($2::int8[]) AND day >= $7 AND day <= $3
      GROUP BY sim_id`,
    [clientId, usage.simIds, day, week, cycle, month, [week, cycle, month].sort()[0]],
  );
  for (const name of ['dayBytes', 'dayUplinkBytes', 'dayDownlinkBytes', 'weekBytes', 'cycleBytes', 'activeDaysOf28'] as const)
    usage.column(name, 0);
  for (const row of rows) {
    usage.set('dayBytes', row.sim_id, row.day_bytes);
    usage.set('dayUplinkBytes', row.sim_id, row.day_uplink);
    usage.set('dayDownlinkBytes', row.sim_id, row.day_downlink);
    usage.set('weekBytes', row.sim_id, row.week_bytes);
    usage.set('cycleBytes', row.sim_id, row.cycle_bytes);
    usage.set('activeDaysOf28', row.sim_id, row.active_days);
  }
}

/** Days since the last day with usage, as far as days are closed: the open day can't be called silent. */
export async function fillSilence(tx: Transaction, usage: UsageColumns): Promise<void> {
  const { clientId, day, closed, calendar } = usage.scope;
  const rows = await tx.query<{ sim_id: string; silent_days: number }>(
    `SELECT asked.sim_id, ($4::date - last.day)::int4 AS silent_days
       FROM unnest($2::int8[]) AS asked (sim_id)
      CROSS JOIN LATERAL (
        SELECT day FROM usage_sim_day
         WHERE client_id = $1 AND sim_id = asked.sim_id AND day <= $3 AND total_bytes > 0
         ORDER BY day DESC LIMIT 1
      ) last`,
    [clientId, usage.simIds, day, closed ? day : (calendar.lastClosed ?? day)],
  );
  usage.column('silentDays');
  for (const row of rows) usage.set('silentDays', row.sim_id, Math.max(0, row.silent_days));
}
