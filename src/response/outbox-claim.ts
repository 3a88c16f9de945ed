/** The statements of the outbox's work: who owes something, claim the heads of order keys, record what became of them. */
import type { Transaction } from '../database/database';
import type { OutboxMessage } from './outbox';

interface OutboxRow {
  message_id: string;
  order_key: string;
  sequence: string;
  topic: string;
  payload: unknown;
  attempts: number;
}

/** Clients with a message that is due: a look across clients, without locks. */
export async function clientsDue(transaction: Transaction, now: Date): Promise<number[]> {
  const rows = await transaction.query<{ client_id: number }>(
    `SELECT DISTINCT client_id FROM outbox
     WHERE state = 'PENDING' AND due_at <= $1 AND (claimed_until IS NULL OR claimed_until <= $1)`,
    [now],
  );
  return rows.map((row) => row.client_id);
}

export interface Claim {
  readonly clientId: number;
  readonly topics: readonly string[];
  readonly worker: string;
  readonly now: Date;
  readonly until: Date;
  readonly limit: number;
  /** Messages in this process's hands: never claimed a second time, even when the clock jumped past their lease. */
  readonly inHand: readonly string[];
}

/** Takes up to `limit` messages, each the head of its order key, and marks them as this worker's until the lease ends. */
export async function claimHeads(transaction: Transaction, claim: Claim): Promise<OutboxMessage[]> {
  const rows = await transaction.query<OutboxRow>(
    `WITH claimed AS MATERIALIZED (
       SELECT message_id FROM outbox AS head
       WHERE client_id = $1 AND state = 'PENDING' AND due_at <= $2 AND (claimed_until IS NULL OR claimed_until <= $2)
         AND topic = ANY($3::text[]) AND message_id <> ALL($4::uuid[])
         AND NOT EXISTS (
           SELECT 1 FROM outbox AS earlier
           WHERE earlier.client_id = $1 AND earlier.order_key = head.order_key AND earlier.state = 'PENDING' AND earlier.sequence < head.sequence)
       ORDER BY due_at, order_key LIMIT $5 FOR UPDATE OF head SKIP LOCKED)
     UPDATE outbox SET claimed_by = $6, claimed_until = $7, attempts = attempts + 1
     FROM claimed WHERE outbox.client_id = $1 AND outbox.message_id = claimed.message_id
     RETURNING outbox.message_id, order_key, sequence, topic, payload, attempts`,
    [claim.clientId, claim.now, claim.topics, claim.inHand, claim.limit, claim.worker, claim.until],
  );
  return rows.map((row) => ({
    clientId: claim.clientId,
    messageId: row.message_id,
    orderKey: row.order_key,
    sequence: row.sequence,
    topic: row.topic,
    payload: row.payload,
    attempts: row.attempts,
  }));
}

/** True when the row was still this worker's attempt; false when its lease ended and another took it. */
export async function recordEnd(
  transaction: Transaction,
  message: OutboxMessage,
  worker: string,
  state: 'SENT' | 'DEAD',
  error: string | null,
  now: Date,
): Promise<boolean> {
  const rows = await transaction.query(
    `UPDATE outbox SET state = $5, last_error = coalesce($6, last_error), finished_at = $7, claimed_by = NULL, claimed_until = NULL
     WHERE client_id = $1 AND message_id = $2 AND claimed_by = $3 AND attempts = $4 AND state = 'PENDING' RETURNING message_id`,
    [message.clientId, message.messageId, worker, message.attempts, state, error, now],
  );
  return rows.length > 0;
}

export async function recordRetry(
  transaction: Transaction,
  message: OutboxMessage,
  worker: string,
  error: string,
  dueAt: Date,
): Promise<void> {
  await transaction.query(
    `UPDATE outbox SET due_at = $5, last_error = $6, claimed_by = NULL, claimed_until = NULL
     WHERE client_id = $1 AND message_id = $2 AND claimed_by = $3 AND attempts = $4 AND state = 'PENDING' RETURNING message_id`,
    [message.clientId, message.messageId, worker, message.attempts, dueAt, error],
  );
}
