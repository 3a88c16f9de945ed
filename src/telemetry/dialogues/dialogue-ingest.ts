/** The way of dialogues from bytes to storage, in chunks that are used again and again, so that a body's size doesn't matter. */
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
const CHUNK_ROWS = { postgresql: 100_000, embedded: 20_000 } as const;
/** Chunks that are kept for the next body. One has three: one is stored, one is full and waits for it, and one is begun. */
const MOST_FREE_CHUNKS = 3;

@singleton()
export class DialogueIngest {
  private readonly chunkRows: number;
  private readonly seed: number;
  /** Made anew for each body they would cost as much as reading it: megabytes to clear, and as many for the garbage collector. */
  private readonly free: DialogueChunk[] = [];

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

  /** A chunk is good until it is stored. `release`: is given each piece of the body that isn't needed any more. */
  async *readChunks(format: Format, body: AsyncIterable<Buffer>, release?: (piece: Buffer) => void): AsyncGenerator<DialogueChunk> {
    const newChunk = (): DialogueChunk => this.free.pop() ?? new DialogueChunk(this.chunkRows, this.seed);
    const reader = new DialogueReader({ format, newChunk, now: () => this.clock.now().getTime(), release });
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

  /** Finds the owners at once, and stores when the previous chunk is stored. */
  async store(batch: Batch, name: string, chunk: DialogueChunk, strict: boolean, previous: Promise<void>): Promise<Counts> {
    try {
      return await this.dialogues.store(batch, name, chunk, strict, previous);
    } finally {
      if (chunk.mostRows === this.chunkRows && this.free.length < MOST_FREE_CHUNKS) this.free.push(chunk);
    }
  }
}
