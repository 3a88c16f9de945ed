/** What the slices to the right, and the composition root, may use of detection. */
import { BaselineResolver } from './baseline-resolver';
import { ConfigureDetectorResolver } from './configure-detector';
import { DetectorConfigurationResolver, DetectorResolver } from './detector-resolver';
import { FeatureResolver } from './features/feature-resolver';
import { DetectionRunResolver } from './run-resolver';

export { DayCloser } from './close/day-closer';
export { EvaluationRequests } from './evaluation/requests';
export { EvaluationWorker } from './evaluation/worker';
export { FeatureWorker } from './features/feature-worker';
export { DetectorRegistry } from './host/registry';
export * from './verdicts';

export const detectionResolvers = [
  DetectorResolver,
  DetectorConfigurationResolver,
  ConfigureDetectorResolver,
  DetectionRunResolver,
  BaselineResolver,
  FeatureResolver,
] as const;
