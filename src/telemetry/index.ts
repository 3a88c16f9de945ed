/** What app.ts and the slices to the right may use of telemetry. */
import { ConnectionEventResolver } from './connection-events';
import { DeviceEventResolver } from './device-events';
import { DialogueResolver } from './dialogues/dialogue-resolver';
import { IngestResolver } from './ingest-resolver';
import { QuarantineResolver } from './quarantine-resolver';
import { UsageRecordResolver } from './usage-records';
import { SourceWatermarkResolver } from './watermark-resolver';

export * from './dialogue-codes';
export { ChunkStore } from './chunk-store';
export { DialogueDayCloser } from './dialogues/day-closer';
export { QuarterMerger } from './dialogues/quarter-merger';
export { enqueueEvaluation, SIMS_PER_QUEUE_ROW, type EvaluationReason } from './evaluation-queue';
export { ingestRouter } from './http';
export { Ingest, type IngestAnswer, type IngestRequest } from './ingest';
export { QuarantineRequeuer } from './quarantine-requeuer';
export { TelemetryRetention } from './retention';
export { SimImport } from './sim-import';

export const telemetryResolvers = [
  IngestResolver,
  UsageRecordResolver,
  DialogueResolver,
  ConnectionEventResolver,
  DeviceEventResolver,
  QuarantineResolver,
  SourceWatermarkResolver,
] as const;
