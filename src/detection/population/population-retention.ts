/** Forgets what the population's runs left behind: decisions, flagged devices, runs with what is left of their work, and models that nobody needs. */
import { singleton } from 'tsyringe';
import { deleteAged } from '../../database/aging';
import { Database, type Transaction } from '../../database/database';
import { Clock } from '../../runtime';
import { DAY_MILLISECONDS, dayOf, type Day } from '../days';
import { OPERATOR } from './run-record';

/** Flagged devices are kept as long as the features that they were found in; decisions as long as usage. */
const DEVICE_DAYS = 93;
const DECISION_DAYS = 400;
const RUN_DAYS = 93;
const KEPT_GENERATIONS = 3;

const devices = { table: 'device_anomaly', age: 'day', key: ['day', 'detector_id', 'sim_id'] } as const;
const decisions = { table: 'client_anomaly', age: 'day', key: ['day', 'detector_id', 'country'] } as const;
const runs = { table: 'population_run', age: 'finished_at', key: ['run_id'] } as const;

@singleton()
export class PopulationRetention {
  /** The day on which it was done last. */
  private done: Day | null = null;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Once a day. Several processes may do it at once: each deletes what it finds. */
  async forget(): Promise<void> {
    const now = this.clock.now().getTime();
    const today = dayOf(now);
    if (this.done === today) return;
    const before = (days: number) => new Date(now - days * DAY_MILLISECONDS);
    await deleteAged(this.database, OPERATOR, runs, before(RUN_DAYS));
    for (const clientId of await this.clientIds()) {
      await deleteAged(this.database, clientId, devices, before(DEVICE_DAYS));
      await deleteAged(this.database, clientId, decisions, before(DECISION_DAYS));
      await this.forgetCheckpoints(clientId);
    }
    await this.forgetBacktestModels();
    await this.write(OPERATOR, forgetGenerations);
    this.done = today;
  }

  /** Those of back-tests that have ended; also called when one ends. */
  async forgetBacktestModels(): Promise<void> {
    await this.write(OPERATOR, async (tx) => {
      const left = await tx.query<{ generation: number }>(
        `SELECT generation FROM population_generation WHERE client_id = $1 AND purpose = 'BACKTEST' AND generation NOT IN
          (SELECT generation FROM population_run WHERE client_id = $1 AND generation IS NOT NULL AND state IN ('WAITING', 'RUNNING'))`,
        [OPERATOR],
      );
      await deleteGenerations(tx, left);
    });
  }

  private async clientIds(): Promise<number[]> {
    const rows = await this.database.transaction({ name: 'population.clients', role: 'ingest', readOnly: true }, (tx) =>
      tx.query<{ client_id: number }>('SELECT client_id FROM client ORDER BY client_id'),
    );
    return rows.map((row) => row.client_id);
  }

  /** Those of runs that were given up; the others delete theirs at their end. A run that has any was open before it was asked whether it is. */
  private async forgetCheckpoints(clientId: number): Promise<void> {
    const left = await this.write(clientId, (tx) =>
      tx.query<{ run_id: string }>('SELECT DISTINCT run_id FROM population_checkpoint WHERE client_id = $1', [clientId]),
    );
    if (left.length === 0) return;
    const runIds = left.map((row) => row.run_id);
    const open = await this.write(OPERATOR, (tx) =>
      tx.query<{ run_id: string }>(
        `SELECT run_id FROM population_run WHERE client_id = $1 AND run_id = ANY($2::uuid[]) AND state IN ('WAITING', 'RUNNING')`,
        [OPERATOR, runIds],
      ),
    );
    const done = runIds.filter((runId) => !open.some((row) => row.run_id === runId));
    await this.write(clientId, (tx) =>
      tx.query('DELETE FROM population_checkpoint WHERE client_id = $1 AND run_id = ANY($2::uuid[])', [clientId, done]),
    );
  }

  private write<T>(clientId: number, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction({ name: 'population.forget', role: 'ingest', clientId }, work);
  }
}

/** All but the newest, and those that a run that is kept was judged by. Descriptions of clusters stay: they say which numbers were given. */
async function forgetGenerations(tx: Transaction): Promise<void> {
  const all = await tx.query<{ generation: number }>(
    `SELECT generation FROM population_generation WHERE client_id = $1 AND purpose = 'DAILY' ORDER BY to_day DESC, generation DESC`,
    [OPERATOR],
  );
  const used = await tx.query<{ generation: number }>(
    'SELECT DISTINCT generation FROM population_run WHERE client_id = $1 AND generation IS NOT NULL',
    [OPERATOR],
  );
  const kept = new Set(used.map((row) => row.generation));
  await deleteGenerations(
    tx,
    all.slice(KEPT_GENERATIONS).filter(({ generation }) => !kept.has(generation)),
  );
}

async function deleteGenerations(tx: Transaction, old: readonly { readonly generation: number }[]): Promise<void> {
  if (old.length === 0) return;
  const numbers = old.map(({ generation }) => generation);
  for (const table of ['population_model', 'population_generation'])
    await tx.query(`DELETE FROM ${table} WHERE client_id = $1 AND generation = ANY($2::int4[])`, [OPERATOR, numbers]);
}
