/** Lets SIMs go, wherever their block stands: not yet sent is taken back, perhaps sent is undone through the network. */
import type { Transaction } from '../database/database';
import { BlockState } from '../fleet';
import { missingSim, refusalOf, type Actor, type SimResult } from './block-actions';
import { BlockRequestState, simStep } from './block-lifecycle';
import { changeOrders, changeRequest, finishRequest, insertRequest, lockRequests, ordersOf, type StoredRequest } from './block-store';
import { dropOvertakenOrders, dropRestore, orderOperation, withdrawOrders } from './network-orders';
import { changeBlockState, lockSims, type LockedSim } from './sim-block-state';

export interface Release {
  readonly clientId: number;
  readonly simIds: readonly string[];
  readonly reason: string;
  /** Only SIMs whose block state comes from this request. */
  readonly onlyOfRequest?: string;
  readonly dryRun?: boolean;
}

export interface ReleaseResult {
  /** The request that the network carries out; null when nothing had reached it. */
  readonly requestId: string | null;
  readonly results: readonly SimResult[];
}

export async function releaseSims(transaction: Transaction, actor: Actor, release: Release): Promise<ReleaseResult> {
  const { clientId } = release;
  const early = await lockOpenRequests(transaction, clientId, release.simIds);
  const locked = await lockSims(transaction, clientId, release.simIds);
  // A request that was made while the SIMs were waited for. Out of order, so this may be a deadlock's victim, which is run again.
  const late = (await openRequestIds(transaction, clientId, release.simIds)).filter((id) => !early.some((one) => one.request_id === id));
  const requests = [...early, ...(await lockRequests(transaction, clientId, late))];
  const found = new Map(locked.map((sim) => [sim.simId, sim]));
  const results = release.simIds.map((simId): SimResult => {
    const sim = found.get(simId);
    if (!sim || (release.onlyOfRequest !== undefined && sim.blockRequestId !== release.onlyOfRequest)) return missingSim(simId);
    const error = refusalOf(() => simStep(sim.blockState, sim.blockState === BlockState.BLOCK_REQUESTED ? 'withdraw' : 'unblock'));
    return { simId, state: sim.blockState, error };
  });
  const refused = new Set(results.filter((result) => result.error).map((result) => result.simId));
  const sims = locked.filter((sim) => !refused.has(sim.simId));
  if (release.dryRun || sims.length === 0) return { requestId: null, results };

  const untold = await neverTold(transaction, actor, clientId, sims);
  const told = sims.filter((sim) => !untold.has(sim.simId));
  const requestId = await undoThroughNetwork(transaction, actor, release, told);
  const withdrawn = sims.filter((sim) => untold.has(sim.simId));
  await changeBlockState(transaction, actor, withdrawn, {
    clientId,
    action: 'withdraw',
    actor: actor.caller.name,
    reason: release.reason,
    requestId: null,
    mode: null,
  });
  await closeOrders(transaction, actor, requests, sims, untold);
  return {
    requestId,
    results: results.map((result) =>
      result.error ? result : { ...result, state: untold.has(result.simId) ? BlockState.UNBLOCKED : BlockState.UNBLOCKING },
    ),
  };
}

/** Locks the requests that these SIMs are an open part of, before the SIMs themselves. */
async function lockOpenRequests(transaction: Transaction, clientId: number, simIds: readonly string[]): Promise<StoredRequest[]> {
  return lockRequests(transaction, clientId, await openRequestIds(transaction, clientId, simIds));
}

async function openRequestIds(transaction: Transaction, clientId: number, simIds: readonly string[]): Promise<string[]> {
  const open = await transaction.query<{ request_id: string }>(
    `SELECT DISTINCT ordered.request_id FROM sim
     JOIN block_request_sim AS ordered ON ordered.client_id = $1 AND ordered.request_id = sim.block_request_id AND ordered.sim_id = sim.sim_id
     WHERE sim.client_id = $1 AND sim.sim_id = ANY($2::int8[]) AND ordered.state IN ('REQUESTED', 'CONFIRMED', 'CARRIED_OUT')`,
    [clientId, simIds],
  );
  return open.map((row) => row.request_id);
}

