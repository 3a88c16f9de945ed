/** One page of an evaluation: reads what the detectors need in one transaction, ends it, and runs them. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import type { ColumnName, Detector, InputKind } from '../../detector';
import { endOfDay, type Day } from '../days';
import { readConfiguration, type DetectorConfiguration } from '../host/configuration';
import { DetectorRegistry } from '../host/registry';
import type { DetectorOutcome } from '../host/run';
import { readLaterActivity } from '../host/windows';
import { openScope, type Observation, type ObservationScope } from '../observe';
import { FiringHistory } from '../verdicts';
import { readHealth, type DetectorHealth } from './health';
import { observers, prepareRuns, runPrepared, wholeClient, type Prepared } from './material';

/** SIMs whose events are held at once; a page of usage rows may be larger, since a SIM is one row there. */
export const EVENT_PAGE_SIMS = 1_000;

export interface PageOutcome {
  readonly outcomes: readonly DetectorOutcome[];
  /** End of the client's last closed and evaluated day. */
  readonly closedThrough: Date | null;
}

@singleton()
export class Evaluator {
  constructor(
    private readonly database: Database,
    private readonly registry: DetectorRegistry,
    private readonly history: FiringHistory,
  ) {}

  /** Detectors see the SIMs in the order of their ids, whatever the order given. */
  async evaluate(clientId: number, day: Day, simIds: readonly string[]): Promise<PageOutcome> {
    const outcomes: DetectorOutcome[] = [];
    let closedThrough: Date | null = null;
    for (const [input, pageSims] of [
      ['usage', simIds.length],
      ['events', EVENT_PAGE_SIMS],
    ] as const) {
      if (!this.registry.all().some((detector) => detector.meta.input === input)) continue;
      for (let from = 0; from < simIds.length; from += pageSims) {
        const page = await this.evaluateInput(clientId, day, simIds.slice(from, from + pageSims), input);
        closedThrough = page.closedThrough;
        outcomes.push(...page.outcomes);
      }
    }
    return { outcomes, closedThrough };
  }

  /** One page of SIMs, judged by the detectors of one input. */
  async evaluateInput(clientId: number, day: Day, simIds: readonly string[], input: keyof typeof observers): Promise<PageOutcome> {
    const page = await this.reading(clientId, async (tx) => {
      const scope = await openScope(tx, clientId, day, simIds);
      return this.prepare(tx, scope, simIds, input, (needs) => observers[input](tx, scope, needs));
    });
    return { outcomes: await runPrepared(page.prepared), closedThrough: page.closedThrough };
  }

  /** Rows that are not SIMs, and were read before: the services of countries. */
  async evaluateServices(clientId: number, day: Day, observation: Observation): Promise<PageOutcome> {
    const page = await this.reading(clientId, async (tx) => {
      const scope = { ...(await openScope(tx, clientId, day, [])), sims: [wholeClient] };
      return this.prepare(tx, scope, [], 'services', () => Promise.resolve(observation));
    });
    return { outcomes: await runPrepared(page.prepared), closedThrough: page.closedThrough };
  }

  private reading<T>(clientId: number, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction({ name: 'evaluation.observe', role: 'ingest', clientId, readOnly: true }, work);
  }

  private async prepare(
    tx: Transaction,
    scope: ObservationScope,
    simIds: readonly string[],
    input: InputKind,
    observe: (needs: ReadonlySet<ColumnName>) => Promise<Observation>,
  ): Promise<{ prepared: Prepared[]; closedThrough: Date | null }> {
    const { clientId } = scope;
    const closedThrough = scope.calendar.lastEvaluated === null ? null : new Date(endOfDay(scope.calendar.lastEvaluated));
    const configuration = await readConfiguration(tx, clientId, simIds);
    const health = await readHealth(tx, clientId);
    const detectors = this.runnable(input, configuration, health, scope);
    const prepared = await prepareRuns(tx, this.history, {
      scope,
      detectors,
      observe,
      later: () => readLaterActivity(tx, scope),
      groups: (detector, { simOfRow }) => configuration.groups(detector, scope.sims, simOfRow, this.registry.defaultMode(detector.meta.id)),
    });
    return { prepared, closedThrough };
  }

  private runnable(
    input: InputKind,
    configuration: DetectorConfiguration,
    health: ReadonlyMap<string, DetectorHealth>,
    scope: ObservationScope,
  ): Detector[] {
    return this.registry
      .all()
      .filter(
        ({ meta }) =>
          meta.input === input &&
          meta.decides === 'itself' &&
          meta.scope === 'client' &&
          !health.get(meta.id)?.isOff(meta.version, configuration.lastConfigured(meta.id)) &&
          scope.sims.some((sim) => configuration.rowFor(meta.id, sim)?.mode !== 'DISABLED'),
      );
  }
}
