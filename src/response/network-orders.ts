/** Orders to the network as outbox messages: to carry one out, to look whether it took effect, and to restore SIMs at a set time. */
import type { Transaction } from '../database/database';
import type { BlockMode } from '../fleet';
import type { Clock, Entropy } from '../runtime';
import { cancelMessages, enqueueAll, type NewOutboxMessage } from './outbox';

export const APPLY_TOPIC = 'network.apply';
export const VERIFY_TOPIC = 'network.verify';
export const RESTORE_TOPIC = 'network.restore';

/** What an APPLY or VERIFY message carries. ICCID and IMSI are looked up when it is sent, so that an erased SIM leaves none here. */
export interface OrderPayload {
  readonly requestId: string;
  readonly simId: string;
  readonly operation: 'BLOCK' | 'UNBLOCK';
  readonly mode: BlockMode | null;
  /** VERIFY only: the message that carried the order out. */
  readonly applyMessageId?: string;
}

export interface RestorePayload {
  readonly requestId: string;
}

const CONNECTOR_KEY = 'network';

/** The order key of everything that is said to the network about one SIM. */
export function simOrderKey(simId: string): string {
  return `${CONNECTOR_KEY}:${simId}`;
}

function simOfOrderKey(orderKey: string): string {
  return orderKey.slice(CONNECTOR_KEY.length + 1);
}

function restoreKey(requestId: string): string {
  return `restore:${requestId}`;
}

interface By {
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** Orders one operation for SIMs that this transaction has locked. */
export async function orderOperation(
  transaction: Transaction,
  by: By,
  clientId: number,
  order: Omit<OrderPayload, 'simId' | 'applyMessageId'>,
  simIds: readonly string[],
): Promise<void> {
  const dueAt = by.clock.now();
  await enqueueAll(
    transaction,
    by,
    clientId,
    simIds.map((simId): NewOutboxMessage => ({
      clientId,
      orderKey: simOrderKey(simId),
      topic: APPLY_TOPIC,
      payload: { ...order, simId } satisfies OrderPayload,
      dueAt,
    })),
  );
}

export async function orderVerification(transaction: Transaction, by: By, clientId: number, payload: OrderPayload): Promise<void> {
  await enqueueAll(transaction, by, clientId, [
    { clientId, orderKey: simOrderKey(payload.simId), topic: VERIFY_TOPIC, payload: { ...payload }, dueAt: by.clock.now() },
  ]);
}

export async function orderRestore(transaction: Transaction, by: By, clientId: number, requestId: string, restoreAt: Date): Promise<void> {
  await enqueueAll(transaction, by, clientId, [
    { clientId, orderKey: restoreKey(requestId), topic: RESTORE_TOPIC, payload: { requestId } satisfies RestorePayload, dueAt: restoreAt },
  ]);
}

/** Takes back orders that no worker has touched; answers the SIMs for which it is certain that the network never heard of them. */
export async function withdrawOrders(
  transaction: Transaction,
  clientId: number,
  simIds: readonly string[],
  now: Date,
): Promise<Set<string>> {
  const cancelled = await cancelMessages(transaction, clientId, simIds.map(simOrderKey), APPLY_TOPIC, now, 'neverSent');
  return new Set(cancelled.map((message) => simOfOrderKey(message.orderKey)));
}

/** Stops repeating and looking after orders that another one overtakes; what a worker has in its hands runs on and finds itself overtaken. */
export async function dropOvertakenOrders(transaction: Transaction, clientId: number, simIds: readonly string[], now: Date): Promise<void> {
  const keys = simIds.map(simOrderKey);
  await cancelMessages(transaction, clientId, keys, APPLY_TOPIC, now, 'notInFlight');
  await cancelMessages(transaction, clientId, keys, VERIFY_TOPIC, now, 'notInFlight');
}

export async function dropRestore(transaction: Transaction, clientId: number, requestId: string, now: Date): Promise<void> {
  await cancelMessages(transaction, clientId, [restoreKey(requestId)], RESTORE_TOPIC, now, 'notInFlight');
}
