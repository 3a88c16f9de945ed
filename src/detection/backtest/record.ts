/** Back-tests as rows: what was asked, how far it is, and its end. A worker holds one by a lease; whoever asked may cancel it. */
import type { Transaction } from '../../database/database';
import { appendEvent } from '../../graphql/live';
import type { Entropy } from '../../runtime';
import type { Day } from '../days';
import type { ConfigurationScope } from '../host/modes';
import type { KindCount } from './store';

export type BacktestStateName = 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

export interface BacktestRow {
  readonly client_id: number;
  readonly backtest_id: string;
  readonly detector_id: string;
  readonly detector_version: string;
  readonly scope: `${ConfigurationScope}`;
  /** SIM: sim_id; FLEET: fleet_id; CLIENT: ''. */
  readonly scope_id: string;
  readonly from_day: Day;
  readonly to_day: Day;
  /** As given; null: as each SIM is configured. */
  readonly options: Readonly<Record<string, unknown>> | null;
  readonly state: BacktestStateName;
  /** The day to go on with, after this SIM; null: none was judged yet. */
  readonly at_day: Day | null;
  readonly after_sim: string;
  readonly days_done: number;
  readonly days_total: number;
  readonly failed_days: number;
  readonly sim_days: string;
  readonly rows_judged: string;
  readonly rows_abstained: string;
  readonly findings: number;
  readonly kinds: readonly KindCount[];
  readonly warnings: readonly string[];
  readonly error: string | null;
  readonly attempts: number;
  readonly requested_by: string;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly heartbeat_at: Date | null;
  readonly finished_at: Date | null;
}

export const BACKTEST_COLUMNS = `client_id, backtest_id, detector_id, detector_version, scope, scope_id, from_day, to_day, options, state, at_day, after_sim,
  days_done, days_total, failed_days, sim_days, rows_judged, rows_abstained, findings, kinds, warnings, error, attempts, requested_by, created_at,
  started_at, heartbeat_at, finished_at`;

export type NewBacktest = Pick<
  BacktestRow,
  'client_id' | 'detector_id' | 'detector_version' | 'scope' | 'scope_id' | 'from_day' | 'to_day' | 'options' | 'days_total' | 'warnings'
> & { readonly requestedBy: string };

export async function insertBacktest(tx: Transaction, entropy: Entropy, order: NewBacktest, now: Date): Promise<BacktestRow> {
  const [row] = await tx.query<BacktestRow>(
    `INSERT INTO backtest (client_id, backtest_id, detector_id, detector_version, scope, scope_id, from_day, to_day, options, state, days_total, warnings,
       requested_by, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, 'WAITING', $10, $11::jsonb, $12, $13) RETURNING ${BACKTEST_COLUMNS}`,
    [
      order.client_id,
      entropy.uuid(),
      order.detector_id,
      order.detector_version,
      order.scope,
      order.scope_id,
      order.from_day,
      order.to_day,
      order.options === null ? null : JSON.stringify(order.options),
      order.days_total,
      JSON.stringify(order.warnings),
      order.requestedBy,
      now,
    ],
  );
  tx.poke('backtest');
  return row!;
}

export async function findBacktest(tx: Transaction, clientId: number, backtestId: string): Promise<BacktestRow | null> {
  const [row] = await tx.query<BacktestRow>(`SELECT ${BACKTEST_COLUMNS} FROM backtest WHERE client_id = $1 AND backtest_id = $2`, [
    clientId,
    backtestId,
  ]);
  return row ?? null;
}

/** Those of a client that are not done. */
export function openBacktestsOf(tx: Transaction, clientId: number): Promise<BacktestRow[]> {
  return tx.query<BacktestRow>(
    `SELECT ${BACKTEST_COLUMNS} FROM backtest WHERE client_id = $1 AND state IN ('WAITING', 'RUNNING') ORDER BY created_at, backtest_id`,
    [clientId],
  );
}

/** The one to go on with, of any client: the one that has waited longest since it was last worked on, so that a long one doesn't hold up the others. */
export async function nextOpenBacktest(tx: Transaction): Promise<BacktestRow | null> {
  const [row] = await tx.query<BacktestRow>(
    `SELECT ${BACKTEST_COLUMNS} FROM backtest WHERE client_id > 0 AND state IN ('WAITING', 'RUNNING') 
      ORDER BY coalesce(heartbeat_at, created_at), days_done, created_at, backtest_id LIMIT 1`,
  );
  return row ?? null;
}

export interface BacktestChange {
  readonly state?: BacktestStateName;
  readonly atDay?: Day;
  readonly afterSim?: string;
  readonly daysDone?: number;
  readonly failedDays?: number;
  readonly simDays?: number;
  readonly rowsJudged?: number;
  readonly rowsAbstained?: number;
  readonly findings?: number;
  readonly kinds?: readonly KindCount[];
  readonly error?: string;
  readonly attempts?: number;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
}

const columns = {
  state: 'state',
  atDay: 'at_day',
  afterSim: 'after_sim',
  daysDone: 'days_done',
  failedDays: 'failed_days',
  simDays: 'sim_days',
  rowsJudged: 'rows_judged',
  rowsAbstained: 'rows_abstained',
  findings: 'findings',
  kinds: 'kinds',
  error: 'error',
  attempts: 'attempts',
  startedAt: 'started_at',
  finishedAt: 'finished_at',
} as const satisfies Record<keyof BacktestChange, string>;

/** Writes what changed with the heartbeat, and tells subscribers; null where it was cancelled, or is done otherwise, meanwhile. */
export async function changeBacktest(
  tx: Transaction,
  entropy: Entropy,
  { client_id: clientId, backtest_id: backtestId }: Pick<BacktestRow, 'client_id' | 'backtest_id'>,
  change: BacktestChange,
  now: Date,
): Promise<BacktestRow | null> {
  const given = Object.entries(change) as [keyof BacktestChange, unknown][];
  const sets = given.map(([name], index) => `${columns[name]} = $${index + 4}${name === 'kinds' ? '::jsonb' : ''}`);
  const values = given.map(([name, value]) => (name === 'kinds' ? JSON.stringify(value) : value));
  const [row] = await tx.query<BacktestRow & { sequence: number }>(
    `UPDATE backtest SET ${['heartbeat_at = $3', 'sequence = sequence + 1', ...sets].join(', ')}
      WHERE client_id = $1 AND backtest_id = $2 AND state IN ('WAITING', 'RUNNING') RETURNING ${BACKTEST_COLUMNS}, sequence`,
    [clientId, backtestId, now, ...values],
  );
  if (!row) return null;
  await appendEvent(tx, entropy.uuid(), {
    clientId,
    type: 'BACKTEST_PROGRESS',
    subjectId: backtestId,
    sequence: row.sequence,
    fields: given.map(([name]) => name),
    fromState: null,
    toState: row.state,
    attributes: {},
    occurredAt: now,
  });
  return row;
}
