/** What the process and the thread that scores say to each other. The thread loads this file: no decorators here, which want more than a bare thread has. */
import type { DriftReference } from './drift';
import type { ModelScope } from './model-file';
import type { StoredPlan } from './plan';
import type { DetectorScores } from './score-bucket';
import type { LoadedModel, RowsToScore } from './scoring';

/** What the thread starts with. */
export interface ScoreWork {
  /** The module that exports `populationDetectors`. */
  readonly code: string;
}

/** A model that the thread has not been given before, or why there is none. */
export interface SentModel {
  readonly key: string;
  readonly model: LoadedModel | { readonly name: string; readonly message: string };
}

export interface ScoreJob {
  readonly id: number;
  readonly generation: number;
  readonly plan: readonly StoredPlan[];
  readonly asked: Omit<RowsToScore, 'majorOf'>;
  /** By country. */
  readonly majors: ReadonlyMap<string, number>;
  readonly drift: DriftReference;
  readonly explains: boolean;
  readonly models: readonly SentModel[];
}

export interface BucketScores {
  /** In the order of the plan. */
  readonly detectors: readonly DetectorScores[];
  readonly drift: readonly number[];
}

export interface ScoreReply {
  readonly id: number;
  readonly answer?: BucketScores;
  readonly error?: string;
}

export function modelKey(generation: number, detectorId: string, scope: ModelScope, cluster: number): string {
  return `${generation} ${detectorId} ${scope} ${cluster}`;
}
