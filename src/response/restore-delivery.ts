/** Unblocks the SIMs of a request when its time to restore has come: a message in the outbox that is due then, so no restart forgets it. */
import { recordAudit } from '../access';
import type { Transaction } from '../database/database';
import type { Clock, Entropy } from '../runtime';
import { ordersOf } from './block-store';
import { RESTORE_TOPIC, type RestorePayload } from './network-orders';
import type { DeliveryResult, OutboxHandler, OutboxMessage, Settlement } from './outbox';
import { releaseSims } from './release-sims';

const SCHEDULE = { name: 'schedule', person: 'schedule' } as const;

export class RestoreHandler implements OutboxHandler {
  readonly topic = RESTORE_TOPIC;

  constructor(private readonly parts: { readonly clock: Clock; readonly entropy: Entropy }) {}

  /** Nothing leaves the process: the release itself is what `settled` writes. */
  deliver(): Promise<DeliveryResult> {
    return Promise.resolve({ outcome: 'DELIVERED' });
  }

  async settled(transaction: Transaction, message: OutboxMessage, settlement: Settlement): Promise<void> {
    if (settlement.state !== 'SENT') return;
    const { requestId } = message.payload as RestorePayload;
    const actor = { caller: SCHEDULE, clock: this.parts.clock, entropy: this.parts.entropy };
    const orders = await ordersOf(transaction, message.clientId, requestId);
    const released = await releaseSims(transaction, actor, {
      clientId: message.clientId,
      simIds: orders.map((order) => order.sim_id),
      reason: 'The time to restore has come.',
      onlyOfRequest: requestId,
    });
    const simIds = released.results.filter((result) => result.error === null).map((result) => result.simId);
    await recordAudit(transaction, actor, {
      clientId: message.clientId,
      action: 'restoreSims',
      subject: `BlockRequest:${requestId}`,
      detail: { sims: simIds, unblockRequest: released.requestId },
    });
  }
}
