/** Mutations that may be sent twice: the same key and request answer the stored result, another request is refused. */
import { createHash } from 'node:crypto';
import { SimwardenError } from '../errors';
import type { Transaction } from '../database/database';
import { canonicalJson } from './canonical-json';

export interface IdempotentRequest {
  readonly clientId: number;
  /** Name of the mutation. */
  readonly operation: string;
  /** The caller's key, 1 to 255 characters; null or absent: the work simply runs. */
  readonly key: string | null | undefined;
  /** All that the result depends on, as JSON. */
  readonly request: unknown;
}

/**
 * Runs `work` once per key, in the transaction of its changes. The result must be plain JSON (ids, counts), which the caller makes objects of:
 * that is what a repeat gets. Work that throws leaves no trace of its key. Of two at once, the second waits for the first.
 */
export async function idempotently<Result>(
  transaction: Transaction,
  given: IdempotentRequest,
  work: () => Promise<Result>,
): Promise<Result> {
  const { clientId, operation, key } = given;
  if (key === null || key === undefined) return work();
  if (key.length < 1 || key.length > 255)
    throw new SimwardenError('BAD_USER_INPUT', { what: 'idempotencyKey must have 1 to 255 characters.' }, ['idempotencyKey']);
  const hash = createHash('sha256').update(canonicalJson(given.request)).digest();
  const claimed = await transaction.query(
    `INSERT INTO idempotency (client_id, operation, key, request_hash, result, created_at) VALUES ($1, $2, $3, $4, 'null'::jsonb, now())
     ON CONFLICT (client_id, operation, key) DO NOTHING RETURNING key`,
    [clientId, operation, key, hash],
  );
  if (claimed.length === 0) return storedResult<Result>(transaction, given, hash);
  const result = await work();
  await transaction.query('UPDATE idempotency SET result = $4::jsonb WHERE client_id = $1 AND operation = $2 AND key = $3', [
    clientId,
    operation,
    key,
    JSON.stringify(result ?? null),
  ]);
  return result;
}

async function storedResult<Result>(
  transaction: Transaction,
  { clientId, operation, key }: IdempotentRequest,
  hash: Buffer,
): Promise<Result> {
  const [stored] = await transaction.query<{ request_hash: Buffer; result: Result }>(
    'SELECT request_hash, result FROM idempotency WHERE client_id = $1 AND operation = $2 AND key = $3',
    [clientId, operation, key],
  );
  if (!stored) throw new Error(`idempotency key of ${operation} vanished in its own transaction`);
  if (!hash.equals(stored.request_hash)) throw new SimwardenError('IDEMPOTENCY_KEY_REUSED', { key: key ?? '' }, ['idempotencyKey']);
  return stored.result;
}
