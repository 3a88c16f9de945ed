/** What evaluation owes, written in the transaction of its cause: a kill after the commit loses nothing. */
import type { Transaction } from '../database/database';
import type { Entropy } from '../runtime';
import { plainArray } from './array-literal';

/** INGEST, REQUEUE: records came. SETTING: a limit, binding or configuration changed. CLOSE: a day before closed, so baselines are newer. */
export type EvaluationReason = 'INGEST' | 'REQUEUE' | 'SETTING' | 'CLOSE';

/** A row is judged in one go, so that this many SIMs is also how long others may have to wait. */
export const SIMS_PER_QUEUE_ROW = 2_500;

export interface OwedEvaluation {
  readonly clientId: number;
  /** UTC day, YYYY-MM-DD. */
  readonly day: string;
  /** Empty: every SIM of the client. */
  readonly simIds: readonly string[];
  readonly reason: EvaluationReason;
  readonly now: Date;
}

export async function enqueueEvaluation(
  tx: Transaction,
  entropy: Entropy,
  { clientId, day, simIds, reason, now }: OwedEvaluation,
): Promise<void> {
  for (let from = 0; from === 0 || from < simIds.length; from += SIMS_PER_QUEUE_ROW) {
    await tx.query(
      'INSERT INTO evaluation_queue (client_id, queue_id, day, sim_ids, reason, enqueued_at) VALUES ($1, $2, $3, $4::int8[], $5, $6)',
      [clientId, entropy.uuid(), day, plainArray(simIds.slice(from, from + SIMS_PER_QUEUE_ROW)), reason, now],
    );
  }
  tx.poke('evaluation');
}
