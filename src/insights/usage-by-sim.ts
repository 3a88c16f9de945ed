/** Which SIMs used most in a span of time: whole days from the day roll-up, the hours around them from the hours of the SIMs active that day. */
import type { Transaction } from '../database/database';
import { decodeCursor, type PageArgs } from '../graphql/connection';
import { rangeParts, type RangeParts } from './usage-buckets';
import type { ResolvedScope } from './usage-scope';

export interface SimUsageRow {
  readonly sim_id: string;
  readonly uplink: string;
  readonly downlink: string;
  readonly total: string;
}

/** `first + 1` rows in order of bytes (most first) and SIM, after the page's cursor. */
export async function usageBySim(
  transaction: Transaction,
  scope: ResolvedScope,
  from: Date,
  to: Date,
  page: PageArgs,
): Promise<SimUsageRow[]> {
  const query = new UsageQuery(scope, rangeParts(from, to));
  const [afterTotal, afterSim] = page.after ? decodeCursor(page.after, ['int8', 'int8']) : [null, null];
  const before =
    afterTotal === null
      ? ''
      : `WHERE total <= ${query.parameter(afterTotal, 'int8')} AND (total < ${query.parameter(afterTotal, 'int8')} OR sim_id > ${query.parameter(afterSim, 'int8')})`;
  return transaction.query<SimUsageRow>(
    `SELECT sim_id, uplink, downlink, total FROM (${query.perSim()}) AS per_sim ${before}
     ORDER BY total DESC, sim_id LIMIT ${query.parameter(page.first + 1, 'int4')}`,
    query.parameters,
  );
}

export function simUsageCursor(row: SimUsageRow): [string, string] {
  return [row.total, row.sim_id];
}

export async function countSimsWithUsage(transaction: Transaction, scope: ResolvedScope, from: Date, to: Date): Promise<number> {
  const query = new UsageQuery(scope, rangeParts(from, to));
  const [row] = await transaction.query<{ count: number }>(
    `SELECT count(*)::int4 AS count FROM (${query.perSim()}) AS per_sim`,
    query.parameters,
  );
  return row!.count;
}

class UsageQuery {
  readonly parameters: unknown[];

  constructor(
    private readonly scope: ResolvedScope,
    private readonly parts: RangeParts,
  ) {
    this.parameters = [scope.clientId];
  }

  parameter(value: unknown, type: string): string {
    return `$${this.parameters.push(value)}::${type}`;
  }

  /** One row per SIM with usage: sim_id, uplink, downlink, total. */
  perSim(): string {
    const { days, hours } = this.parts;
    // One day alone is read in the order of its index, however large the fleet.
    if (days && hours.length === 0 && isOneDay(days)) {
      return `SELECT sim_id, uplink_bytes AS uplink, downlink_bytes AS downlink, total_bytes AS total FROM usage_sim_day AS day_usage
              WHERE client_id = $1 AND day = ${this.parameter(days.from, 'date')} ${this.only('day_usage')}`;
    }
    const sources = [...(days ? [this.wholeDays(days)] : []), ...hours.map((part) => this.partOfDay(part))];
    return `SELECT sim_id, sum(uplink_bytes)::int8 AS uplink, sum(downlink_bytes)::int8 AS downlink, sum(uplink_bytes + downlink_bytes)::int8 AS total
            FROM (${sources.join(' UNION ALL ')}) AS part GROUP BY sim_id`;
  }

  private wholeDays(days: NonNullable<RangeParts['days']>): string {
    return `SELECT sim_id, uplink_bytes, downlink_bytes FROM usage_sim_day AS day_usage
            WHERE client_id = $1 AND day >= ${this.parameter(days.from, 'date')} AND day < ${this.parameter(days.to, 'date')} ${this.only('day_usage')}`;
  }

  private partOfDay(part: RangeParts['hours'][number]): string {
    return `SELECT hour_usage.sim_id, hour_usage.uplink_bytes, hour_usage.downlink_bytes FROM usage_sim_day AS day_usage
            JOIN usage_sim_hour AS hour_usage ON hour_usage.client_id = $1 AND hour_usage.sim_id = day_usage.sim_id
             AND hour_usage.hour >= ${this.parameter(part.from, 'timestamptz')} AND hour_usage.hour < ${this.parameter(part.to, 'timestamptz')}
            WHERE day_usage.client_id = $1 AND day_usage.day = ${this.parameter(part.day, 'date')} ${this.only('day_usage')}`;
  }

  private only(table: string): string {
    switch (this.scope.kind) {
      case 'CLIENT':
        return '';
      case 'FLEET':
        return `AND ${table}.fleet_id = ${this.parameter(this.scope.fleetId, 'uuid')}`;
      case 'SIM':
        return `AND ${table}.sim_id = ${this.parameter(this.scope.simId, 'int8')}`;
    }
  }
}

function isOneDay(days: NonNullable<RangeParts['days']>): boolean {
  return Date.parse(days.to) - Date.parse(days.from) === 86_400_000;
}
