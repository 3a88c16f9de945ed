/** The day's largest consumers, and whether they are there every day: most are legitimate, the persistent outlier is what one looks for. */
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { daysThrough } from './usage-buckets';
import type { ResolvedScope } from './usage-scope';

/** How long the daily list is that `listedOn` speaks of. */
export const LIST_LENGTH = 20;

export interface TopConsumerRow {
  readonly rank: number;
  readonly simId: string;
  readonly uplinkBytes: string;
  readonly downlinkBytes: string;
  readonly totalBytes: string;
  /** Of the client's bytes that day, 0 to 1. */
  readonly shareOfClient: number;
  /** The SIM's bytes ÷ the family's baseline of that day; null without a baseline. */
  readonly ratioToBaseline: number | null;
  readonly family: string | null;
  readonly baselineBytes: number | null;
  /** Days of the last ones on which the SIM was on the top-20 list, earliest first. */
  readonly listedOn: readonly string[];
}

export interface TopConsumersQuestion {
  readonly day: string;
  readonly first: number;
  /** How many days `listedOn` looks back, `day` included: 1 to 31. */
  readonly days: number;
}

interface ConsumerRow {
  sim_id: string;
  uplink_bytes: string;
  downlink_bytes: string;
  total_bytes: string;
}

export async function topConsumers(
  transaction: Transaction,
  scope: ResolvedScope,
  question: TopConsumersQuestion,
): Promise<TopConsumerRow[]> {
  if (scope.kind === 'SIM')
    throw new SimwardenError('BAD_USER_INPUT', { what: 'One SIM has no top consumers; give scope.client or scope.fleet.' });
  const fleet = scope.kind === 'FLEET' ? [scope.fleetId] : [];
  const inFleet = scope.kind === 'FLEET' ? 'AND fleet_id = $4' : '';
  const rows = await transaction.query<ConsumerRow>(
    `SELECT sim_id, uplink_bytes, downlink_bytes, total_bytes FROM usage_sim_day
     WHERE client_id = $1 AND day = $2 AND total_bytes > 0 ${inFleet} ORDER BY total_bytes DESC, sim_id LIMIT $3`,
    [scope.clientId, question.day, question.first, ...fleet],
  );
  const simIds = rows.map((row) => row.sim_id);
  const clientBytes = await bytesOfClient(transaction, scope.clientId, question.day);
  const baselines = await baselinesOf(transaction, scope.clientId, question.day, simIds);
  const listed = await listedDays(transaction, scope.clientId, daysThrough(question.day, question.days), simIds, inFleet, fleet);
  return rows.map((row, i) => {
    const baseline = baselines.get(row.sim_id);
    const total = Number(row.total_bytes);
    return {
      rank: i + 1,
      simId: row.sim_id,
      uplinkBytes: row.uplink_bytes,
      downlinkBytes: row.downlink_bytes,
      totalBytes: row.total_bytes,
      shareOfClient: clientBytes > 0 ? Math.min(1, total / clientBytes) : 0,
      ratioToBaseline: baseline?.median_bytes ? total / baseline.median_bytes : null,
      family: baseline?.family ?? null,
      baselineBytes: baseline?.median_bytes ?? null,
      listedOn: listed.get(row.sim_id) ?? [],
    };
  });
}

async function bytesOfClient(transaction: Transaction, clientId: number, day: string): Promise<number> {
  const start = Date.parse(`${day}T00:00:00Z`);
  const [row] = await transaction.query<{ bytes: number }>(
    `SELECT coalesce(sum(uplink_bytes + downlink_bytes), 0)::float8 AS bytes FROM usage_client_hour WHERE client_id = $1 AND hour >= $2 AND hour < $3`,
    [clientId, new Date(start), new Date(start + 86_400_000)],
  );
  return row!.bytes;
}

interface BaselineRow {
  sim_id: string;
  family: string;
  median_bytes: number | null;
}

async function baselinesOf(
  transaction: Transaction,
  clientId: number,
  day: string,
  simIds: readonly string[],
): Promise<Map<string, BaselineRow>> {
  const rows = await transaction.query<BaselineRow>(
    `SELECT device.sim_id, device.family, baseline.median_bytes FROM device
     LEFT JOIN baseline ON baseline.client_id = $1 AND baseline.family = device.family AND baseline.period = 'DAY' AND baseline.for_day = $3
     WHERE device.client_id = $1 AND device.sim_id = ANY($2::int8[])`,
    [clientId, simIds, day],
  );
  return new Map(rows.map((row) => [row.sim_id, row]));
}

/** The top-20 lists of the days, read one index range each, however large the fleet. */
async function listedDays(
  transaction: Transaction,
  clientId: number,
  days: readonly string[],
  simIds: readonly string[],
  inFleet: string,
  fleet: readonly string[],
): Promise<Map<string, string[]>> {
  const rows = await transaction.query<{ sim_id: string; day: string }>(
    `SELECT listed.sim_id, looked_at.day FROM unnest($2::date[]) AS looked_at (day)
     CROSS JOIN LATERAL (
       SELECT sim_id FROM usage_sim_day WHERE client_id = $1 AND day = looked_at.day AND total_bytes > 0 ${inFleet}
       ORDER BY total_bytes DESC, sim_id LIMIT ${LIST_LENGTH}) AS listed
     WHERE listed.sim_id = ANY($3::int8[]) ORDER BY looked_at.day`,
    [clientId, days, simIds, ...fleet],
  );
  const listed = new Map<string, string[]>();
  for (const { sim_id: simId, day } of rows) listed.set(simId, [...(listed.get(simId) ?? []), day]);
  return listed;
}
