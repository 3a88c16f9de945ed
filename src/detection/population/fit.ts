/** fit: from a sample of SIM-days to clusters, one model per detector and scope, and what drift is measured against. Pure: same sample, same bytes. */
import type { ColumnName, DetectorInput } from '../../detector';
import { seededRandom } from '../../detector/numeric';
import { startOfDay, type Day } from '../days';
import { withinBudget } from '../host/time-budget';
import { calibrate, type Calibration } from './calibration';
import { clusterMeans, describeCluster, type ClusterMeans } from './cluster-description';
import { keepNumbers } from './cluster-matching';
import { fitClusters, type ClusterModel } from './clusters';
import { driftReference, type DriftReference } from './drift';
import { inputOf } from './feature-rows';
import { seedFor } from './hash';
import { writeModel, type ModelScope } from './model-file';
import { modelScopeOf, type PlannedDetector } from './plan';
import { checkRanking } from './ranking-check';
import { LEAST_ROWS_OF_OTHERS, SIDES } from './sides';
import type { Sample } from './training-sample';

/** More rows make models slower to fit and hardly better. */
const MOST_ROWS_OF_A_MODEL = 20_000;
export const ALL_CLUSTERS = -1;

export interface FitRequest {
  readonly sample: Sample;
  readonly plan: readonly PlannedDetector[];
  readonly seed: number;
  readonly fromDay: Day;
  readonly toDay: Day;
  /** The clusters whose numbers are to last (null: there are none), and the lowest number never used. */
  readonly before: { readonly clusters: ClusterModel | null; readonly firstFree: number };
  /** Called before each model and after the last, with the number of models that are done; what it throws ends the fit. */
  readonly betweenModels?: (done: number, total: number) => Promise<void>;
}

export interface FittedModel {
  readonly detectorId: string;
  readonly scope: ModelScope;
  /** −1: of all. */
  readonly cluster: number;
  readonly bytes: Uint8Array;
}

export interface FittedCluster {
  readonly number: number;
  readonly weight: number;
  readonly description: string;
  readonly means: ClusterMeans;
  /** It was there in the generation before. */
  readonly continues: boolean;
}

export interface FittedPopulation {
  readonly clusters: ClusterModel;
  readonly shown: readonly FittedCluster[];
  readonly models: readonly FittedModel[];
  readonly drift: DriftReference;
  readonly trainedRows: number;
  /** Detectors that could not be fitted, and why: the others are. */
  readonly failures: ReadonlyMap<string, string>;
}

export async function fitPopulation(request: FitRequest): Promise<FittedPopulation> {
  const { sample, seed, before } = request;
  const { clusters, continuing } = keepNumbers(fitClusters(sample.vectors, seed), before.clusters, before.firstFree);
  const rowsOf = rowsByCluster(sample, clusters);
  return {
    clusters,
    shown: clusters.numbers
      .map((number, component) => {
        const means = clusterMeans(sample.values, rowsOf.get(number)!.subarray(0, MOST_ROWS_OF_A_MODEL));
        const weight = clusters.weights[component]!;
        return { number, weight, description: describeCluster(means), means, continues: continuing.has(number) };
      })
      .sort((a, b) => a.number - b.number),
    drift: driftReference(sample.values),
    trainedRows: sample.simOfRow.length,
    ...(await fitModels(request, clusters)),
  };
}

/** The plan's models, given the clusters. */
export async function fitModels(request: FitRequest, clusters: ClusterModel): Promise<Pick<FittedPopulation, 'models' | 'failures'>> {
  const { sample, plan } = request;
  const rowsOf = rowsByCluster(sample, clusters);
  const models: FittedModel[] = [];
  const failures = new Map<string, string>();
  const partsOf = ({ scope }: PlannedDetector) =>
    modelScopeOf(scope) === 'GLOBAL' ? [ALL_CLUSTERS] : [...clusters.numbers].sort((a, b) => a - b);
  const total = plan.reduce((sum, planned) => sum + partsOf(planned).length, 0);
  let done = 0;
  for (const planned of plan) {
    const scope = modelScopeOf(planned.scope);
    const doneBefore = done;
    for (const cluster of partsOf(planned)) {
      await request.betweenModels?.(done++, total);
      try {
        models.push(await fitModel(request, planned, scope, cluster, rowsOf.get(cluster)!));
      } catch (error) {
        failures.set(planned.detector.meta.id, error instanceof Error ? error.message.slice(0, 1000) : String(error));
        break;
      }
    }
    // one that can't be fitted is done with
    done = doneBefore + partsOf(planned).length;
  }
  if (total > 0) await request.betweenModels?.(total, total);
  return { models: models.filter(({ detectorId }) => !failures.has(detectorId)), failures };
}

/** Rows by the cluster of their SIM, and all of them under −1, in canonical order. */
function rowsByCluster({ simOfRow, vectors }: Sample, clusters: ClusterModel): Map<number, Int32Array> {
  const clusterOfSim = clusters.assign(vectors);
  const rows = new Map<number, number[]>([ALL_CLUSTERS, ...clusters.numbers].map((number) => [number, []]));
  simOfRow.forEach((sim, row) => {
    rows.get(clusterOfSim[sim]!)!.push(row);
    rows.get(ALL_CLUSTERS)!.push(row);
  });
  return new Map([...rows].map(([number, own]) => [number, Int32Array.from(own)]));
}

/** What the devices of one half of the clients are judged by: rows of the other half, where these are enough. */
function rowsFor(side: number, rows: Int32Array, { simOfRow, sideOfSim }: Sample): Int32Array {
  const others = rows.filter((row) => sideOfSim[simOfRow[row]!] !== side);
  return (others.length < LEAST_ROWS_OF_OTHERS ? rows : others).subarray(0, MOST_ROWS_OF_A_MODEL);
}

async function fitModel(
  request: FitRequest,
  planned: PlannedDetector,
  scope: ModelScope,
  cluster: number,
  rows: Int32Array,
): Promise<FittedModel> {
  const { sample, fromDay, toDay } = request;
  const { meta } = planned.detector;
  const seed = seedFor(request.seed, `${meta.id} ${meta.version} ${scope} ${cluster}`);
  const sides = [];
  for (let side = 0; side < SIDES; side++) sides.push(await fitSide(planned, seed, toDay, sample.values, rowsFor(side, rows, sample)));
  const { options } = planned;
  const header = { detector: meta.id, version: meta.version, columns: meta.needs, options, seed, fromDay, toDay, scope, cluster };
  return { detectorId: meta.id, scope, cluster, bytes: writeModel(header, sides) };
}

async function fitSide(
  { detector, options }: PlannedDetector,
  seed: number,
  toDay: Day,
  values: Float32Array,
  rows: Int32Array,
): Promise<Calibration & { readonly payload: Uint8Array }> {
  const input: DetectorInput<ColumnName> = inputOf(detector, values, rows);
  const context = { options, now: startOfDay(toDay) };
  const payload = detector.fit
    ? await withinBudget((signal) => detector.fit!(input, { ...context, random: seededRandom(seed), signal }))
    : new Uint8Array(0);
  if (!(payload instanceof Uint8Array)) throw new Error('expected fit to answer a Uint8Array');
  const answer = await withinBudget((signal) => detector.detect(input, { ...context, model: payload, random: seededRandom(seed), signal }));
  return { ...calibrate(checkRanking(detector.meta, input.rows, answer).scores), payload };
}
