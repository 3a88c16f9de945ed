/** Fits a new generation on stored features: reads its days client by client, keeps only a bounded sample of them, and stores what was fitted. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { SimwardenError } from '../../errors';
import { daysFrom, type Day } from '../days';
import { featureClients, readFeatureRows } from '../features/feature-store';
import { readHealth } from '../evaluation/health';
import { OPERATOR, readConfiguration } from '../host/configuration';
import { DetectorRegistry } from '../host/registry';
import { BUCKET_SIMS } from './bucket';
import type { ClusterModel } from './clusters';
import { FitThread } from './fit-thread';
import { GenerationStore, type GenerationPurpose } from './generation-store';
import { planDetectors, type PlannedDetector } from './plan';
import { TrainingSample } from './training-sample';

/** Days read of the days, then models fitted of the models; what it throws ends the fit. */
export interface FitProgress {
  (step: 'read' | 'fit', done: number, total: number): Promise<void>;
}

export interface FitOrder {
  readonly purpose: GenerationPurpose;
  readonly plan: readonly PlannedDetector[];
  readonly fromDay: Day;
  readonly toDay: Day;
  readonly seed: number;
  readonly progress?: FitProgress;
  readonly alsoStore?: (tx: Transaction, outcome: FitOutcome) => Promise<void>;
}

export interface FitOutcome {
  readonly generation: number;
  readonly trainedRows: number;
  readonly clusters: readonly string[];
  readonly failures: ReadonlyMap<string, string>;
}

@singleton()
export class PopulationFit {
  constructor(
    private readonly database: Database,
    private readonly registry: DetectorRegistry,
    private readonly store: GenerationStore,
    private readonly thread: FitThread,
  ) {}

  /** The population detectors as the operator has them now. */
  plan(): Promise<PlannedDetector[]> {
    return this.database.transaction({ name: 'population.plan', role: 'ingest', clientId: OPERATOR, readOnly: true }, async (tx) => {
      const configuration = await readConfiguration(tx, OPERATOR, []);
      const health = await readHealth(tx, OPERATOR);
      const isOff = ({ meta }: { meta: { id: string; version: string } }) =>
        health.get(meta.id)?.isOff(meta.version, configuration.lastConfigured(meta.id)) ?? false;
      return planDetectors(this.registry, configuration, isOff);
    });
  }

  /** Throws NOTHING_TO_FIT where the days have no features. `alsoStore` runs in the transaction that stores the generation. */
  async run({ purpose, plan, fromDay, toDay, seed, progress = () => Promise.resolve(), alsoStore }: FitOrder): Promise<FitOutcome> {
    const sample = await this.sample(fromDay, toDay, seed, progress);
    if (sample.sims === 0) throw new SimwardenError('NOTHING_TO_FIT', { from: fromDay, to: toDay }, ['from']);
    const before = { clusters: await this.newestClusters(), firstFree: await this.store.firstFreeCluster() };
    const betweenModels = (done: number, total: number) => progress('fit', done, total);
    const fitted = await this.thread.fit({ sample, plan, seed, fromDay, toDay, before, betweenModels });
    const outcome: Omit<FitOutcome, 'generation'> = {
      trainedRows: fitted.trainedRows,
      clusters: fitted.shown.map(({ number, description, weight }) => `${number}: ${description} (${(100 * weight).toFixed(1)} %)`),
      failures: fitted.failures,
    };
    const generation = await this.store.save(fitted, { purpose, seed, fromDay, toDay }, async (tx, number) =>
      alsoStore?.(tx, { generation: number, ...outcome }),
    );
    return { generation, ...outcome };
  }

  /** null where there are none that this version can read: numbers then begin where none was used before. */
  private async newestClusters(): Promise<ClusterModel | null> {
    const newest = await this.store.newest();
    if (newest === null) return null;
    try {
      return (await this.store.load(newest)).clusters;
    } catch (error) {
      if (error instanceof SimwardenError) return null;
      throw error;
    }
  }

  private async sample(fromDay: Day, toDay: Day, seed: number, progress: FitProgress): Promise<ReturnType<TrainingSample['finish']>> {
    const sample = new TrainingSample(seed);
    const days = daysFrom(fromDay, toDay);
    for (const [index, day] of days.entries()) {
      await progress('read', index, days.length);
      const clients = await this.database.transaction({ name: 'population.clients', role: 'ingest', readOnly: true }, (tx) =>
        featureClients(tx, day),
      );
      for (const clientId of clients) {
        for (let after: string | undefined = '0'; after !== undefined;) {
          const from: string = after;
          const read = { name: 'population.read', role: 'ingest', clientId, readOnly: true } as const;
          const rows = await this.database.transaction(read, (tx) =>
            readFeatureRows(tx, { clientId, day, after: from, limit: BUCKET_SIMS }),
          );
          sample.add(clientId, day, rows);
          after = rows.simIds.length < BUCKET_SIMS ? undefined : String(rows.simIds.at(-1)!);
        }
      }
    }
    return sample.finish();
  }
}
