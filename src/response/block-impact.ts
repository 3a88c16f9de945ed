/** What a block would do, told before anybody confirms it: who is hit, what they sent lately, what detectors said, what may go wrong. */
import type { Transaction } from '../database/database';
import { BlockMode } from '../fleet';
import { blockAllowance } from './block-cap';

/** Plain values, since it is stored with the request as it was shown. Instants are RFC 3339 texts. */
export interface BlockImpact {
  readonly simCount: number;
  readonly criticalCount: number;
  readonly lastTrafficAt: string | null;
  readonly bytesLast24Hours: string;
  readonly fleets: readonly FleetImpact[];
  readonly openAlerts: readonly { readonly kind: string; readonly severity: string; readonly count: number }[];
  readonly warnings: readonly { readonly code: BlockWarningCode; readonly message: string }[];
  readonly sims: readonly SimImpact[];
}

export interface FleetImpact {
  readonly fleetId: string | null;
  readonly requestedCount: number;
  readonly siblingCount: number;
  readonly blockedCount: number;
}

export interface SimImpact {
  readonly simId: string;
  readonly critical: boolean;
  readonly lastTrafficAt: string | null;
  readonly bytesLast24Hours: string;
}

export enum BlockWarningCode {
  SIGNALING_STORM = 'SIGNALING_STORM',
  CRITICAL_DEVICE = 'CRITICAL_DEVICE',
  WHOLE_FLEET = 'WHOLE_FLEET',
  SESSION_MAY_RETURN = 'SESSION_MAY_RETURN',
  CAP_WOULD_BE_PASSED = 'CAP_WOULD_BE_PASSED',
}

/** SIMs listed one by one in a preview; of the others only the sums. */
const LISTED_SIMS = 100;

interface SimRow {
  sim_id: string;
  fleet_id: string | null;
  critical: boolean;
  last_traffic_at: Date | null;
  bytes: string;
}

export async function previewImpact(
  transaction: Transaction,
  clientId: number,
  simIds: readonly string[],
  mode: BlockMode,
  now: Date,
): Promise<BlockImpact> {
  const sims = await trafficOf(transaction, clientId, simIds, now);
  const fleets = await fleetsOf(transaction, clientId, sims);
  const openAlerts = await transaction.query<{ kind: string; severity: string; count: number }>(
    `SELECT kind, severity, count(*)::int4 AS count FROM alert
     WHERE client_id = $1 AND sim_id = ANY($2::int8[]) AND state IN ('OPEN', 'ACKNOWLEDGED')
     GROUP BY kind, severity ORDER BY count DESC, kind, severity`,
    [clientId, simIds],
  );
  const allowance = await blockAllowance(
    transaction,
    clientId,
    sims.map((sim) => ({ simId: sim.sim_id, fleetId: sim.fleet_id })),
    now,
  );
  const latest = sims.reduce<Date | null>(
    (last, sim) => (sim.last_traffic_at && (!last || sim.last_traffic_at > last) ? sim.last_traffic_at : last),
    null,
  );
  const criticalCount = sims.filter((sim) => sim.critical).length;
  return {
    simCount: sims.length,
    criticalCount,
    lastTrafficAt: latest?.toISOString() ?? null,
    bytesLast24Hours: sims.reduce((sum, sim) => sum + BigInt(sim.bytes), 0n).toString(),
    fleets,
    openAlerts,
    warnings: warningsFor(mode, criticalCount, fleets, allowance),
    sims: [...sims]
      .sort((a, b) => Number(b.critical) - Number(a.critical) || Number(BigInt(b.bytes) - BigInt(a.bytes)))
      .slice(0, LISTED_SIMS)
      .map((sim) => ({
        simId: sim.sim_id,
        critical: sim.critical,
        lastTrafficAt: sim.last_traffic_at?.toISOString() ?? null,
        bytesLast24Hours: sim.bytes,
      })),
  };
}

