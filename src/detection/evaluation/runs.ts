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
  if (summaries.length === 0) return;
  const each = <T>(value: (summary: RunSummary) => T): T[] => summaries.map(value);
  await tx.query(
    `INSERT INTO detection_run (client_id, run_id, detector_id, detector_version, day, trigger, state, evaluations, rows_evaluated, rows_abstained, hits,
       consecutive_failures, error, started_at, finished_at)
     SELECT $1::int4, run_id, detector_id, version, $2::date, $3::text, CASE WHEN error IS NULL THEN 'SUCCEEDED' ELSE 'FAILED' END, 1, evaluated, abstained, hits,
       CASE WHEN error IS NULL THEN 0 ELSE 1 END, error, $4::timestamptz, $5::timestamptz
       FROM unnest($6::uuid[], $7::text[], $8::text[], $9::int8[], $10::int8[], $11::int8[], $12::text[])
         AS summary (run_id, detector_id, version, evaluated, abstained, hits, error)
     ON CONFLICT (client_id, detector_id, day, trigger) DO UPDATE SET
       detector_version = EXCLUDED.detector_version, state = EXCLUDED.state, error = EXCLUDED.error,
       evaluations = detection_run.evaluations + 1,
       rows_evaluated = ${counted('rows_evaluated')}, rows_abstained = ${counted('rows_abstained')}, hits = ${counted('hits')},
       consecutive_failures = CASE WHEN EXCLUDED.consecutive_failures = 0 THEN 0 ELSE detection_run.consecutive_failures + 1 END,
       started_at = ${adds ? 'detection_run.started_at' : 'EXCLUDED.started_at'}, finished_at = EXCLUDED.finished_at
     RETURNING detector_id`,
    [
      run.clientId,
      run.day,
      run.trigger,
      run.startedAt,
      run.finishedAt,
      each(() => entropy.uuid()),
      each(({ detector }) => detector.meta.id),
      each(({ detector }) => detector.meta.version),
      each(({ rows }) => rows),
      each(({ abstained }) => abstained),
      each(({ hits }) => hits),
      each(({ failure }) => failure),
    ],
  );
}
