/** One page of a back-test: the SIMs of its scope on a past day, observed and judged as an evaluation would, by this detector alone. */
import { Database, type Transaction } from '../../database/database';
import type { ColumnName, Detector } from '../../detector';
import type { Day } from '../days';
import { EVENT_PAGE_SIMS } from '../evaluation/evaluator';
import { observers, prepareRuns, runPrepared, wholeClient } from '../evaluation/material';
import { readConfiguration, type ConfiguredGroup, type DetectorConfiguration } from '../host/configuration';
import { effectiveOptions } from '../host/host-options';
import { failedOutcome, type DetectorOutcome } from '../host/run';
import { nothingLater } from '../host/windows';
import { openScope, type Observation, type ObservationScope } from '../observe';
import { pageOfSims } from '../observe/sim-facts';
import { observeServices } from '../services/observe-services';
import { readServiceHours } from '../services/stored-hours';
import type { BacktestRow } from './record';
import { historyOf } from './store';

const PAGE_SIMS = 2_500;

export interface TrialPage {
  readonly outcome: DetectorOutcome;
  /** SIM-days that it says something of. */
  readonly sims: number;
  /** The SIM after which the day goes on; null: the day is done. */
  readonly after: string | null;
}

export class Trial {
  constructor(
    private readonly database: Database,
    private readonly detector: Detector,
    private readonly backtest: BacktestRow,
  ) {}

  /** Nothing is stored, and no transaction is open while the detector works. */
  async page(day: Day, after: string): Promise<TrialPage> {
    const { client_id: clientId } = this.backtest;
    const read = { name: 'backtest.observe', role: 'ingest', clientId, readOnly: true } as const;
    const { prepared, ...page } = await this.database.transaction(read, (tx) => this.observe(tx, day, after));
    const [outcome] = await runPrepared(prepared);
    return { outcome: outcome ?? { ...failedOutcome(this.detector, ''), failure: null }, ...page };
  }

  private async observe(tx: Transaction, day: Day, after: string) {
    const { input } = this.detector.meta;
    const { client_id: clientId, scope: scopeKind, scope_id: scopeId } = this.backtest;
    if (input === 'services') {
      const scope = { ...(await openScope(tx, clientId, day, [])), sims: [wholeClient] };
      const hours = observeServices(await readServiceHours(tx, clientId, day));
      return { prepared: await this.prepare(tx, scope, [], () => Promise.resolve(hours)), sims: 0, after: null };
    }
    const size = input === 'events' ? EVENT_PAGE_SIMS : PAGE_SIMS;
    const simIds = await this.simsAfter(tx, day, after, size);
    const whole = await openScope(tx, clientId, day, simIds);
    const sims = scopeKind === 'FLEET' ? whole.sims.filter((sim) => sim.fleetId === scopeId) : whole.sims;
    const prepared = await this.prepare(tx, { ...whole, sims }, simIds, (needs) => observers[input](tx, { ...whole, sims }, needs));
    const next = simIds.length < size ? null : simIds.at(-1)!;
    // of features, who did not signal has no row
    const judged =
      input === 'features'
        ? prepared.reduce((sum, { material }) => sum + ('failure' in material ? 0 : material.observation.rows), 0)
        : sims.length;
    return { prepared, sims: judged, after: next };
  }

  private async prepare(
    tx: Transaction,
    scope: ObservationScope,
    simIds: readonly string[],
    observe: (needs: ReadonlySet<ColumnName>) => Promise<Observation>,
  ) {
    const { client_id: clientId, backtest_id: backtestId } = this.backtest;
    const configuration = await readConfiguration(tx, clientId, simIds);
    return prepareRuns(tx, historyOf({ clientId, backtestId }), {
      scope,
      detectors: [this.detector],
      observe,
      // each day as it was when it closed: a later one had not come
      later: () => Promise.resolve(nothingLater),
      groups: (detector, { simOfRow, rows }) => this.groups(detector, configuration, scope, simOfRow, rows),
    });
  }

  private groups(
    detector: Detector,
    configuration: DetectorConfiguration,
    scope: ObservationScope,
    simOfRow: Int32Array,
    rows: number,
  ): readonly ConfiguredGroup[] {
    if (this.backtest.options === null) return configuration.groupsOfTrial(detector, scope.sims, simOfRow);
    const answer = effectiveOptions(detector, this.backtest.options);
    if ('errors' in answer) throw new Error(`the options are not valid: ${answer.errors.join('; ')}`);
    return [{ mode: 'ENABLED', options: answer.options, rows: Int32Array.from({ length: rows }, (_, row) => row) }];
  }

  /** By id; of a fleet those that are, or were ever, in it. */
  private async simsAfter(tx: Transaction, day: Day, after: string, limit: number): Promise<string[]> {
    const { client_id: clientId, scope, scope_id: scopeId } = this.backtest;
    if (scope === 'SIM') return [scopeId];
    if (scope === 'CLIENT') return pageOfSims(tx, clientId, day, after, limit);
    const rows = await tx.query<{ sim_id: string }>(
      `SELECT sim_id FROM (SELECT sim_id FROM sim WHERE client_id = $1 AND fleet_id = $2 UNION SELECT sim_id FROM sim_fleet WHERE client_id = $1 AND fleet_id = $2) members
        WHERE sim_id > $3 ORDER BY sim_id LIMIT $4`,
      [clientId, scopeId, after, limit],
    );
    return rows.map((row) => row.sim_id);
  }
}
