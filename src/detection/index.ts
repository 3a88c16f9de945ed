/** What the slices to the right, and the composition root, may use of detection. */
import { BaselineResolver } from './baseline-resolver';
import { ConfigureDetectorResolver } from './configure-detector';
import { DetectorConfigurationResolver, DetectorResolver } from './detector-resolver';
import { DetectionRunResolver } from './run-resolver';

export { DayCloser } from './close/day-closer';
export { EvaluationRequests } from './evaluation/requests';
export { EvaluationWorker } from './evaluation/worker';
export { loadPartners, type Partners } from './fence';
export { DetectorRegistry } from './host/registry';
export * from './verdicts';

export const detectionResolvers = [
  DetectorResolver,
  DetectorConfigurationResolver,
  ConfigureDetectorResolver,
  DetectionRunResolver,
  BaselineResolver,
] as const;
