/** Step two of a block: checks who confirms and the hourly cap, and orders it from the network through the outbox. */
import { recordAudit } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { BlockState } from '../fleet';
import type { Actor, BlockActionResult, SimResult } from './block-actions';
import { holdBlockCap } from './block-cap';
import { BlockOrderState, requestStep } from './block-lifecycle';
import { changeOrders, changeRequest, lockRequests, ordersOf, type StoredRequest } from './block-store';
import { orderOperation, orderRestore } from './network-orders';
import { secondPersonAbove } from './request-block';
import { requireSecondPerson, secondPersonReason } from './second-person';
import { changeBlockState, lockSims, type LockedSim } from './sim-block-state';

/** A preview is believed this long: after it, SIMs sit in other devices and the reason may be gone. */
const FRESH_MILLISECONDS = 24 * 3_600_000;

export async function confirmBlock(
  transaction: Transaction,
  actor: Actor,
  clientId: number,
  requestId: string,
): Promise<BlockActionResult> {
  const now = actor.clock.now();
  const [request] = await lockRequests(transaction, clientId, [requestId]);
  if (!request || request.operation !== 'BLOCK') throw new SimwardenError('NOT_FOUND', { what: 'block request' }, ['blockRequest']);
  requestStep(request.state, 'confirm');
  if (request.restore_at && request.restore_at <= now) {
    throw new SimwardenError('BAD_USER_INPUT', {
      what: 'The time to restore (restoreAt) has passed meanwhile; cancel this request and make a new one.',
    });
  }
  if (now.getTime() - request.requested_at.getTime() > FRESH_MILLISECONDS) {
    throw new SimwardenError('BAD_USER_INPUT', {
      what: 'The request is older than a day: what it showed may no longer be true. Cancel it, look again, and make a new one.',
    });
  }
  const orders = await ordersOf(transaction, clientId, requestId);
  const open = orders.filter((order) => order.state === BlockOrderState.REQUESTED).map((order) => order.sim_id);
  const sims = (await lockSims(transaction, clientId, open)).filter((sim) => sim.blockRequestId === requestId);
  if (sims.length === 0) {
    throw new SimwardenError('ILLEGAL_TRANSITION', {
      what: 'block request',
      from: request.state,
      action: 'confirmed, since none of its SIMs waits for it',
      allowed: 'cancelBlock',
    });
  }
  await requireAnother(transaction, request, sims, actor.caller.person);
  await holdBlockCap(transaction, clientId, sims, now);

  const simIds = sims.map((sim) => sim.simId);
  await changeRequest(transaction, request, 'confirm', now, { by: actor.caller.name, person: actor.caller.person });
  await changeOrders(transaction, clientId, requestId, simIds, 'confirm', now);
  await changeBlockState(transaction, actor, sims, {
    clientId,
    action: 'confirm',
    actor: actor.caller.name,
    reason: request.reason,
    requestId,
    mode: request.mode,
  });
  await orderOperation(transaction, actor, clientId, { requestId, operation: 'BLOCK', mode: request.mode }, simIds);
  if (request.restore_at) await orderRestore(transaction, actor, clientId, requestId, request.restore_at);
  await recordAudit(transaction, actor, {
    clientId,
    action: 'confirmBlock',
    subject: `BlockRequest:${requestId}`,
    detail: { sims: simIds, mode: request.mode, requestedBy: request.requested_by, requestedPerson: request.requested_person },
  });
  return { requestId, results: simIds.map((simId): SimResult => ({ simId, state: BlockState.BLOCKING, error: null })) };
}

/** Asks again what the preview asked: a device may have become critical since. */
async function requireAnother(transaction: Transaction, request: StoredRequest, sims: readonly LockedSim[], person: string): Promise<void> {
  const critical = await transaction.query(
    `SELECT sim_id FROM device WHERE client_id = $1 AND sim_id = ANY($2::int8[]) AND criticality = 'CRITICAL'`,
    [request.client_id, sims.map((sim) => sim.simId)],
  );
  const reason =
    request.second_person_reason ??
    secondPersonReason({
      criticalCount: critical.length,
      simCount: sims.length,
      secondPersonAbove: await secondPersonAbove(transaction, request.client_id),
      requestedByDetector: false,
    });
  requireSecondPerson(reason, request.requested_person, person);
}
