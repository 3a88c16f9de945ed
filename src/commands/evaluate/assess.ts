/** The paper's Table II on a population: what each detector under each scope says of every incident's client and day, and of the control. */
import { FEATURE_COUNT, type Detector } from '../../detector';
import type { Day } from '../../detection/days';
import type { FeatureRows } from '../../detection/features/feature-store';
import { effectiveOptions } from '../../detection/host/host-options';
import type { PopulationOptions } from '../../detection/host/registry';
import { addClusterVector, CLUSTER_WIDTH } from '../../detection/population/cluster-features';
import { fitPopulation, type FittedPopulation } from '../../detection/population/fit';
import { readModel } from '../../detection/population/model-file';
import { populationScopes, type PlannedDetector, type PopulationScope } from '../../detection/population/plan';
import { countCells, scoreRows, type LoadedModel, type ModelOf } from '../../detection/population/scoring';
import { TrainingSample } from '../../detection/population/training-sample';
import { decide, type CellCount, type PairDecision } from '../../detection/significance/decide';
import type { OwnDays } from '../../detection/significance/own-usual';
import { incidentRows, type IncidentRows } from './incident-rows';
import type { PopulationDays, TrueIncident } from './population-days';

/** One incident on one of its days, as one detector under one scope saw it. */
export interface IncidentDay {
  readonly kind: string;
  readonly client: string;
  readonly country: string;
  readonly day: Day;
  /** SIMs of the incident with signaling on the day. */
  readonly devicesHit: number;
  /** Share of them that was flagged, 0 to 1. */
  readonly recall: number;
  readonly zScore: number;
  readonly correctedPValue: number;
  readonly verdict: PairDecision['verdict'];
}

/** What was decided of a client that nothing is wrong with. */
export interface ControlDecision extends Pick<PairDecision, 'country' | 'devices' | 'flagged' | 'zScore' | 'correctedPValue' | 'verdict'> {
  readonly client: string;
  readonly day: Day;
}

export interface Assessment {
  readonly detector: string;
  readonly scope: PopulationScope;
  /** Clients with incidents that were ANOMALOUS in an incident's country on one of its days. */
  readonly found: number;
  /** Clients with an incident that the data shows: one of its SIMs signaled on one of its days. */
  readonly clients: number;
  readonly incidents: readonly IncidentDay[];
  /** What was decided of control clients, by day. */
  readonly controls: readonly ControlDecision[];
  /** How many of them are ANOMALOUS. */
  readonly controlsAnomalous: number;
  /** Decisions ANOMALOUS where there was no incident, of any client, among all such decisions. */
  readonly falseAlarms: number;
  readonly quietPairs: number;
}

export interface AssessProgress {
  (done: number, total: number): void;
}

export async function assess(
  population: PopulationDays,
  detectors: readonly Detector[],
  seed: number,
  progress: AssessProgress = () => undefined,
  options: PopulationOptions = {},
): Promise<Assessment[]> {
  const asked = detectors.flatMap((detector) => populationScopes.map((scope) => ({ detector, scope })));
  const fitted = await fitAll(population, detectors, seed, options);
  const clusters = clustersByDay(population, fitted);
  const results: Assessment[] = [];
  for (const [index, { detector, scope }] of asked.entries()) {
    progress(index, asked.length);
    const failure = fitted.failures.get(detector.meta.id);
    if (failure !== undefined) throw new Error(`${detector.meta.id} could not be fitted: ${failure}`);
    results.push(await assessOne(population, plannedOf(detector, scope, options), modelsOf(fitted, detector), clusters));
  }
  return results;
}

function plannedOf(detector: Detector, scope: PopulationScope, options: PopulationOptions): PlannedDetector {
  const answer = effectiveOptions(detector, options[detector.meta.id]);
  if ('errors' in answer) throw new Error(answer.errors.join('; '));
  return { detector, scope, options: answer.options.detector };
}

