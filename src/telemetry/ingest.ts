/** The one way in for telemetry and inventories: from HTTP, the command line and GraphQL, in chunks, each stored while the next is read. */
import { createHash } from 'node:crypto';
import { singleton } from 'tsyringe';
import { Config } from '../config';
import { SimwardenError } from '../errors';
import type { Caller } from '../graphql/caller';
import { Clock } from '../runtime';
import { batchOf, BatchNames, type Batch } from './batch';
import { readBody } from './body';
import { Chunk, ChunkBuilder, type LedgerChunk } from './chunk';
import { ChunkStore } from './chunk-store';
import { DialogueIngest } from './dialogues/dialogue-ingest';
import { dialogueKind } from './dialogues/dialogue-kind';
import type { IngestKind } from './ingest-kind';
import { addCounts, NO_COUNTS, type Counts } from './ledger';
import { readObject, rowReader, type Format, type Row, type RowKind } from './parsing/rows';
import { recordKinds, type KindName, type TelemetryRecord } from './record-kind';
import { SimImport, simKind } from './sim-import';

export interface IngestRequest {
  readonly caller: Caller;
  readonly kind: IngestKind;
  /** Names the source; default: the caller's credential. */
  readonly source?: string | null;
  /** Names the batch: sent again under it, the body is answered, not stored. Default: its content. */
  readonly batchKey?: string | null;
  readonly format: Format;
  readonly gzip: boolean;
  readonly body: AsyncIterable<Buffer>;
  /** Dialogues only: each record is compared with all that came in strict batches; other kinds always are. */
  readonly strict?: boolean;
  /** Called after each stored chunk. */
  readonly onProgress?: (progress: IngestProgress) => void;
}

export interface IngestProgress extends Counts {
  /** Bytes of the body taken so far, as they came (compressed or not). */
  readonly bytes: number;
}

export interface IngestAnswer extends Counts {
  readonly batchId: string;
  /** Why the body wasn't taken to its end (TRUNCATED, BATCH_CONFLICT, …); the counts say what is stored. */
  readonly stoppedBy?: unknown;
}

export const MOST_RECORDS = 1000;
const DEFAULT_CHUNK_ROWS = 10_000;

interface Store<Content> {
  readonly kind: RowKind<Content>;
  readonly store: (batch: Batch, name: string, chunk: Chunk<Content>) => Promise<Counts>;
}

/** What `run` carries from a body to storage. */
interface Flow<StoredChunk extends LedgerChunk> {
  readonly chunks: (read: { bytes: number }) => AsyncGenerator<StoredChunk>;
  /** May get ready at once, but changes nothing of what is kept before `previous`, the chunk before it, is stored. */
  readonly store: (batch: Batch, name: string, chunk: StoredChunk, previous: Promise<void>) => Promise<Counts>;
}

@singleton()
export class Ingest {
  private readonly chunkRows: number;

  constructor(
    private readonly chunks: ChunkStore,
    private readonly dialogues: DialogueIngest,
    private readonly sims: SimImport,
    private readonly clock: Clock,
    config: Config,
  ) {
    this.chunkRows = config.chunkRows || DEFAULT_CHUNK_ROWS;
  }

  /** Answers after the last chunk is committed. Throws HEADER_INVALID, having stored nothing; what stops it later is in the answer. */
  ingestStream(request: IngestRequest): Promise<IngestAnswer> {
    switch (request.kind) {
      case 'dialogues':
        return this.run(request, {
          chunks: (read) => this.dialogues.readChunks(request.format, readBody(counted(request.body, read), request.gzip)),
          store: (batch, name, chunk, previous) => this.dialogues.store(batch, name, chunk, request.strict ?? false, previous),
        });
      case 'sims':
        return this.runRows(request, { kind: simKind, store: (batch, name, chunk) => this.sims.store(batch, name, chunk) });
      default:
        return this.runRows(request, this.recordStore(request.kind));
    }
  }

  /** At most 1,000 records in the columns' names; values as JSON has them, or Date. */
  async ingestRecords(
    request: Pick<IngestRequest, 'caller' | 'source' | 'batchKey' | 'strict'> & {
      readonly kind: Exclude<IngestKind, 'sims'>;
      readonly records: readonly Readonly<Record<string, unknown>>[];
    },
  ): Promise<IngestAnswer> {
    const { records } = request;
    if (records.length > MOST_RECORDS) throw new SimwardenError('TOO_MANY_ITEMS', { given: records.length, most: MOST_RECORDS });
    const batch = batchOf(request.caller, request.kind, request.source ?? null, request.batchKey ?? null);
    const names = new BatchNames(batch.givenKey);
    if (request.kind === 'dialogues') {
      const chunk = this.dialogues.chunkOf(rowsOf(dialogueKind, records, this.clock.now().getTime()));
      const name = names.of(chunk);
      return { batchId: name, ...(await this.dialogues.store(batch, name, chunk, request.strict ?? false, Promise.resolve())) };
    }
    const { kind, store } = this.recordStore(request.kind);
    const chunk = new Chunk(0, rowsOf(kind, records, this.clock.now().getTime()), 'records');
    const name = names.of(chunk);
    return { batchId: name, ...(await store(batch, name, chunk)) };
  }

