/** What is known of the SIMs of an evaluation apart from their traffic: fleet, family, state, criticality. */
import type { Transaction } from '../../database/database';
import { endOfDay, type Day } from '../days';

export interface SimFacts {
  readonly simId: string;
  /** The fleet that the SIM was in at the end of the day. */
  readonly fleetId: string | null;
  /** Device model family; null where no device is known. */
  readonly family: string | null;
  readonly lifecycleActive: boolean;
  readonly blockedByUs: boolean;
  readonly critical: boolean;
  readonly registeredAt: number;
}

interface FactRow {
  sim_id: string;
  fleet_id: string | null;
  family: string | null;
  lifecycle: string;
  block_state: string;
  criticality: string | null;
  created_at: Date;
}

const BLOCKED_BY_US = new Set(['BLOCKING', 'BLOCKED', 'UNBLOCKING']);

/** The SIMs of these ids that belonged to the client on the day, in the order of their ids: the canonical order of every input. */
export async function readSimFacts(tx: Transaction, clientId: number, day: Day, simIds: readonly string[]): Promise<SimFacts[]> {
  const rows = await tx.query<FactRow>(
    `SELECT sim.sim_id, CASE WHEN past.valid_from IS NULL THEN sim.fleet_id ELSE past.fleet_id END AS fleet_id, device.family, sim.lifecycle, sim.block_state,
            device.criticality, sim.created_at
       FROM sim
       LEFT JOIN device ON device.client_id = sim.client_id AND device.sim_id = sim.sim_id
       LEFT JOIN LATERAL (
         SELECT fleet_id, valid_from FROM sim_fleet
          WHERE sim_fleet.client_id = sim.client_id AND sim_fleet.sim_id = sim.sim_id AND sim_fleet.valid_from < $3
          ORDER BY valid_from DESC LIMIT 1
       ) past ON true
      WHERE sim.client_id = $1 AND sim.sim_id = ANY($2::int8[]) AND (sim.closed_at IS NULL OR sim.closed_at >= $4)
      ORDER BY sim.sim_id`,
    [clientId, simIds, new Date(endOfDay(day)), new Date(endOfDay(day))],
  );
  return rows.map((row) => ({
    simId: row.sim_id,
    fleetId: row.fleet_id,
    family: row.family,
    lifecycleActive: row.lifecycle === 'ACTIVE',
    blockedByUs: BLOCKED_BY_US.has(row.block_state),
    critical: row.criticality === 'CRITICAL',
    registeredAt: row.created_at.getTime(),
  }));
}

/** The next page of the client's SIMs after `after`, by id. */
export async function pageOfSims(tx: Transaction, clientId: number, day: Day, after: string, limit: number): Promise<string[]> {
  const rows = await tx.query<{ sim_id: string }>(
    `SELECT sim_id FROM sim WHERE client_id = $1 AND sim_id > $2 AND (closed_at IS NULL OR closed_at >= $3) ORDER BY sim_id LIMIT $4`,
    [clientId, after, new Date(endOfDay(day)), limit],
  );
  return rows.map((row) => row.sim_id);
}