/** Models of both scopes, from a sample over all days, as a month's models are. */
function fitAll(
  population: PopulationDays,
  detectors: readonly Detector[],
  seed: number,
  options: PopulationOptions,
): Promise<FittedPopulation> {
  const sample = new TrainingSample(seed);
  for (const day of population.days) population.rows.get(day)!.forEach((rows, client) => sample.add(client, day, rows));
  return fitPopulation({
    sample: sample.finish(),
    plan: detectors.flatMap((detector) => [plannedOf(detector, 'GLOBAL', options), plannedOf(detector, 'PER_CLUSTER', options)]),
    seed,
    fromDay: population.days[0]!,
    toDay: population.days.at(-1)!,
    before: { clusters: null, firstFree: 0 },
  });
}

function modelsOf({ models }: FittedPopulation, { meta }: Detector): ModelOf {
  const own = new Map<string, LoadedModel>();
  for (const { detectorId, scope, cluster, bytes } of models)
    if (detectorId === meta.id) own.set(`${scope} ${cluster}`, readModel(bytes, meta.id));
  return (scope, cluster) => own.get(`${scope} ${cluster}`)!;
}

type ClustersByDay = ReadonlyMap<Day, readonly Int32Array[]>;

/** Each SIM by its other days, so that what goes wrong on a day doesn't change whom it is measured against; by the day itself where there is no other. */
function clustersByDay({ days, rows }: PopulationDays, { clusters }: FittedPopulation): ClustersByDay {
  const sums = new Map<string, { vector: Float64Array; days: number }>();
  const vectorOf = (own: FeatureRows, row: number): Float64Array => {
    const vector = new Float64Array(CLUSTER_WIDTH);
    addClusterVector(own.values, row * FEATURE_COUNT, vector, 0);
    return vector;
  };
  for (const day of days) {
    for (const own of rows.get(day)!) {
      own.simIds.forEach((simId, row) => {
        const sum = sums.get(simId) ?? { vector: new Float64Array(CLUSTER_WIDTH), days: 0 };
        vectorOf(own, row).forEach((value, i) => (sum.vector[i]! += value));
        sum.days += 1;
        sums.set(simId, sum);
      });
    }
  }
  const assigned = days.map((day): [Day, Int32Array[]] => [
    day,
    rows.get(day)!.map((own) => {
      const vectors = new Float64Array(own.simIds.length * CLUSTER_WIDTH);
      own.simIds.forEach((simId, row) => {
        const today = vectorOf(own, row);
        const sum = sums.get(simId)!;
        for (let i = 0; i < CLUSTER_WIDTH; i++)
          vectors[row * CLUSTER_WIDTH + i] = sum.days === 1 ? today[i]! : (sum.vector[i]! - today[i]!) / (sum.days - 1);
      });
      return clusters.assign(vectors);
    }),
  ]);
  return new Map(assigned);
}

async function assessOne(
  population: PopulationDays,
  planned: PlannedDetector,
  modelOf: ModelOf,
  clusters: ClustersByDay,
): Promise<Assessment> {
  const incidents: IncidentDay[] = [];
  const controls: ControlDecision[] = [];
  const found = new Set<string>();
  let falseAlarms = 0;
  let quietPairs = 0;
  const counted = new Map<Day, CountedDay>();
  for (const day of population.days) counted.set(day, await countDay(population, planned, modelOf, day, clusters.get(day)!));
  const otherDays = otherDaysOf(counted);
  for (const [day, { cells, flagged }] of counted) {
    const pairs = decide(cells, otherDays(day));
    const seen = population.incidents.flatMap((incident) =>
      incidentRows(population, incident, day).map((rows) => incidentDay(incident, day, rows, pairs, flagged)),
    );
    incidents.push(...seen);
    for (const { client, verdict } of seen) if (verdict === 'ANOMALOUS') found.add(client);
    for (const pair of pairs) {
      const client = population.clients[pair.clientId]!;
      if (seen.some((incident) => incident.client === client && incident.country === pair.country)) continue;
      if (population.controls.includes(client)) controls.push(controlDecision(client, day, pair));
      if (pair.verdict === 'ABSTAINED') continue;
      quietPairs += 1;
      if (pair.verdict === 'ANOMALOUS') falseAlarms += 1;
    }
  }
  return {
    detector: planned.detector.meta.id,
    scope: planned.scope,
    found: found.size,
    clients: new Set(incidents.map(({ client }) => client)).size,
    incidents,
    controls,
    controlsAnomalous: controls.filter(({ verdict }) => verdict === 'ANOMALOUS').length,
    falseAlarms,
    quietPairs,
  };
}

