/** Population runs as rows: a job is unique by what it is and when it is due, held by a lease, and says how far it is. */
import type { Transaction } from '../../database/database';
import { appendEvent } from '../../graphql/live';
import type { Entropy } from '../../runtime';
import type { Day } from '../days';
import type { StoredPlan } from './plan';

export const OPERATOR = 0;

export type RunTriggerName = 'SCHEDULE' | 'ON_DEMAND' | 'BACKTEST' | 'FIT';
export type RunStateName = 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED';
export type RunPhaseName = 'WAITING' | 'FIT' | 'SCORE' | 'DECIDE' | 'DONE';

export interface PopulationRunRow {
  readonly run_id: string;
  readonly job: string;
  readonly scheduled_for: Date;
  readonly from_day: Day;
  readonly to_day: Day;
  readonly trigger: RunTriggerName;
  readonly state: RunStateName;
  readonly phase: RunPhaseName;
  readonly plan: readonly StoredPlan[] | null;
  readonly seed: string;
  readonly generation: number | null;
  readonly rows_done: string;
  readonly rows_total: string;
  readonly models_done: number;
  readonly models_total: number;
  readonly result: unknown;
  readonly warnings: readonly string[];
  readonly error: string | null;
  readonly attempts: number;
  readonly requested_by: string | null;
  readonly sequence: number;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly heartbeat_at: Date | null;
  readonly finished_at: Date | null;
}

export const RUN_COLUMNS = `run_id, job, scheduled_for, from_day, to_day, trigger, state, phase, plan, seed, generation, rows_done, rows_total,
  models_done, models_total, result, warnings, error, attempts, requested_by, sequence, created_at, started_at, heartbeat_at, finished_at`;

export interface NewRun {
  readonly job: string;
  readonly scheduledFor: Date;
  readonly fromDay: Day;
  readonly toDay: Day;
  readonly trigger: RunTriggerName;
  readonly seed: number;
  readonly requestedBy: string | null;
  /** Changes of the day's features when it was asked for; the run looks again when it begins. */
  readonly sawChanges?: string;
  /** For a back-test of one detector that may not be enabled yet; null: the plan is made when it begins. */
  readonly plan?: readonly StoredPlan[];
}

/** Answers the run: the one that was there already where the job is known. */
export async function insertRun(tx: Transaction, entropy: Entropy, run: NewRun, now: Date): Promise<PopulationRunRow> {
  await tx.query(
    `INSERT INTO population_run (client_id, run_id, job, scheduled_for, from_day, to_day, trigger, state, phase, plan, seed, requested_by, created_at,
       saw_changes)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 'WAITING', 'WAITING', $8::jsonb, $9, $10, $11, $12)
     ON CONFLICT (client_id, job, scheduled_for) DO NOTHING`,
    [
      OPERATOR,
      entropy.uuid(),
      run.job,
      run.scheduledFor,
      run.fromDay,
      run.toDay,
      run.trigger,
      run.plan ? JSON.stringify(run.plan) : null,
      run.seed,
      run.requestedBy,
      now,
      run.sawChanges ?? null,
    ],
  );
  const [row] = await tx.query<PopulationRunRow>(
    `SELECT ${RUN_COLUMNS} FROM population_run WHERE client_id = $1 AND job = $2 AND scheduled_for = $3`,
    [OPERATOR, run.job, run.scheduledFor],
  );
  tx.poke('evaluation');
  return row!;
}

export async function findPopulationRun(tx: Transaction, runId: string): Promise<PopulationRunRow | null> {
  const [row] = await tx.query<PopulationRunRow>(`SELECT ${RUN_COLUMNS} FROM population_run WHERE client_id = $1 AND run_id = $2`, [
    OPERATOR,
    runId,
  ]);
  return row ?? null;
}

/** A run of this job that is not done yet. */
export async function openRunOf(tx: Transaction, job: string): Promise<PopulationRunRow | null> {
  const [row] = await tx.query<PopulationRunRow>(
    `SELECT ${RUN_COLUMNS} FROM population_run WHERE client_id = $1 AND job = $2 AND state IN ('WAITING', 'RUNNING') ORDER BY created_at LIMIT 1`,
    [OPERATOR, job],
  );
  return row ?? null;
}

/** The run to go on with: one that is under way before one that waits, the earliest day first. */
export async function nextOpenRun(tx: Transaction): Promise<PopulationRunRow | null> {
  const [row] = await tx.query<PopulationRunRow>(
    `SELECT ${RUN_COLUMNS} FROM population_run WHERE client_id = $1 AND state IN ('WAITING', 'RUNNING')
      ORDER BY state, to_day, created_at, run_id LIMIT 1`,
    [OPERATOR],
  );
  return row ?? null;
}

export interface RunChange {
  readonly state?: RunStateName;
  readonly phase?: RunPhaseName;
  readonly plan?: readonly StoredPlan[];
  readonly generation?: number;
  readonly rowsDone?: number;
  readonly rowsTotal?: number;
  readonly modelsDone?: number;
  readonly modelsTotal?: number;
  readonly sawChanges?: string;
  readonly result?: unknown;
  readonly warnings?: readonly string[];
  readonly error?: string;
  readonly attempts?: number;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
}

const columns = {
  state: 'state',
  phase: 'phase',
  plan: 'plan',
  generation: 'generation',
  rowsDone: 'rows_done',
  rowsTotal: 'rows_total',
  modelsDone: 'models_done',
  modelsTotal: 'models_total',
  sawChanges: 'saw_changes',
  result: 'result',
  warnings: 'warnings',
  error: 'error',
  attempts: 'attempts',
  startedAt: 'started_at',
  finishedAt: 'finished_at',
} as const satisfies Record<keyof RunChange, string>;
const isJson = new Set<string>(['plan', 'result', 'warnings']);

/** Writes what changed with the heartbeat, and tells subscribers. */
export async function changeRun(tx: Transaction, entropy: Entropy, runId: string, change: RunChange, now: Date): Promise<void> {
  const given = Object.entries(change) as [keyof RunChange, unknown][];
  const sets = given.map(([name], index) => `${columns[name]} = $${index + 4}${isJson.has(name) ? '::jsonb' : ''}`);
  const values = given.map(([name, value]) => (isJson.has(name) ? JSON.stringify(value) : value));
  const [row] = await tx.query<{ sequence: number; state: string }>(
    `UPDATE population_run SET ${['heartbeat_at = $3', 'sequence = sequence + 1', ...sets].join(', ')}
      WHERE client_id = $1 AND run_id = $2 RETURNING sequence, state`,
    [OPERATOR, runId, now, ...values],
  );
  await appendEvent(tx, entropy.uuid(), {
    clientId: OPERATOR,
    type: 'DETECTION_RUN_PROGRESS',
    subjectId: runId,
    sequence: row!.sequence,
    fields: given.map(([name]) => name),
    fromState: null,
    toState: row!.state,
    attributes: {},
    occurredAt: now,
  });
}
