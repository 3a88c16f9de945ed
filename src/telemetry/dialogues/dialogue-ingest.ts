/** The way of dialogues from bytes to storage: a ring of chunks for each body, so that its size doesn't matter. */
import { singleton } from 'tsyringe';
import { Config } from '../../config';
import { Database } from '../../database/database';
import { Clock, Entropy } from '../../runtime';
import type { Batch } from '../batch';
import type { Counts } from '../ledger';
import type { Format, Row } from '../parsing/rows';
import { DialogueChunk } from './dialogue-chunk';
import type { DialogueValues } from './dialogue-kind';
import { DialogueReader } from './dialogue-reader';
import { DialogueStore } from './dialogue-store';

/** Rows of one transaction. */
const CHUNK_ROWS = { postgresql: 100_000, embedded: 50_000 } as const;
/** One is stored, one is full and waits for it, and one is begun. */
const CHUNKS = 3;

@singleton()
export class DialogueIngest {
  private readonly chunkRows: number;
  private readonly seed: number;

  constructor(
    private readonly dialogues: DialogueStore,
    private readonly clock: Clock,
    database: Database,
    entropy: Entropy,
    config: Config,
  ) {
    this.chunkRows = config.chunkRows || CHUNK_ROWS[database.kind];
    this.seed = entropy.bytes(4).readInt32LE();
  }

  /** A chunk is good until two more were asked for. */
  async *readChunks(format: Format, body: AsyncIterable<Buffer>): AsyncGenerator<DialogueChunk> {
    const ring: DialogueChunk[] = [];
    let made = 0;
    const newChunk = (): DialogueChunk => (ring[made++ % CHUNKS] ??= new DialogueChunk(this.chunkRows, this.seed));
    const reader = new DialogueReader({ format, newChunk, now: () => this.clock.now().getTime() });
    for await (const piece of body) yield* reader.push(piece);
    yield* reader.end();
  }

  /** Rows that came as records. */
  chunkOf(rows: readonly Row<DialogueValues>[]): DialogueChunk {
    const chunk = new DialogueChunk(Math.max(rows.length, 1), this.seed);
    chunk.begin(0, 'records');
    for (const row of rows) chunk.appendRow(row);
    chunk.settledRows = chunk.rowCount;
    return chunk;
  }

  store(batch: Batch, name: string, chunk: DialogueChunk, strict: boolean): Promise<Counts> {
    return this.dialogues.store(batch, name, chunk, strict);
  }
}
