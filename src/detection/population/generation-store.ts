/** Generations: what one fit made, stored as bytes with headers under client 0, and read back only where it fits this version. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import type { Day } from '../days';
import { Clock } from '../../runtime';
import { ClusterModel } from './clusters';
import type { DriftReference } from './drift';
import { ALL_CLUSTERS, type FittedPopulation } from './fit';
import { CATALOGUE_HASH, readModel, whyUnfit, writeModel, type ModelScope } from './model-file';
import { modelScopeOf, type PlannedDetector } from './plan';
import type { LoadedModel, ModelOf } from './scoring';

const OPERATOR = 0;
/** Stored beside the detectors' models, under names that no detector can have. */
const CLUSTERS = ' clusters';
const DRIFT = ' drift';

/** BACKTEST: made for one back-test, which alone uses it, and forgotten with it. */
export type GenerationPurpose = 'DAILY' | 'BACKTEST';

/** What a fit was made for, and of what. */
export interface GenerationOrigin {
  readonly purpose: GenerationPurpose;
  readonly seed: number;
  readonly fromDay: Day;
  readonly toDay: Day;
}

export interface Generation {
  readonly generation: number;
  readonly fromDay: Day;
  readonly toDay: Day;
  readonly seed: number;
}

export interface LoadedGeneration extends Generation {
  readonly clusters: ClusterModel;
  readonly drift: DriftReference;
  readonly modelOf: (detectorId: string) => ModelOf;
}

interface GenerationRow {
  generation: number;
  from_day: Day;
  to_day: Day;
  seed: string;
}

@singleton()
export class GenerationStore {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** The newest of the daily runs; null: there is none. */
  async newest(): Promise<Generation | null> {
    return (await this.daily())[0] ?? null;
  }

  /**
   * The whole generations of the daily runs that were fitted on this version's features, the newest first: trained through the latest day, of these
   * fitted last. One that was fitted on older days, whenever that was, is older.
   */
  async daily(): Promise<Generation[]> {
    const rows = await this.read((tx) =>
      tx.query<GenerationRow>(
        `SELECT generation, from_day, to_day, seed FROM population_generation
          WHERE client_id = $1 AND state = 'READY' AND catalogue_hash = $2 AND purpose = 'DAILY' ORDER BY to_day DESC, generation DESC`,
        [OPERATOR, CATALOGUE_HASH],
      ),
    );
    return rows.map(generationOf);
  }

  /** One by its number; null where there is none that fits this version's features. */
  async find(generation: number): Promise<Generation | null> {
    const [row] = await this.read((tx) =>
      tx.query<GenerationRow>(
        `SELECT generation, from_day, to_day, seed FROM population_generation
          WHERE client_id = $1 AND state = 'READY' AND catalogue_hash = $2 AND generation = $3`,
        [OPERATOR, CATALOGUE_HASH, generation],
      ),
    );
    return row ? generationOf(row) : null;
  }

  /** The lowest cluster number that no generation has used. */
  async firstFreeCluster(): Promise<number> {
    const [row] = await this.read((tx) =>
      tx.query<{ highest: number | null }>('SELECT max(cluster) AS highest FROM population_cluster WHERE client_id = $1', [OPERATOR]),
    );
    return (row?.highest ?? -1) + 1;
  }

  /** Stores all of it in one transaction, with what `also` does; answers its number. */
  save(
    fitted: FittedPopulation,
    of: GenerationOrigin,
    also: (tx: Transaction, generation: number) => Promise<void> = () => Promise.resolve(),
  ): Promise<number> {
    const now = this.clock.now();
    return this.database.transaction({ name: 'population.saveGeneration', role: 'ingest', clientId: OPERATOR }, async (tx) => {
      const generation = await nextNumber(tx);
      await tx.query(
        `INSERT INTO population_generation (client_id, generation, state, from_day, to_day, seed, catalogue_hash, trained_rows, fitted_at, purpose)
         VALUES ($1, $2, 'READY', $3, $4, $5, $6, $7, $8, $9)`,
        [OPERATOR, generation, of.fromDay, of.toDay, of.seed, CATALOGUE_HASH, fitted.trainedRows, now, of.purpose],
      );
      await this.saveModels(tx, generation, fitted, of);
      // nobody is shown the clusters of a back-test
      for (const { number, weight, description, means, continues } of of.purpose === 'DAILY' ? fitted.shown : []) {
        await tx.query(
          `INSERT INTO population_cluster (client_id, generation, cluster, description, weight, means, continues, to_day)
           VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8)`,
          [OPERATOR, generation, number, description, weight, JSON.stringify(means), continues, of.toDay],
        );
      }
      await also(tx, generation);
      return generation;
    });
  }

