/** Carries block orders to the network and looks whether they took effect: the outbox handlers of one connector. */
import { recordAudit } from '../access';
import type { Database, Transaction } from '../database/database';
import type { Clock, Entropy } from '../runtime';
import type { SimAction } from './block-lifecycle';
import { changeOrders, finishRequest, lockRequests, type OrderResult, type StoredRequest } from './block-store';
import type { NetworkConnector, NetworkOrder } from './connector';
import { APPLY_TOPIC, orderVerification, VERIFY_TOPIC, type OrderPayload } from './network-orders';
import type { DeliveryResult, OutboxHandler, OutboxMessage, Settlement } from './outbox';
import { changeBlockState, lockSims, type LockedSim } from './sim-block-state';

export interface BlockDeliveryParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly connector: NetworkConnector;
}

/** Who the SIM's state and the log say it was when the network answered. */
const NETWORK = { name: 'network', person: 'network' } as const;

/** The detail of an order that another one overtook before it was sent. */
const OVERTAKEN = 'OVERTAKEN';

/** Answers the order as the network needs it now; null when the SIM's state no longer comes from it. */
async function currentOrder(parts: BlockDeliveryParts, message: OutboxMessage): Promise<NetworkOrder | null> {
  const payload = message.payload as OrderPayload;
  const [sim] = await parts.database.transaction(
    { name: 'block.order', role: 'ingest', clientId: message.clientId, readOnly: true },
    (transaction) =>
      transaction.query<{ iccid: string; imsi: string | null; block_request_id: string | null }>(
        'SELECT iccid, imsi, block_request_id FROM sim WHERE client_id = $1 AND sim_id = $2',
        [message.clientId, payload.simId],
      ),
  );
  if (!sim || sim.block_request_id !== payload.requestId) return null;
  return {
    messageId: payload.applyMessageId ?? message.messageId,
    clientId: message.clientId,
    simId: payload.simId,
    iccid: sim.iccid,
    imsi: sim.imsi,
    operation: payload.operation,
    mode: payload.mode,
  };
}

interface OpenOrder {
  readonly request: StoredRequest;
  readonly sim: LockedSim;
}

/** Locks the request, then the SIM, as everywhere; null when another order overtook this one: what the network answers is that one's business. */
async function lockOrder(transaction: Transaction, message: OutboxMessage): Promise<OpenOrder | null> {
  const { requestId, simId } = message.payload as OrderPayload;
  const [request] = await lockRequests(transaction, message.clientId, [requestId]);
  const [sim] = await lockSims(transaction, message.clientId, [simId], 'alsoClosed');
  return request && sim?.blockRequestId === requestId ? { request, sim } : null;
}

const LAST_STEP: Readonly<Record<'BLOCK' | 'UNBLOCK', Readonly<Record<'verify' | 'fail', SimAction>>>> = {
  BLOCK: { verify: 'verifyBlock', fail: 'failBlock' },
  UNBLOCK: { verify: 'verifyUnblock', fail: 'failUnblock' },
};

/** The order is over: SIM, order and perhaps the whole request reach their last state. */
async function endOrder(
  transaction: Transaction,
  parts: BlockDeliveryParts,
  { request, sim }: OpenOrder,
  action: 'verify' | 'fail',
  result: OrderResult,
): Promise<void> {
  const { client_id: clientId, request_id: requestId } = request;
  const now = parts.clock.now();
  await changeOrders(transaction, clientId, requestId, [sim.simId], action, now, result);
  await changeBlockState(transaction, parts, [sim], {
    clientId,
    action: LAST_STEP[request.operation][action],
    actor: NETWORK.name,
    reason: result.error ?? request.reason,
    requestId,
    mode: sim.blockMode,
  });
  await recordAudit(
    transaction,
    { caller: NETWORK, clock: parts.clock, entropy: parts.entropy },
    {
      clientId,
      action: LAST_STEP[request.operation][action],
      subject: `Sim:${sim.simId}`,
      detail: { request: requestId, ...result },
    },
  );
  await finishRequest(transaction, request, now);
}

/** Tells the network to block or unblock one SIM. */
export class ApplyOrderHandler implements OutboxHandler {
  readonly topic = APPLY_TOPIC;

  constructor(private readonly parts: BlockDeliveryParts) {}

  async deliver(message: OutboxMessage, signal: AbortSignal): Promise<DeliveryResult> {
    const order = await currentOrder(this.parts, message);
    if (!order) return { outcome: 'DELIVERED', detail: OVERTAKEN };
    const answer = await this.parts.connector.apply(order, signal);
    switch (answer.outcome) {
      case 'DONE':
        return { outcome: 'DELIVERED', detail: answer.detail };
      case 'REFUSED':
        return { outcome: 'REFUSED', error: answer.detail };
      case 'RETRY':
        return { outcome: 'RETRY', error: answer.detail };
    }
  }

  async settled(transaction: Transaction, message: OutboxMessage, settlement: Settlement): Promise<void> {
    const order = await lockOrder(transaction, message);
    if (!order) return;
    if (settlement.state === 'DEAD') {
      return endOrder(transaction, this.parts, order, 'fail', {
        errorCode: settlement.refused ? 'REFUSED' : 'GIVEN_UP',
        error: settlement.error,
      });
    }
    const payload = message.payload as OrderPayload;
    await changeOrders(transaction, message.clientId, payload.requestId, [payload.simId], 'carryOut', this.parts.clock.now());
    await orderVerification(transaction, this.parts, message.clientId, { ...payload, applyMessageId: message.messageId });
  }
}

/** Looks whether an order took effect; only then is the SIM BLOCKED or UNBLOCKED. */
export class VerifyOrderHandler implements OutboxHandler {
  readonly topic = VERIFY_TOPIC;

  constructor(private readonly parts: BlockDeliveryParts) {}

  async deliver(message: OutboxMessage, signal: AbortSignal): Promise<DeliveryResult> {
    const order = await currentOrder(this.parts, message);
    if (!order) return { outcome: 'DELIVERED', detail: OVERTAKEN };
    switch (await this.parts.connector.verify(order, signal)) {
      case 'CONFIRMED':
        return { outcome: 'DELIVERED' };
      case 'NOT_YET':
        return { outcome: 'RETRY', error: 'the effect does not show yet' };
      case 'CONTRADICTED':
        return { outcome: 'REFUSED', error: 'the network did the opposite of what it was told' };
    }
  }

  async settled(transaction: Transaction, message: OutboxMessage, settlement: Settlement): Promise<void> {
    const order = await lockOrder(transaction, message);
    if (!order) return;
    if (settlement.state === 'SENT') return endOrder(transaction, this.parts, order, 'verify', { errorCode: null, error: null });
    return endOrder(transaction, this.parts, order, 'fail', {
      errorCode: settlement.refused ? 'CONTRADICTED' : 'GIVEN_UP',
      error: settlement.error,
    });
  }
}
