/** What evaluation owes: rows written with their cause, deleted with the alerts they led to. */
import type { Transaction } from '../../database/database';
import type { Entropy } from '../../runtime';
import { enqueueEvaluation, SIMS_PER_QUEUE_ROW, type EvaluationReason } from '../../telemetry';
import type { Day } from '../days';
import { pageOfSims } from '../observe/sim-facts';

export interface QueueRow {
  readonly queueId: string;
  readonly day: Day;
  /** Empty: every SIM of the client. */
  readonly simIds: readonly string[];
  readonly reason: EvaluationReason;
}

const CLAIM_ROWS = 200;
/** A portion is what other clients may have to wait for; a single row may hold more. */
const CLAIM_SIM_DAYS = SIMS_PER_QUEUE_ROW;

/** Clients with work, those who wait longest first. An operator-wide read. */
export async function clientsWithWork(tx: Transaction): Promise<number[]> {
  const rows = await tx.query<{ client_id: number }>(
    'SELECT client_id FROM evaluation_queue GROUP BY client_id ORDER BY min(enqueued_at), client_id',
  );
  return rows.map((row) => row.client_id);
}

export interface Claim {
  /** One row by itself, because together they failed. */
  readonly alone: boolean;
  /** Rows that wait, having failed alone. */
  readonly without: readonly string[];
}

/** A bounded portion of the client's work: what records caused before what else did. The client's turn keeps others from it. */
export async function readWork(tx: Transaction, clientId: number, { alone, without }: Claim): Promise<QueueRow[]> {
  const rows = await tx.query<{ queue_id: string; day: Day; sim_ids: string[]; reason: EvaluationReason }>(
    `SELECT queue_id, day, sim_ids, reason
       FROM (SELECT first.*, row_number() OVER in_order AS place, sum(cardinality(sim_ids)) OVER in_order AS sim_days
               FROM (SELECT queue_id, day, sim_ids, reason, (reason IN ('SETTING', 'CLOSE')) AS may_wait, enqueued_at FROM evaluation_queue
                      WHERE client_id = $1 AND queue_id <> ALL($2::uuid[]) ORDER BY may_wait, enqueued_at, queue_id LIMIT $3) first
             WINDOW in_order AS (ORDER BY may_wait, enqueued_at, queue_id ROWS UNBOUNDED PRECEDING)) counted
      WHERE place = 1 OR sim_days <= $4 ORDER BY place`,
    [clientId, without, alone ? 1 : CLAIM_ROWS, CLAIM_SIM_DAYS],
  );
  return rows.map((row) => ({ queueId: row.queue_id, day: row.day, simIds: row.sim_ids, reason: row.reason }));
}

export async function deleteWork(tx: Transaction, clientId: number, rows: readonly QueueRow[]): Promise<void> {
  await tx.query('DELETE FROM evaluation_queue WHERE client_id = $1 AND queue_id = ANY($2::uuid[])', [
    clientId,
    rows.map((row) => row.queueId),
  ]);
}

/** Replaces a row that means every SIM by rows that name them, so that each portion stays bounded. */
export async function spellOut(tx: Transaction, entropy: Entropy, clientId: number, row: QueueRow, now: Date): Promise<void> {
  let after = '0';
  for (;;) {
    const simIds = await pageOfSims(tx, clientId, row.day, after, SIMS_PER_QUEUE_ROW);
    if (simIds.length === 0) break;
    await enqueueEvaluation(tx, entropy, { clientId, day: row.day, simIds, reason: row.reason, now });
    after = simIds.at(-1)!;
  }
  await deleteWork(tx, clientId, [row]);
}
