/** What can be ingested. By itself, so that the command line names the kinds without loading what stores them. */
import type { KindName } from './record-kind';

/** What POST /ingest/{kind} takes. */
export type IngestKind = KindName | 'sims' | 'dialogues';
export const INGEST_KINDS: readonly IngestKind[] = ['sims', 'usage', 'dialogues', 'connection-events', 'device-events'];
