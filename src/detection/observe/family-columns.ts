/** Usage columns that compare a SIM with its kind: the family's baselines, and its place among the client's top consumers. */
import type { Transaction } from '../../database/database';
import type { ColumnName } from '../../detector';
import { addDays, type Day } from '../days';
import { preparedDay } from './calendar';
import type { UsageColumns } from './observation';

const TOP = 20;
const topRatios = ['topRatioDay0', 'topRatioDay1', 'topRatioDay2', 'topRatioDay3', 'topRatioDay4'] as const;
export const topColumns: readonly ColumnName[] = ['topRank', ...topRatios];

export async function fillBaselines(tx: Transaction, usage: UsageColumns): Promise<void> {
  const { clientId, day, calendar } = usage.scope;
  const prepared = preparedDay(calendar, day);
  const daily = await readBaselines(tx, clientId, 'DAY', prepared === null ? [] : [prepared]);
  const weekly = await readBaselines(tx, clientId, 'WEEK', prepared === null ? [] : [prepared]);
  usage.fill('baselineDayBytes', (sim) => daily.get(baselineKey(prepared, sim.family)) ?? NaN);
  usage.fill('baselineWeekBytes', (sim) => weekly.get(baselineKey(prepared, sim.family)) ?? NaN);
}

export async function fillTop(tx: Transaction, usage: UsageColumns): Promise<void> {
  const { clientId, day, calendar, sims } = usage.scope;
  const days = topRatios.map((_, back) => addDays(day, -back));
  const baselines = await readBaselines(
    tx,
    clientId,
    'DAY',
    days.flatMap((each) => preparedDay(calendar, each) ?? []),
  );
  const familyOf = new Map(sims.map((sim) => [sim.simId, sim.family]));
  for (const name of topColumns) usage.column(name);
  for (const [back, top] of (await readTop(tx, clientId, days)).entries()) {
    top.forEach(({ simId, bytes }, index) => {
      const family = familyOf.get(simId);
      if (family === undefined) return;
      if (back === 0) usage.set('topRank', simId, index + 1);
      const baseline = baselines.get(baselineKey(preparedDay(calendar, days[back]!), family));
      if (baseline !== undefined && baseline > 0) usage.set(topRatios[back]!, simId, bytes / baseline);
    });
  }
}

/** The client's top consumers of each day, the largest first; ties by SIM id. */
async function readTop(tx: Transaction, clientId: number, days: readonly Day[]): Promise<{ simId: string; bytes: number }[][]> {
  const rows = await tx.query<{ day: Day; sim_id: string; bytes: number }>(
    `SELECT asked.day, top.sim_id, top.total_bytes::float8 AS bytes
       FROM unnest($2::date[]) AS asked (day)
      CROSS JOIN LATERAL (
        SELECT sim_id, total_bytes FROM usage_sim_day
         WHERE client_id = $1 AND day = asked.day AND total_bytes > 0
         ORDER BY total_bytes DESC, sim_id LIMIT ${TOP}
      ) top
      ORDER BY asked.day, top.total_bytes DESC, top.sim_id`,
    [clientId, days],
  );
  return days.map((day) => rows.filter((row) => row.day === day).map((row) => ({ simId: row.sim_id, bytes: row.bytes })));
}

function baselineKey(day: Day | null, family: string | null): string {
  return `${day} ${family}`;
}

async function readBaselines(
  tx: Transaction,
  clientId: number,
  period: 'DAY' | 'WEEK',
  days: readonly Day[],
): Promise<Map<string, number>> {
  if (days.length === 0) return new Map();
  const rows = await tx.query<{ for_day: Day; family: string; median_bytes: number }>(
    'SELECT for_day, family, median_bytes FROM baseline WHERE client_id = $1 AND period = $2 AND for_day = ANY($3::date[])',
    [clientId, period, days],
  );
  return new Map(rows.map((row) => [baselineKey(row.for_day, row.family), row.median_bytes]));
}
