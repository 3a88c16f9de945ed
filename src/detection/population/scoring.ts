/** score: rows of one client through the models of their scope that others' devices made; what is above the model's threshold is flagged and explained. */
import type { Evidence } from '../../detector';
import { seededRandom } from '../../detector/numeric';
import { endOfDay, type Day } from '../days';
import { checkEvidence } from '../host/detection-check';
import { withinBudget } from '../host/time-budget';
import { calibrated } from './calibration';
import { inputOf, type FeatureRows } from './feature-rows';
import { ALL_CLUSTERS } from './fit';
import type { ModelHeader, ModelScope } from './model-file';
import { modelScopeOf, type PlannedDetector } from './plan';
import { checkRanking } from './ranking-check';
import { sideOf } from './sides';

export interface LoadedModel {
  readonly header: ModelHeader;
  /** One, or one for each half of the clients. */
  readonly payloads: readonly Uint8Array[];
}

export interface ScoredRows {
  /** The detector's own scores; NaN where nothing was judged: abstained, or blocked by us. */
  readonly rawScores: Float64Array;
  /** 0 to 1, by the model that judged the row. */
  readonly scores: Float64Array;
  readonly flagged: Uint8Array;
  /** Rows that were judged. */
  readonly judged: Uint8Array;
  /** Of the flagged rows. */
  readonly evidence: ReadonlyMap<number, readonly Evidence[]>;
}

export interface RowsToScore {
  readonly clientId: number;
  readonly day: Day;
  readonly rows: Omit<FeatureRows, 'simIds'>;
  /** The cluster of each row's SIM. */
  readonly clusters: Int32Array;
  /** The cluster that holds most of the client's devices in a country; needed for MAJOR_CLUSTER only. */
  readonly majorOf: (country: string) => number;
}

export type ModelOf = (scope: ModelScope, cluster: number) => LoadedModel;

/** `explains`: whether flagged rows get evidence (a back-test needs none). */
export async function scoreRows(planned: PlannedDetector, asked: RowsToScore, modelOf: ModelOf, explains = true): Promise<ScoredRows> {
  const count = asked.rows.blockedByUs.length;
  const scored = {
    rawScores: new Float64Array(count).fill(NaN),
    scores: new Float64Array(count),
    flagged: new Uint8Array(count),
    judged: new Uint8Array(count),
    evidence: new Map<number, readonly Evidence[]>(),
  };
  for (const [cluster, rows] of rowsByModel(planned, asked)) {
    await scoreWith(planned, asked, modelOf(modelScopeOf(planned.scope), cluster), rows, scored, explains);
  }
  return scored;
}

/** Which rows which model judges; rows of SIMs that we blocked are judged by none: what a block does to signaling is our own doing. */
function rowsByModel({ scope }: PlannedDetector, { rows, clusters, majorOf }: RowsToScore): Map<number, Int32Array> {
  const byModel = new Map<number, number[]>();
  for (let row = 0; row < rows.blockedByUs.length; row++) {
    if (rows.blockedByUs[row] === 1) continue;
    const model = scope === 'GLOBAL' ? ALL_CLUSTERS : scope === 'PER_CLUSTER' ? clusters[row]! : majorOf(rows.countries[row]!);
    const own = byModel.get(model);
    if (own) own.push(row);
    else byModel.set(model, [row]);
  }
  return new Map([...byModel].sort(([a], [b]) => a - b).map(([model, own]) => [model, Int32Array.from(own)]));
}

/** The clusters whose models judge these rows. */
export function modelsNeeded(planned: PlannedDetector, asked: RowsToScore): number[] {
  return [...rowsByModel(planned, asked).keys()];
}

async function scoreWith(
  { detector, options }: PlannedDetector,
  { clientId, day, rows }: RowsToScore,
  { header, payloads }: LoadedModel,
  chosen: Int32Array,
  scored: {
    rawScores: Float64Array;
    scores: Float64Array;
    flagged: Uint8Array;
    judged: Uint8Array;
    evidence: Map<number, readonly Evidence[]>;
  },
  explains: boolean,
): Promise<void> {
  const input = inputOf(detector, rows.values, chosen);
  const side = sideOf(clientId) % payloads.length;
  const payload = payloads[side]!;
  const calibration = header.sides[side]!;
  const context = () => ({ options, model: payload, now: endOfDay(day), random: seededRandom(header.seed) });
  const answer = checkRanking(detector.meta, input.rows, await withinBudget((signal) => detector.detect(input, { ...context(), signal })));
  const flagged: { row: number; kind: string }[] = [];
  chosen.forEach((row, index) => {
    const score = answer.scores[index]!;
    if (Number.isNaN(score)) return;
    scored.judged[row] = 1;
    scored.rawScores[row] = score;
    scored.scores[row] = calibrated(score, calibration);
    if (score <= calibration.threshold) return;
    scored.flagged[row] = 1;
    flagged.push({ row: index, kind: detector.meta.kinds[0]!.id });
  });
  if (!explains || !detector.explain || flagged.length === 0) return;
  const reasons = checkEvidence(
    flagged.length,
    await withinBudget(async (signal) => detector.explain!(input, flagged, { ...context(), signal })),
  );
  flagged.forEach(({ row }, index) => scored.evidence.set(chosen[row]!, reasons[index]!));
}

/** Devices and flagged of one client, per country and cluster. */
export interface Cell {
  readonly country: string;
  readonly cluster: number;
  devices: number;
  flagged: number;
}

/** Counts the judged rows; in the order of country and cluster. */
export function countCells({ rows, clusters }: RowsToScore, { judged, flagged }: ScoredRows): Cell[] {
  const cells = new Map<string, Cell>();
  for (let row = 0; row < judged.length; row++) {
    if (judged[row] === 0) continue;
    const [country, cluster] = [rows.countries[row]!, clusters[row]!];
    const key = `${country} ${cluster}`;
    const cell = cells.get(key) ?? { country, cluster, devices: 0, flagged: 0 };
    cell.devices += 1;
    cell.flagged += flagged[row]!;
    cells.set(key, cell);
  }
  return [...cells.values()].sort((a, b) => (a.country < b.country ? -1 : a.country > b.country ? 1 : a.cluster - b.cluster));
}
