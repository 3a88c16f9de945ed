/** Runs: what each detector did on a client's day, one row per day and trigger. */
import type { Transaction } from '../../database/database';
import type { Entropy } from '../../runtime';
import type { Day } from '../days';
import type { RunSummary } from './verdict-collector';

export type RunTrigger = 'STREAM' | 'DAY_CLOSE' | 'ON_DEMAND';

export interface RunOf {
  readonly clientId: number;
  readonly day: Day;
  readonly trigger: RunTrigger;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** STREAM adds to the day's row; a whole evaluation (DAY_CLOSE, ON_DEMAND) replaces what the one before it counted. */
export async function recordRuns(tx: Transaction, entropy: Entropy, run: RunOf, summaries: readonly RunSummary[]): Promise<void> {
  const adds = run.trigger === 'STREAM';
  const counted = (column: string) => (adds ? `detection_run.${column} + EXCLUDED.${column}` : `EXCLUDED.${column}`);
  for (const { detector, rows, abstained, hits, failure } of summaries) {
    await tx.query(
      `INSERT INTO detection_run (client_id, run_id, detector_id, detector_version, day, trigger, state, evaluations, rows_evaluated, rows_abstained, hits,
         consecutive_failures, error, started_at, finished_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10, $11, $12, $13, $14)
       ON CONFLICT (client_id, detector_id, day, trigger) DO UPDATE SET
         detector_version = EXCLUDED.detector_version, state = EXCLUDED.state, error = EXCLUDED.error,
         evaluations = detection_run.evaluations + 1,
         rows_evaluated = ${counted('rows_evaluated')}, rows_abstained = ${counted('rows_abstained')}, hits = ${counted('hits')},
         consecutive_failures = CASE WHEN EXCLUDED.consecutive_failures = 0 THEN 0 ELSE detection_run.consecutive_failures + 1 END,
         started_at = ${adds ? 'detection_run.started_at' : 'EXCLUDED.started_at'}, finished_at = EXCLUDED.finished_at`,
      [
        run.clientId,
        entropy.uuid(),
        detector.meta.id,
        detector.meta.version,
        run.day,
        run.trigger,
        failure === null ? 'SUCCEEDED' : 'FAILED',
        rows,
        abstained,
        hits,
        failure === null ? 0 : 1,
        failure,
        run.startedAt,
        run.finishedAt,
      ],
    );
  }
}
