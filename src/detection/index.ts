/** What the slices to the right, and the composition root, may use of detection. */
import { BacktestActions } from './backtest/backtest-actions';
import { BacktestFindingResolver, BacktestResolver } from './backtest/backtest-resolver';
import { BaselineResolver } from './baseline-resolver';
import { ConfigureDetectorResolver } from './configure-detector';
import { DetectorConfigurationResolver, DetectorResolver } from './detector-resolver';
import { ClientAnomalyResolver } from './population/client-anomaly-resolver';
import { ClusterResolver } from './population/cluster-resolver';
import { DeviceAnomalyResolver } from './population/device-anomaly-resolver';
import { DetectorFeedbackResolver, FeedbackActions } from './population/feedback-resolver';
import { PopulationRunResolver } from './population/population-run-resolver';
import { RunActions } from './population/run-actions';
import { FeatureResolver } from './features/feature-resolver';
import { DetectionRunResolver } from './run-resolver';

export { BacktestWorker } from './backtest/worker';
export { DayCloser } from './close/day-closer';
export { EvaluationRequests } from './evaluation/requests';
export { EvaluationWorker } from './evaluation/worker';
export { FeatureWorker } from './features/feature-worker';
export { loadPartners, type Partners } from './fence';
export { DetectorRegistry } from './host/registry';
export { FeatureJudge } from './features/feature-judge';
export { ServiceWatch } from './services/service-watch';
export { PopulationScheduler } from './population/scheduler';
export * from './verdicts';

export const detectionResolvers = [
  DetectorResolver,
  DetectorConfigurationResolver,
  ConfigureDetectorResolver,
  DetectionRunResolver,
  BacktestResolver,
  BacktestFindingResolver,
  BacktestActions,
  BaselineResolver,
  PopulationRunResolver,
  RunActions,
  ClientAnomalyResolver,
  DeviceAnomalyResolver,
  FeedbackActions,
  DetectorFeedbackResolver,
  ClusterResolver,
  FeatureResolver,
] as const;
