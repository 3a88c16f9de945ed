/** Block requests and their orders (one per SIM) in storage. */
import type { Transaction } from '../database/database';
import {
  BlockOrderState,
  BlockRequestState,
  orderStep,
  orderSteps,
  requestStep,
  type OrderAction,
  type RequestAction,
} from './block-lifecycle';
import type { BlockImpact } from './block-impact';
import type { BlockMode } from '../fleet';

export interface StoredRequest {
  readonly client_id: number;
  readonly request_id: string;
  readonly operation: 'BLOCK' | 'UNBLOCK';
  readonly mode: BlockMode | null;
  readonly reason: string;
  readonly state: BlockRequestState;
  readonly requested_by: string;
  readonly requested_person: string;
  readonly requested_at: Date;
  readonly needs_second_person: boolean;
  readonly second_person_reason: string | null;
  readonly decided_by: string | null;
  readonly decided_person: string | null;
  readonly decided_at: Date | null;
  readonly restore_at: Date | null;
  readonly incident_id: string | null;
  readonly alert_id: string | null;
  readonly impact: BlockImpact | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface StoredOrder {
  readonly request_id: string;
  readonly sim_id: string;
  readonly state: BlockOrderState;
  readonly error_code: string | null;
  readonly error: string | null;
  readonly carried_out_at: Date | null;
  readonly verified_at: Date | null;
}

export const REQUEST_COLUMNS = `client_id, request_id, operation, mode, reason, state, requested_by, requested_person, requested_at, needs_second_person,
  second_person_reason, decided_by, decided_person, decided_at, restore_at, incident_id, alert_id, impact, created_at, updated_at`;

export type NewRequest = Omit<StoredRequest, 'created_at' | 'updated_at'>;

/** Stores a request with one order per SIM, in the request's own state (REQUESTED or CONFIRMED). */
export async function insertRequest(transaction: Transaction, request: NewRequest, simIds: readonly string[]): Promise<void> {
  await transaction.query(
    `INSERT INTO block_request (${REQUEST_COLUMNS})
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18::jsonb, $9, $9)`,
    [
      request.client_id,
      request.request_id,
      request.operation,
      request.mode,
      request.reason,
      request.state,
      request.requested_by,
      request.requested_person,
      request.requested_at,
      request.needs_second_person,
      request.second_person_reason,
      request.decided_by,
      request.decided_person,
      request.decided_at,
      request.restore_at,
      request.incident_id,
      request.alert_id,
      JSON.stringify(request.impact),
    ],
  );
  await transaction.query(
    `INSERT INTO block_request_sim (client_id, request_id, sim_id, state)
     SELECT $1, $2, sim_id, $3 FROM unnest($4::int8[]) AS ordered (sim_id) RETURNING sim_id`,
    [request.client_id, request.request_id, request.state, simIds],
  );
}

/** Locks requests in the order of their ids: always before their SIMs, in every transaction, so that none wait crosswise. */
export async function lockRequests(transaction: Transaction, clientId: number, requestIds: readonly string[]): Promise<StoredRequest[]> {
  if (requestIds.length === 0) return [];
  return transaction.query<StoredRequest>(
    `SELECT ${REQUEST_COLUMNS} FROM block_request WHERE client_id = $1 AND request_id = ANY($2::uuid[]) ORDER BY request_id FOR UPDATE`,
    [clientId, [...new Set(requestIds)]],
  );
}

export async function ordersOf(transaction: Transaction, clientId: number, requestId: string): Promise<StoredOrder[]> {
  return transaction.query<StoredOrder>(
    `SELECT request_id, sim_id, state, error_code, error, carried_out_at, verified_at FROM block_request_sim
     WHERE client_id = $1 AND request_id = $2 ORDER BY sim_id`,
    [clientId, requestId],
  );
}

/** Takes one step with a request that this transaction has locked. */
export async function changeRequest(
  transaction: Transaction,
  request: StoredRequest,
  action: RequestAction,
  at: Date,
  decision: { readonly by: string; readonly person: string } | null,
): Promise<void> {
  const state = requestStep(request.state, action);
  await transaction.query(
    `UPDATE block_request SET state = $3, updated_at = $4, decided_by = coalesce($5, decided_by), decided_person = coalesce($6, decided_person),
       decided_at = CASE WHEN $5::text IS NULL THEN decided_at ELSE $4 END
     WHERE client_id = $1 AND request_id = $2`,
    [request.client_id, request.request_id, state, at, decision?.by ?? null, decision?.person ?? null],
  );
}

export interface OrderResult {
  readonly errorCode: string | null;
  readonly error: string | null;
}

/** Takes one step with orders of a locked request; throws ILLEGAL_TRANSITION, changing nothing more, if one of them may not. */
export async function changeOrders(
  transaction: Transaction,
  clientId: number,
  requestId: string,
  simIds: readonly string[],
  action: OrderAction,
  at: Date,
  result: OrderResult = { errorCode: null, error: null },
): Promise<void> {
  if (simIds.length === 0) return;
  const rows = await transaction.query<{ sim_id: string }>(
    `UPDATE block_request_sim SET state = $4, error_code = $5, error = $6,
       carried_out_at = CASE WHEN $4 = 'CARRIED_OUT' THEN $7 ELSE carried_out_at END,
       verified_at = CASE WHEN $4 = 'VERIFIED' THEN $7 ELSE verified_at END
     WHERE client_id = $1 AND request_id = $2 AND sim_id = ANY($3::int8[]) AND state = ANY($8::text[]) RETURNING sim_id`,
    [clientId, requestId, simIds, orderSteps[action].to, result.errorCode, result.error, at, orderSteps[action].from],
  );
  if (rows.length === simIds.length) return;
  const taken = new Set(rows.map((row) => row.sim_id));
  const refused = (await ordersOf(transaction, clientId, requestId)).find(
    (order) => simIds.includes(order.sim_id) && !taken.has(order.sim_id),
  );
  if (refused) orderStep(refused.state, action);
}

/** Ends a confirmed request once none of its orders is open: FAILED if one failed, CANCELLED if all were, else COMPLETED. */
export async function finishRequest(transaction: Transaction, request: StoredRequest, at: Date): Promise<void> {
  if (request.state !== BlockRequestState.CONFIRMED) return;
  const open = await transaction.query(
    `SELECT 1 FROM block_request_sim WHERE client_id = $1 AND request_id = $2 AND state IN ('REQUESTED', 'CONFIRMED', 'CARRIED_OUT') LIMIT 1`,
    [request.client_id, request.request_id],
  );
  if (open.length > 0) return;
  const [ended] = await transaction.query<{ failed: boolean; cancelled: boolean }>(
    `SELECT bool_or(state = 'FAILED') AS failed, bool_and(state = 'CANCELLED') AS cancelled FROM block_request_sim WHERE client_id = $1 AND request_id = $2`,
    [request.client_id, request.request_id],
  );
  await changeRequest(transaction, request, ended!.failed ? 'fail' : ended!.cancelled ? 'cancel' : 'complete', at, null);
}

export async function findRequest(transaction: Transaction, clientId: number, requestId: string): Promise<StoredRequest | null> {
  const [row] = await transaction.query<StoredRequest>(
    `SELECT ${REQUEST_COLUMNS} FROM block_request WHERE client_id = $1 AND request_id = $2`,
    [clientId, requestId],
  );
  return row ?? null;
}
