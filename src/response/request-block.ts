/** Step one of a block: says what it would do and puts the SIMs into BLOCK_REQUESTED. Nothing reaches the network yet. */
import { recordAudit } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { BlockState, type BlockMode } from '../fleet';
import { missingSim, refusalOf, type Actor, type BlockActionResult, type SimResult } from './block-actions';
import { previewImpact, type BlockImpact } from './block-impact';
import { BlockRequestState, simStep } from './block-lifecycle';
import { insertRequest } from './block-store';
import { secondPersonReason } from './second-person';
import { changeBlockState, lockSims } from './sim-block-state';

export interface BlockOrder {
  readonly clientId: number;
  readonly simIds: readonly string[];
  readonly mode: BlockMode;
  readonly reason: string;
  readonly incidentId: string | null;
  readonly alertId: string | null;
  readonly restoreAt: Date | null;
  readonly dryRun: boolean;
  /** A detector's request always needs a person's confirmation. */
  readonly requestedByDetector: boolean;
}

export interface BlockRequestResult extends BlockActionResult {
  readonly impact: BlockImpact | null;
  readonly secondPersonReason: string | null;
}

export async function requestBlock(transaction: Transaction, actor: Actor, order: BlockOrder): Promise<BlockRequestResult> {
  const now = actor.clock.now();
  if (order.restoreAt && order.restoreAt <= now) {
    throw new SimwardenError('BAD_USER_INPUT', { what: 'restoreAt lies in the past; give a time after now.' }, ['restoreAt']);
  }
  await requireCauses(transaction, order);
  const locked = await lockSims(transaction, order.clientId, order.simIds);
  const found = new Map(locked.map((sim) => [sim.simId, sim]));
  const results = order.simIds.map((simId): SimResult => {
    const sim = found.get(simId);
    if (!sim) return missingSim(simId);
    const error = refusalOf(() => simStep(sim.blockState, 'request'));
    return { simId, state: error ? sim.blockState : order.dryRun ? sim.blockState : BlockState.BLOCK_REQUESTED, error };
  });
  const refused = new Set(results.filter((result) => result.error).map((result) => result.simId));
  const sims = locked.filter((sim) => !refused.has(sim.simId));
  if (sims.length === 0) return { requestId: null, results, impact: null, secondPersonReason: null };

  const simIds = sims.map((sim) => sim.simId);
  const impact = await previewImpact(transaction, order.clientId, simIds, order.mode, now);
  const reason = secondPersonReason({
    criticalCount: impact.criticalCount,
    simCount: sims.length,
    secondPersonAbove: await secondPersonAbove(transaction, order.clientId),
    requestedByDetector: order.requestedByDetector,
  });
  if (order.dryRun) return { requestId: null, results, impact, secondPersonReason: reason };

  const requestId = actor.entropy.uuid();
  await insertRequest(
    transaction,
    {
      client_id: order.clientId,
      request_id: requestId,
      operation: 'BLOCK',
      mode: order.mode,
      reason: order.reason,
      state: BlockRequestState.REQUESTED,
      requested_by: actor.caller.name,
      requested_person: actor.caller.person,
      requested_at: now,
      needs_second_person: reason !== null,
      second_person_reason: reason,
      decided_by: null,
      decided_person: null,
      decided_at: null,
      restore_at: order.restoreAt,
      incident_id: order.incidentId,
      alert_id: order.alertId,
      impact,
    },
    simIds,
  );
  await changeBlockState(transaction, actor, sims, {
    clientId: order.clientId,
    action: 'request',
    actor: actor.caller.name,
    reason: order.reason,
    requestId,
    mode: order.mode,
  });
  await recordAudit(transaction, actor, {
    clientId: order.clientId,
    action: 'requestBlock',
    subject: `BlockRequest:${requestId}`,
    detail: { sims: simIds, mode: order.mode, reason: order.reason, restoreAt: order.restoreAt, secondPersonReason: reason },
  });
  return { requestId, results, impact, secondPersonReason: reason };
}

export async function secondPersonAbove(transaction: Transaction, clientId: number): Promise<number> {
  const [client] = await transaction.query<{ second_person_above: number }>('SELECT second_person_above FROM client WHERE client_id = $1', [
    clientId,
  ]);
  return client!.second_person_above;
}

/** The incident and the alert that a request names must be this client's. */
async function requireCauses(transaction: Transaction, order: BlockOrder): Promise<void> {
  const checks = [
    { what: 'incident', id: order.incidentId, sql: 'SELECT 1 FROM incident WHERE client_id = $1 AND incident_id = $2' },
    { what: 'alert', id: order.alertId, sql: 'SELECT 1 FROM alert WHERE client_id = $1 AND alert_id = $2' },
  ];
  for (const { what, id, sql } of checks) {
    if (id === null) continue;
    const rows = await transaction.query(sql, [order.clientId, id]);
    if (rows.length === 0) throw new SimwardenError('NOT_FOUND', { what }, [what]);
  }
}