  private async saveModels(
    tx: Transaction,
    generation: number,
    fitted: FittedPopulation,
    { seed, fromDay, toDay }: GenerationOrigin,
  ): Promise<void> {
    const own = (detector: string, payload: Uint8Array) =>
      writeModel(
        {
          detector,
          version: '1',
          columns: [],
          options: {},
          seed,
          fromDay,
          toDay,
          scope: 'GLOBAL',
          cluster: ALL_CLUSTERS,
        },
        [{ trainedRows: fitted.trainedRows, threshold: 0, calibration: [], payload }],
      );
    const all = [
      ...fitted.models,
      { detectorId: CLUSTERS, scope: 'GLOBAL', cluster: ALL_CLUSTERS, bytes: own(CLUSTERS, fitted.clusters.toBytes()) },
      { detectorId: DRIFT, scope: 'GLOBAL', cluster: ALL_CLUSTERS, bytes: own(DRIFT, Buffer.from(JSON.stringify(fitted.drift))) },
    ];
    for (const { detectorId, scope, cluster, bytes } of all) {
      await tx.query(
        'INSERT INTO population_model (client_id, generation, detector_id, scope, cluster, model) VALUES ($1, $2, $3, $4, $5, $6)',
        [OPERATOR, generation, detectorId, scope, cluster, Buffer.from(bytes)],
      );
    }
  }

  /** Throws MODEL_REFUSED where the clusters don't fit; detectors whose models are missing or don't fit throw when they are asked for. */
  async load({ generation, ...rest }: Generation): Promise<LoadedGeneration> {
    const rows = await this.read((tx) =>
      tx.query<{ detector_id: string; scope: ModelScope; cluster: number; model: Buffer }>(
        'SELECT detector_id, scope, cluster, model FROM population_model WHERE client_id = $1 AND generation = $2',
        [OPERATOR, generation],
      ),
    );
    const bytes = new Map(rows.map((row) => [modelKey(row.detector_id, row.scope, row.cluster), row.model]));
    const loaded = new Map<string, LoadedModel>();
    const get = (detectorId: string, scope: ModelScope, cluster: number): LoadedModel => {
      const key = modelKey(detectorId, scope, cluster);
      const known = loaded.get(key) ?? readModel(bytes.get(key) ?? new Uint8Array(0), detectorId.trim());
      loaded.set(key, known);
      return known;
    };
    return {
      generation,
      ...rest,
      clusters: ClusterModel.fromBytes(get(CLUSTERS, 'GLOBAL', ALL_CLUSTERS).payloads[0]!),
      drift: JSON.parse(Buffer.from(get(DRIFT, 'GLOBAL', ALL_CLUSTERS).payloads[0]!).toString('utf8')) as DriftReference,
      modelOf: (detectorId) => (scope, cluster) => get(detectorId, scope, cluster),
    };
  }

  /** Why the generation can't serve a plan: a model is missing, or was fitted by or for something else. Undefined where it can. */
  whyNot({ clusters, modelOf }: LoadedGeneration, { detector, scope, options }: PlannedDetector): string | undefined {
    const needed = modelScopeOf(scope) === 'GLOBAL' ? [ALL_CLUSTERS] : clusters.numbers;
    for (const cluster of needed) {
      try {
        const unfit = whyUnfit(modelOf(detector.meta.id)(modelScopeOf(scope), cluster).header, detector, options);
        if (unfit !== undefined) return unfit;
      } catch (error) {
        return (error as Error).message;
      }
    }
    return undefined;
  }

  private read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction({ name: 'population.readModels', role: 'ingest', clientId: OPERATOR, readOnly: true }, work);
  }
}

/** Never one that was given before: runs and descriptions of clusters outlive the models that they name. */
async function nextNumber(tx: Transaction): Promise<number> {
  let last = 0;
  for (const table of ['population_generation', 'population_cluster', 'population_run']) {
    const [row] = await tx.query<{ generation: number | null }>(`SELECT max(generation) AS generation FROM ${table} WHERE client_id = $1`, [
      OPERATOR,
    ]);
    last = Math.max(last, row?.generation ?? 0);
  }
  return last + 1;
}

function generationOf(row: GenerationRow): Generation {
  return { generation: row.generation, fromDay: row.from_day, toDay: row.to_day, seed: Number(row.seed) };
}

function modelKey(detectorId: string, scope: ModelScope, cluster: number): string {
  return `${detectorId} ${scope} ${cluster}`;
}