async function trafficOf(transaction: Transaction, clientId: number, simIds: readonly string[], now: Date): Promise<SimRow[]> {
  return transaction.query<SimRow>(
    `SELECT sim.sim_id, sim.fleet_id, coalesce(device.criticality = 'CRITICAL', false) AS critical, latest.latest_at AS last_traffic_at,
       coalesce((SELECT sum(uplink_bytes + downlink_bytes) FROM usage_sim_hour AS usage
                 WHERE usage.client_id = $1 AND usage.sim_id = sim.sim_id AND usage.hour > $3 AND usage.hour <= $4), 0)::int8 AS bytes
     FROM sim
     LEFT JOIN device ON device.client_id = $1 AND device.sim_id = sim.sim_id
     LEFT JOIN LATERAL (SELECT latest_at FROM usage_sim_day AS usage WHERE usage.client_id = $1 AND usage.sim_id = sim.sim_id
                        ORDER BY usage.day DESC LIMIT 1) AS latest ON true
     WHERE sim.client_id = $1 AND sim.sim_id = ANY($2::int8[]) ORDER BY sim.sim_id`,
    [clientId, simIds, new Date(now.getTime() - 24 * 3_600_000), now],
  );
}

async function fleetsOf(transaction: Transaction, clientId: number, sims: readonly SimRow[]): Promise<FleetImpact[]> {
  const requested = new Map<string | null, number>();
  for (const sim of sims) requested.set(sim.fleet_id, (requested.get(sim.fleet_id) ?? 0) + 1);
  const fleetIds = [...requested.keys()].filter((fleetId) => fleetId !== null);
  const rows = await transaction.query<{ fleet_id: string; sims: number; blocked: number }>(
    `SELECT fleet_id, count(*)::int4 AS sims, count(*) FILTER (WHERE block_state IN ('BLOCKING', 'BLOCKED'))::int4 AS blocked
     FROM sim WHERE client_id = $1 AND fleet_id = ANY($2::uuid[]) AND closed_at IS NULL GROUP BY fleet_id`,
    [clientId, fleetIds],
  );
  const counts = new Map(rows.map((row) => [row.fleet_id, row]));
  return [...requested].map(([fleetId, requestedCount]) => {
    const count = fleetId === null ? undefined : counts.get(fleetId);
    return {
      fleetId,
      requestedCount,
      siblingCount: Math.max(0, (count?.sims ?? requestedCount) - requestedCount),
      blockedCount: count?.blocked ?? 0,
    };
  });
}

function warningsFor(
  mode: BlockMode,
  criticalCount: number,
  fleets: readonly FleetImpact[],
  allowance: { readonly remaining: number; readonly given: number; readonly scope: string },
): BlockImpact['warnings'] {
  const warnings: { code: BlockWarningCode; message: string }[] = [];
  if (mode === BlockMode.TEMPORARY_REJECT) {
    warnings.push({
      code: BlockWarningCode.SIGNALING_STORM,
      message:
        'A temporary reject makes many modems retry for ever, which can become a signaling storm. PERMANENT_REJECT normally makes them stop.',
    });
  }
  if (mode === BlockMode.DETACH_SESSION) {
    warnings.push({
      code: BlockWarningCode.SESSION_MAY_RETURN,
      message: 'Only the running session ends; the modem may start another at once.',
    });
  }
  if (criticalCount > 0) {
    warnings.push({
      code: BlockWarningCode.CRITICAL_DEVICE,
      message: `${criticalCount} of the SIMs sit in devices that are marked critical.`,
    });
  }
  const whole = fleets.filter((fleet) => fleet.fleetId !== null && fleet.siblingCount === 0 && fleet.requestedCount > 1).length;
  if (whole > 0) warnings.push({ code: BlockWarningCode.WHOLE_FLEET, message: `Every SIM of ${whole} fleet(s) would be blocked.` });
  if (allowance.given > allowance.remaining) {
    warnings.push({
      code: BlockWarningCode.CAP_WOULD_BE_PASSED,
      message: `Only ${allowance.remaining} more SIMs of this ${allowance.scope} may be blocked within the hour; confirming this now would be refused.`,
    });
  }
  return warnings;
}
