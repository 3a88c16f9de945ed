/** The one place that changes the block state of SIMs: locks them, takes the step the table allows, and tells the event log. */
import type { Transaction } from '../database/database';
import { appendEvent } from '../graphql/live';
import type { Clock, Entropy } from '../runtime';
import { BlockState, type BlockMode } from '../fleet';
import { simStep, type SimAction } from './block-lifecycle';

export interface LockedSim {
  readonly simId: string;
  readonly iccid: string;
  readonly fleetId: string | null;
  readonly blockState: BlockState;
  readonly blockMode: BlockMode | null;
  readonly blockRequestId: string | null;
}

interface LockedSimRow {
  sim_id: string;
  iccid: string;
  fleet_id: string | null;
  block_state: BlockState;
  block_mode: BlockMode | null;
  block_request_id: string | null;
}

/** Locks SIMs of one client in the order of their ids (so two callers never wait for each other crosswise). Missing ids are left out. */
export async function lockSims(
  transaction: Transaction,
  clientId: number,
  simIds: readonly string[],
  which: 'open' | 'alsoClosed' = 'open',
): Promise<LockedSim[]> {
  if (simIds.length === 0) return [];
  const rows = await transaction.query<LockedSimRow>(
    `SELECT sim_id, iccid, fleet_id, block_state, block_mode, block_request_id FROM sim
     WHERE client_id = $1 AND sim_id = ANY($2::int8[]) ${which === 'open' ? 'AND closed_at IS NULL' : ''}
     ORDER BY sim_id FOR UPDATE`,
    [clientId, simIds],
  );
  return rows.map((row) => ({
    simId: row.sim_id,
    iccid: row.iccid,
    fleetId: row.fleet_id,
    blockState: row.block_state,
    blockMode: row.block_mode,
    blockRequestId: row.block_request_id,
  }));
}

export interface BlockStateChange {
  readonly clientId: number;
  readonly action: SimAction;
  readonly actor: string;
  /** Why, as the SIM shows it from now on. */
  readonly reason: string;
  readonly requestId: string | null;
  readonly mode: BlockMode | null;
}

const PENDING_OPERATION: Readonly<Record<BlockState, 'BLOCK' | 'UNBLOCK' | null>> = {
  UNBLOCKED: null,
  BLOCK_REQUESTED: null,
  BLOCKING: 'BLOCK',
  BLOCKED: null,
  UNBLOCKING: 'UNBLOCK',
  BLOCK_FAILED: null,
};

/** Takes one step with SIMs that this transaction has locked; throws ILLEGAL_TRANSITION, changing nothing, if one of them may not. */
export async function changeBlockState(
  transaction: Transaction,
  by: { readonly clock: Clock; readonly entropy: Entropy },
  sims: readonly LockedSim[],
  change: BlockStateChange,
): Promise<void> {
  if (sims.length === 0) return;
  const [toState] = sims.map((sim) => simStep(sim.blockState, change.action)) as [BlockState, ...BlockState[]];
  const at = by.clock.now();
  const mode = toState === BlockState.UNBLOCKED ? null : change.mode;
  const rows = await transaction.query<{ sim_id: string; block_sequence: number }>(
    `UPDATE sim SET block_state = $3, block_mode = $4, block_reason = $5, block_actor = $6, block_changed_at = $7, updated_at = $7,
       block_sequence = block_sequence + 1, block_request_id = $8, pending_operation = $9, pending_since = $10
     WHERE client_id = $1 AND sim_id = ANY($2::int8[]) RETURNING sim_id, block_sequence`,
    [
      change.clientId,
      sims.map((sim) => sim.simId),
      toState,
      mode,
      change.reason,
      change.actor,
      at,
      change.requestId,
      PENDING_OPERATION[toState],
      PENDING_OPERATION[toState] === null ? null : at,
    ],
  );
  const sequences = new Map(rows.map((row) => [row.sim_id, row.block_sequence]));
  for (const sim of sims) {
    await appendEvent(transaction, by.entropy.uuid(), {
      clientId: change.clientId,
      type: 'SIM_BLOCK_STATE_CHANGED',
      subjectId: sim.simId,
      sequence: sequences.get(sim.simId)!,
      fields: ['blockState', 'blockMode', 'blockReason'],
      fromState: sim.blockState,
      toState,
      attributes: { simId: sim.simId, fleetId: sim.fleetId, state: toState, mode: change.mode, reason: change.reason },
      occurredAt: at,
    });
  }
}
