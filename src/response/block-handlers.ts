/** Everything that blocking lets the outbox carry out. */
import { ApplyOrderHandler, VerifyOrderHandler, type BlockDeliveryParts } from './block-delivery';
import type { OutboxHandler } from './outbox';
import { RestoreHandler } from './restore-delivery';

export function blockHandlers(parts: BlockDeliveryParts): OutboxHandler[] {
  return [new ApplyOrderHandler(parts), new VerifyOrderHandler(parts), new RestoreHandler(parts)];
}