/** SIMs of which the network never heard: unconfirmed ones, and those whose order no worker has touched, which is taken back here. */
async function neverTold(transaction: Transaction, actor: Actor, clientId: number, sims: readonly LockedSim[]): Promise<Set<string>> {
  const requested = sims.filter((sim) => sim.blockState === BlockState.BLOCK_REQUESTED).map((sim) => sim.simId);
  const blocking = sims.filter((sim) => sim.blockState === BlockState.BLOCKING).map((sim) => sim.simId);
  return new Set([...requested, ...(await withdrawOrders(transaction, clientId, blocking, actor.clock.now()))]);
}

async function undoThroughNetwork(
  transaction: Transaction,
  actor: Actor,
  release: Release,
  sims: readonly LockedSim[],
): Promise<string | null> {
  if (sims.length === 0) return null;
  const { clientId } = release;
  const now = actor.clock.now();
  const simIds = sims.map((sim) => sim.simId);
  const requestId = actor.entropy.uuid();
  await dropOvertakenOrders(transaction, clientId, simIds, now);
  await insertRequest(
    transaction,
    {
      client_id: clientId,
      request_id: requestId,
      operation: 'UNBLOCK',
      mode: null,
      reason: release.reason,
      state: BlockRequestState.CONFIRMED,
      requested_by: actor.caller.name,
      requested_person: actor.caller.person,
      requested_at: now,
      needs_second_person: false,
      second_person_reason: null,
      decided_by: actor.caller.name,
      decided_person: actor.caller.person,
      decided_at: now,
      restore_at: null,
      incident_id: null,
      alert_id: null,
      impact: null,
    },
    simIds,
  );
  // The mode stays on the SIM until the network let go: it says what is being lifted. One step per mode.
  for (const mode of new Set(sims.map((sim) => sim.blockMode))) {
    const ofMode = sims.filter((sim) => sim.blockMode === mode);
    await changeBlockState(transaction, actor, ofMode, {
      clientId,
      action: 'unblock',
      actor: actor.caller.name,
      reason: release.reason,
      requestId,
      mode,
    });
    await orderOperation(
      transaction,
      actor,
      clientId,
      { requestId, operation: 'UNBLOCK', mode },
      ofMode.map((sim) => sim.simId),
    );
  }
  return requestId;
}

/** What the network had heard of, or may have: it still counts against the hourly cap. */
const OVERTAKEN = { errorCode: 'OVERTAKEN', error: 'Released before its effect was seen.' } as const;

/** The orders that the release overtakes are cancelled, and their requests end when nothing of them is open. */
async function closeOrders(
  transaction: Transaction,
  actor: Actor,
  requests: readonly StoredRequest[],
  sims: readonly LockedSim[],
  untold: ReadonlySet<string>,
): Promise<void> {
  const now = actor.clock.now();
  for (const request of requests) {
    const mine = new Set(sims.filter((sim) => sim.blockRequestId === request.request_id).map((sim) => sim.simId));
    const orders = await ordersOf(transaction, request.client_id, request.request_id);
    const open = orders.filter((order) => ['REQUESTED', 'CONFIRMED', 'CARRIED_OUT'].includes(order.state));
    const cancelled = open.filter((order) => mine.has(order.sim_id));
    for (const told of [false, true]) {
      const simIds = cancelled.map((order) => order.sim_id).filter((simId) => untold.has(simId) !== told);
      await changeOrders(transaction, request.client_id, request.request_id, simIds, 'cancel', now, told ? OVERTAKEN : undefined);
    }
    if (cancelled.length === 0 || cancelled.length < open.length) continue;
    if (request.state === BlockRequestState.REQUESTED) {
      await changeRequest(transaction, request, 'cancel', now, { by: actor.caller.name, person: actor.caller.person });
    } else {
      await finishRequest(transaction, request, now);
    }
    if (orders.length === cancelled.length) await dropRestore(transaction, request.client_id, request.request_id, now);
  }
}
