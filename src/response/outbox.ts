/** The outbox: whatever leaves the process is a row here first, in the transaction of its cause, and is sent in order per subject. */
import type { Transaction } from '../database/database';
import type { Clock, Entropy } from '../runtime';

export interface NewOutboxMessage {
  readonly clientId: number;
  /** What must stay in order: `simulated:42` (connector, SIM). A failing head holds only its own key. */
  readonly orderKey: string;
  /** Which handler carries it out. */
  readonly topic: string;
  /** A JSON object; its shape is the topic's. */
  readonly payload: object;
  readonly dueAt: Date;
}

export interface OutboxMessage {
  readonly clientId: number;
  /** Constant over all attempts: what a receiver deduplicates by. */
  readonly messageId: string;
  readonly orderKey: string;
  readonly sequence: string;
  readonly topic: string;
  /** As it was put in; its handler knows the shape. */
  readonly payload: unknown;
  /** Which attempt this is, from 1; counted when it is claimed, so a crash counts too. */
  readonly attempts: number;
}

/** What became of one attempt. REFUSED is final; RETRY is tried again after its back-off. */
export type DeliveryResult =
  | { readonly outcome: 'DELIVERED'; readonly detail?: string }
  | { readonly outcome: 'REFUSED'; readonly error: string }
  | { readonly outcome: 'RETRY'; readonly error: string };

/** The end of a message: SENT, or DEAD when it was refused or ran out of attempts. */
export type Settlement =
  | { readonly state: 'SENT'; readonly detail: string | null }
  | { readonly state: 'DEAD'; readonly error: string; readonly refused: boolean };

/** Carries out the messages of one topic; registered with the OutboxWorker by the app. */
export interface OutboxHandler {
  readonly topic: string;
  /** Sends it, at least once, with no transaction open. A throw counts as RETRY. `signal` aborts when the attempt's time is over. */
  deliver(message: OutboxMessage, signal: AbortSignal): Promise<DeliveryResult>;
  /** Runs in the transaction that records the end of the message, so that a state change and its event are atomic with it. */
  settled(transaction: Transaction, message: OutboxMessage, settlement: Settlement): Promise<void>;
}

/**
 * Puts messages into the outbox, in the order given. The caller holds the lock of the row that the order key speaks of (the SIM, the incident):
 * so two transactions never number one key at once; the unique key is the net.
 */
export async function enqueueAll(
  transaction: Transaction,
  by: { readonly clock: Clock; readonly entropy: Entropy },
  clientId: number,
  messages: readonly NewOutboxMessage[],
): Promise<string[]> {
  if (messages.length === 0) return [];
  const latest = await transaction.query<{ order_key: string; latest: string }>(
    `SELECT order_key, max(sequence) AS latest FROM outbox WHERE client_id = $1 AND order_key = ANY($2::text[]) GROUP BY order_key`,
    [clientId, [...new Set(messages.map((message) => message.orderKey))]],
  );
  const next = new Map(latest.map((row) => [row.order_key, BigInt(row.latest)]));
  const rows = messages.map((message) => {
    const sequence = (next.get(message.orderKey) ?? 0n) + 1n;
    next.set(message.orderKey, sequence);
    return { ...message, messageId: by.entropy.uuid(), sequence: sequence.toString() };
  });
  await transaction.query(
    `INSERT INTO outbox (client_id, message_id, order_key, sequence, topic, payload, due_at, created_at)
     SELECT $1, message_id, order_key, sequence, topic, payload, due_at, $2
     FROM unnest($3::uuid[], $4::text[], $5::int8[], $6::text[], $7::jsonb[], $8::timestamptz[])
       AS message (message_id, order_key, sequence, topic, payload, due_at)
     RETURNING message_id`,
    [
      clientId,
      by.clock.now(),
      rows.map((row) => row.messageId),
      rows.map((row) => row.orderKey),
      rows.map((row) => row.sequence),
      rows.map((row) => row.topic),
      rows.map((row) => JSON.stringify(row.payload)),
      rows.map((row) => row.dueAt.toISOString()),
    ],
  );
  transaction.poke('outbox');
  return rows.map((row) => row.messageId);
}

/** Puts one message into the outbox; see enqueueAll for the lock that the caller holds. Answers its message id. */
export async function enqueue(
  transaction: Transaction,
  by: { readonly clock: Clock; readonly entropy: Entropy },
  message: NewOutboxMessage,
): Promise<string> {
  const [messageId] = await enqueueAll(transaction, by, message.clientId, [message]);
  return messageId!;
}

/**
 * Cancels what these order keys still owe of a topic. `neverSent`: only messages that no worker has claimed yet, so that it is certain that
 * nothing left; otherwise also those that were tried before, unless a worker has them in its hands now.
 */
export async function cancelMessages(
  transaction: Transaction,
  clientId: number,
  orderKeys: readonly string[],
  topic: string,
  now: Date,
  which: 'neverSent' | 'notInFlight',
): Promise<{ orderKey: string; messageId: string }[]> {
  if (orderKeys.length === 0) return [];
  const condition = which === 'neverSent' ? 'attempts = 0' : '(claimed_until IS NULL OR claimed_until <= $4)';
  const rows = await transaction.query<{ order_key: string; message_id: string }>(
    `UPDATE outbox SET state = 'CANCELLED', finished_at = $4
     WHERE client_id = $1 AND order_key = ANY($2::text[]) AND topic = $3 AND state = 'PENDING' AND ${condition}
     RETURNING order_key, message_id`,
    [clientId, orderKeys, topic, now],
  );
  // What waited behind the cancelled ones may go now.
  if (rows.length > 0) transaction.poke('outbox');
  return rows.map((row) => ({ orderKey: row.order_key, messageId: row.message_id }));
}