  private recordStore(name: KindName): Store<TelemetryRecord> {
    const kind = recordKinds[name];
    return { kind, store: (batch, batchName, chunk) => this.chunks.store(batch, kind, batchName, chunk) };
  }

  private runRows<Content extends object>(request: IngestRequest, { kind, store }: Store<Content>): Promise<IngestAnswer> {
    return this.run(request, {
      chunks: (read) => this.readChunks(request, kind, read),
      store: (batch, name, chunk, previous) => previous.then(() => store(batch, name, chunk)),
    });
  }

  /** Reads chunk n + 1 while chunk n is stored; never holds more than these two. */
  private async run<StoredChunk extends LedgerChunk>(request: IngestRequest, { chunks, store }: Flow<StoredChunk>): Promise<IngestAnswer> {
    const batch = batchOf(request.caller, request.kind, request.source ?? null, request.batchKey ?? null);
    const names = new BatchNames(batch.givenKey);
    const read = { bytes: 0 };
    let batchId = batch.givenKey ?? '';
    let counts = NO_COUNTS;
    let storing: Promise<void> = Promise.resolve();
    const storeNext = async (chunk: StoredChunk, previous: Promise<void>): Promise<void> => {
      const name = names.of(chunk);
      const started = previous.then(() => void (batchId = name));
      const stored = await store(batch, name, chunk, started);
      counts = addCounts(counts, stored);
      request.onProgress?.({ ...counts, bytes: read.bytes });
    };
    let stoppedBy: unknown;
    try {
      for await (const chunk of chunks(read)) {
        const previous = storing;
        storing = storeNext(chunk, previous);
        storing.catch(() => undefined); // awaited with the next chunk, or below
        await previous;
      }
    } catch (error) {
      if (error instanceof SimwardenError && error.code === 'HEADER_INVALID') throw error;
      stoppedBy = error;
    }
    // What failed to be stored is the reason, rather than what happened to the body meanwhile.
    await storing.catch((error: unknown) => (stoppedBy = error));
    return { batchId, ...counts, ...(stoppedBy === undefined ? {} : { stoppedBy }) };
  }

  /** A body that ends early leaves its unfinished chunk unread: under the same key it will come again, whole. */
  private async *readChunks<Content extends object>(
    request: IngestRequest,
    kind: RowKind<Content>,
    read: { bytes: number },
  ): AsyncGenerator<Chunk<Content>> {
    const reader = rowReader(request.format, kind);
    const builder = new ChunkBuilder<Content>(this.chunkRows);
    const chunksOf = function* (rows: Row<Content>[]): Generator<Chunk<Content>> {
      for (let next = 0; next < rows.length;) {
        const filled = builder.fill(rows, next, reader.preamble);
        next = filled.next;
        if (filled.chunk) yield filled.chunk;
      }
    };
    for await (const bytes of readBody(counted(request.body, read), request.gzip)) {
      yield* chunksOf(reader.push(bytes, this.clock.now().getTime()));
    }
    yield* chunksOf(reader.end(this.clock.now().getTime()));
    const rest = builder.rest(reader.preamble);
    if (rest) yield rest;
  }
}

function rowsOf<Content extends object>(
  kind: RowKind<Content>,
  records: readonly Readonly<Record<string, unknown>>[],
  now: number,
): Row<Content>[] {
  return records.map((record, index) => ({
    line: index + 1,
    bytes: contentOf(record),
    terminated: true,
    ...readObject(kind, record, now),
  }));
}

async function* counted(body: AsyncIterable<Buffer>, read: { bytes: number }): AsyncGenerator<Buffer> {
  for await (const piece of body) {
    read.bytes += piece.length;
    yield piece;
  }
}

/** A record's bytes for comparison: the same values in any order of fields are the same record. */
function contentOf(record: Readonly<Record<string, unknown>>): Buffer {
  const sorted = Object.entries(record)
    .filter(([, value]) => value !== null && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const content = JSON.stringify(sorted.map(([name, value]) => [name, value instanceof Date ? value.toISOString() : String(value)]));
  return createHash('sha256').update(content).digest();
}
