/** How many SIMs may be blocked within an hour, so that one mistake or one stolen key can't silence a customer. */
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';

const HOUR_MILLISECONDS = 3_600_000;
/** A fleet's own cap isn't smaller than this: for a handful of SIMs the client's cap is guard enough. */
const SMALLEST_FLEET_CAP = 5;

/** A SIM that is to be blocked, and the fleet it counts for. */
export interface CappedSim {
  readonly simId: string;
  readonly fleetId: string | null;
}

interface ScopeCount {
  readonly sims: number;
  /** Other SIMs whose block was confirmed within the last hour and perhaps reached the network; unblocking doesn't give the budget back. */
  readonly blocked: number;
}

export interface BlockAllowance {
  /** The tightest scope for these SIMs. */
  readonly scope: 'client' | 'fleet';
  readonly given: number;
  readonly remaining: number;
  readonly cap: number;
}

/**
 * What the hour still allows, if these SIMs were blocked now: one that was blocked within the hour already counts once. The client's
 * `max_block_percent_per_hour` holds for the client (rounded down, at least 1) and for each of its fleets (rounded down, at least 5); 0 allows no
 * block at all. Answers the scope that is passed by most, or that has least left.
 */
export async function blockAllowance(
  transaction: Transaction,
  clientId: number,
  sims: readonly CappedSim[],
  now: Date,
): Promise<BlockAllowance> {
  const [client] = await transaction.query<{ percent: number }>(
    'SELECT max_block_percent_per_hour AS percent FROM client WHERE client_id = $1',
    [clientId],
  );
  const { whole, byFleet } = await countScopes(
    transaction,
    clientId,
    sims.map((sim) => sim.simId),
    now,
  );
  const { percent } = client!;
  const capOf = (scope: ScopeCount, least: number): number =>
    percent === 0 ? 0 : Math.max(least, Math.floor((scope.sims * percent) / 100));
  const allowance = (scope: 'client' | 'fleet', count: ScopeCount, given: number, least: number): BlockAllowance => {
    const cap = capOf(count, least);
    return { scope, given, cap, remaining: Math.max(0, cap - count.blocked) };
  };
  const given = new Map<string, number>();
  for (const { fleetId } of sims) if (fleetId !== null) given.set(fleetId, (given.get(fleetId) ?? 0) + 1);
  const candidates = [allowance('client', whole, sims.length, 1)];
  for (const [fleetId, count] of given)
    candidates.push(allowance('fleet', byFleet.get(fleetId) ?? { sims: count, blocked: 0 }, count, SMALLEST_FLEET_CAP));
  return candidates.reduce((tightest, next) => (next.remaining - next.given < tightest.remaining - tightest.given ? next : tightest));
}

async function countScopes(
  transaction: Transaction,
  clientId: number,
  exceptSimIds: readonly string[],
  now: Date,
): Promise<{ whole: ScopeCount; byFleet: Map<string, ScopeCount> }> {
  const totals = await transaction.query<{ fleet_id: string | null; sims: number }>(
    'SELECT fleet_id, count(*)::int4 AS sims FROM sim WHERE client_id = $1 AND closed_at IS NULL GROUP BY fleet_id',
    [clientId],
  );
  const blocked = await transaction.query<{ fleet_id: string | null; sims: number }>(
    `SELECT sim.fleet_id, count(DISTINCT sim.sim_id)::int4 AS sims
     FROM block_request AS request
     JOIN block_request_sim AS ordered ON ordered.client_id = $1 AND ordered.request_id = request.request_id
     JOIN sim ON sim.client_id = $1 AND sim.sim_id = ordered.sim_id
     WHERE request.client_id = $1 AND request.operation = 'BLOCK' AND request.decided_at > $2
       AND (ordered.state IN ('CONFIRMED', 'CARRIED_OUT', 'VERIFIED', 'FAILED') OR ordered.error_code = 'OVERTAKEN') AND NOT ordered.sim_id = ANY($3::int8[])
     GROUP BY sim.fleet_id`,
    [clientId, new Date(now.getTime() - HOUR_MILLISECONDS), exceptSimIds],
  );
  const recent = new Map(blocked.map((row) => [row.fleet_id, row.sims]));
  const byFleet = new Map<string, ScopeCount>();
  for (const row of totals)
    if (row.fleet_id !== null) byFleet.set(row.fleet_id, { sims: row.sims, blocked: recent.get(row.fleet_id) ?? 0 });
  return {
    whole: { sims: sum(totals.map((row) => row.sims)), blocked: sum([...recent.values()]) },
    byFleet,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Throws BLOCK_CAP_REACHED where confirming these SIMs now would pass the cap. Confirmations of one client wait for each other here. */
export async function holdBlockCap(transaction: Transaction, clientId: number, sims: readonly CappedSim[], now: Date): Promise<void> {
  await transaction.query(
    `INSERT INTO block_cap (client_id, last_confirmed_at) VALUES ($1, $2)
     ON CONFLICT (client_id) DO UPDATE SET last_confirmed_at = EXCLUDED.last_confirmed_at RETURNING client_id`,
    [clientId, now],
  );
  const allowance = await blockAllowance(transaction, clientId, sims, now);
  if (allowance.given > allowance.remaining) {
    throw new SimwardenError('BLOCK_CAP_REACHED', { given: allowance.given, most: allowance.cap, scope: allowance.scope });
  }
}
