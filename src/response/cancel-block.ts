/** Calls a block off: an unconfirmed request ends; of a confirmed one, what the network has not been told is taken back. */
import { recordAudit } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { BlockState } from '../fleet';
import type { Actor, BlockActionResult, SimResult } from './block-actions';
import { BlockOrderState, BlockRequestState, requestStep } from './block-lifecycle';
import { changeOrders, changeRequest, finishRequest, lockRequests, ordersOf, type StoredRequest } from './block-store';
import { dropRestore, withdrawOrders } from './network-orders';
import { changeBlockState, lockSims, type LockedSim } from './sim-block-state';

export async function cancelBlock(
  transaction: Transaction,
  actor: Actor,
  clientId: number,
  requestId: string,
  reason: string,
): Promise<BlockActionResult> {
  const [request] = await lockRequests(transaction, clientId, [requestId]);
  if (!request || request.operation !== 'BLOCK') throw new SimwardenError('NOT_FOUND', { what: 'block request' }, ['blockRequest']);
  requestStep(request.state, 'cancel');
  const orders = await ordersOf(transaction, clientId, requestId);
  const locked = await lockSims(
    transaction,
    clientId,
    orders.map((order) => order.sim_id),
    'alsoClosed',
  );
  const mine = locked.filter((sim) => sim.blockRequestId === requestId);
  const withdrawable = await takeBack(transaction, actor, clientId, mine);
  if (withdrawable.length === 0 && mine.length > 0) {
    throw new SimwardenError('ILLEGAL_TRANSITION', {
      what: 'block request',
      from: request.state,
      action: 'cancelled, since every SIM of it has reached the network',
      allowed: 'unblockSim',
    });
  }
  await changeBlockState(transaction, actor, withdrawable, {
    clientId,
    action: 'withdraw',
    actor: actor.caller.name,
    reason,
    requestId: null,
    mode: null,
  });
  await closeRequest(transaction, actor, request, withdrawable);
  await recordAudit(transaction, actor, {
    clientId,
    action: 'cancelBlock',
    subject: `BlockRequest:${requestId}`,
    detail: { sims: withdrawable.map((sim) => sim.simId), reason },
  });
  return { requestId, results: mine.map((sim) => resultOf(sim, withdrawable.includes(sim))) };
}

async function takeBack(transaction: Transaction, actor: Actor, clientId: number, sims: readonly LockedSim[]): Promise<LockedSim[]> {
  const blocking = sims.filter((sim) => sim.blockState === BlockState.BLOCKING).map((sim) => sim.simId);
  const untold = await withdrawOrders(transaction, clientId, blocking, actor.clock.now());
  return sims.filter((sim) => sim.blockState === BlockState.BLOCK_REQUESTED || untold.has(sim.simId));
}

async function closeRequest(
  transaction: Transaction,
  actor: Actor,
  request: StoredRequest,
  withdrawn: readonly LockedSim[],
): Promise<void> {
  const now = actor.clock.now();
  const { client_id: clientId, request_id: requestId } = request;
  const orders = await ordersOf(transaction, clientId, requestId);
  const taken = new Set(withdrawn.map((sim) => sim.simId));
  const open = orders.filter((order) => taken.has(order.sim_id) || order.state === BlockOrderState.REQUESTED).map((order) => order.sim_id);
  await changeOrders(transaction, clientId, requestId, open, 'cancel', now);
  const remaining = orders.filter((order) => !open.includes(order.sim_id) && order.state !== BlockOrderState.CANCELLED);
  if (remaining.length > 0) return finishRequest(transaction, request, now);
  await changeRequest(
    transaction,
    request,
    'cancel',
    now,
    request.state === BlockRequestState.REQUESTED ? { by: actor.caller.name, person: actor.caller.person } : null,
  );
  await dropRestore(transaction, clientId, requestId, now);
}

function resultOf(sim: LockedSim, withdrawn: boolean): SimResult {
  if (withdrawn) return { simId: sim.simId, state: BlockState.UNBLOCKED, error: null };
  const error = new SimwardenError('ILLEGAL_TRANSITION', {
    what: 'SIM',
    from: sim.blockState,
    action: 'withdrawn from its block: the network has the order',
    allowed: 'unblockSim',
  });
  return { simId: sim.simId, state: sim.blockState, error };
}