interface CountedDay {
  readonly cells: readonly CellCount[];
  /** Per client, of its rows. */
  readonly flagged: readonly Uint8Array[];
}

async function countDay(
  population: PopulationDays,
  planned: PlannedDetector,
  modelOf: ModelOf,
  day: Day,
  clusters: readonly Int32Array[],
): Promise<CountedDay> {
  const cells: CellCount[] = [];
  const flagged: Uint8Array[] = [];
  for (const [clientId, rows] of population.rows.get(day)!.entries()) {
    const asked = { clientId, day, rows, clusters: clusters[clientId]!, majorOf: majorIn(rows, clusters[clientId]!) };
    const answer = await scoreRows(planned, asked, modelOf, false);
    flagged.push(answer.flagged);
    for (const cell of countCells(asked, answer)) cells.push({ clientId, ...cell });
  }
  return { cells, flagged };
}

/** A pair's other days are those of the population, earlier or later: as with clusters, the day that is judged alone is left out. */
function otherDaysOf(counted: ReadonlyMap<Day, CountedDay>): (day: Day) => OwnDays {
  const counts = new Map<string, Map<Day, { devices: number; flagged: number }>>();
  for (const [day, { cells }] of counted) {
    for (const { clientId, country, devices, flagged } of cells) {
      const key = `${clientId} ${country}`;
      const days = counts.get(key) ?? new Map<Day, { devices: number; flagged: number }>();
      const count = days.get(day) ?? { devices: 0, flagged: 0 };
      days.set(day, { devices: count.devices + devices, flagged: count.flagged + flagged });
      counts.set(key, days);
    }
  }
  return (day) => (clientId, country) =>
    [...(counts.get(`${clientId} ${country}`) ?? [])].filter(([other]) => other !== day).map(([, count]) => count);
}

/** The cluster of most of a client's devices in a country; the lowest of equals. */
function majorIn({ countries }: FeatureRows, clusters: Int32Array): (country: string) => number {
  const counts = new Map<string, Map<number, number>>();
  countries.forEach((country, row) => {
    const own = counts.get(country) ?? new Map<number, number>();
    counts.set(country, own.set(clusters[row]!, (own.get(clusters[row]!) ?? 0) + 1));
  });
  return (country) => [...counts.get(country)!].sort(([a, most], [b, other]) => other - most || a - b)[0]![0];
}

function incidentDay(
  { kind, client }: TrueIncident,
  day: Day,
  { clientId, country, rows }: IncidentRows,
  pairs: readonly PairDecision[],
  flaggedOfClient: readonly Uint8Array[],
): IncidentDay {
  const flagged = rows.filter((row) => flaggedOfClient[clientId]![row] === 1).length;
  const pair = pairs.find((one) => one.clientId === clientId && one.country === country);
  return {
    kind,
    client,
    country,
    day,
    devicesHit: rows.length,
    recall: flagged / rows.length,
    zScore: pair?.zScore ?? 0,
    correctedPValue: pair?.correctedPValue ?? 1,
    verdict: pair?.verdict ?? 'ABSTAINED',
  };
}

function controlDecision(
  client: string,
  day: Day,
  { country, devices, flagged, zScore, correctedPValue, verdict }: PairDecision,
): ControlDecision {
  return { client, country, day, devices, flagged, zScore, correctedPValue, verdict };
}
