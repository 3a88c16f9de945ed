/** A chunk: what is stored in one go, and compared with what was stored under its key before. Where it ends depends on the body alone. */
import { createHash } from 'node:crypto';
import type { Row } from './parsing/rows';

/** A chunk also ends at this many bytes, so that long rows don't need more memory than short ones. */
export const MOST_CHUNK_BYTES = 8 * 1024 * 1024;

/** What the ledger compares chunks by, whatever they hold. */
export interface LedgerChunk {
  /** 0 for the first chunk of the body. */
  readonly number: number;
  readonly rowCount: number;
  /** Rows that ended with a line break. The one that didn't, at the end of the body, may have been cut. */
  readonly settledRows: number;
  /** SHA-256 of the first rows; of the settled ones unless a number is given. */
  hash(rows?: number): Buffer;
  /** SHA-256 of a row's first bytes, hex; null where it has fewer. */
  rowHash(index: number, bytes: number): string | null;
  /** Length of a row. */
  rowBytes(index: number): number;
}

export class Chunk<Content> implements LedgerChunk {
  readonly settledRows: number;
  private settled: Buffer | undefined;

  constructor(
    readonly number: number,
    readonly rows: readonly Row<Content>[],
    private readonly preamble: string,
  ) {
    this.settledRows = rows.length > 0 && !rows.at(-1)!.terminated ? rows.length - 1 : rows.length;
  }

  get rowCount(): number {
    return this.rows.length;
  }

  hash(rows = this.settledRows): Buffer {
    if (rows === this.settledRows) return (this.settled ??= this.hashOf(rows));
    return this.hashOf(rows);
  }

  rowBytes(index: number): number {
    return this.rows[index]!.bytes.length;
  }

  rowHash(index: number, bytes: number): string | null {
    const row = this.rows[index];
    return row && row.bytes.length >= bytes ? createHash('sha256').update(row.bytes.subarray(0, bytes)).digest('hex') : null;
  }

  private hashOf(rows: number): Buffer {
    const hash = createHash('sha256').update(this.preamble).update('\n');
    for (let i = 0; i < rows; i++) hash.update(this.rows[i]!.bytes).update('\n');
    return hash.digest();
  }
}

/** Collects rows until a chunk is full. */
export class ChunkBuilder<Content> {
  private rows: Row<Content>[] = [];
  private bytes = 0;
  private number = 0;

  constructor(private readonly mostRows: number) {}

  /** Takes rows from `queue` until a chunk is full; null while there is room. */
  fill(queue: Row<Content>[], from: number, preamble: string): { chunk: Chunk<Content> | null; next: number } {
    for (let i = from; i < queue.length; i++) {
      const row = queue[i]!;
      this.rows.push(row);
      this.bytes += row.bytes.length;
      if (this.rows.length >= this.mostRows || this.bytes >= MOST_CHUNK_BYTES) return { chunk: this.take(preamble), next: i + 1 };
    }
    return { chunk: null, next: queue.length };
  }

  /** The rest, at the end of a whole body; null where nothing is left. An empty body still makes one chunk, so that it is answered as a batch. */
  rest(preamble: string): Chunk<Content> | null {
    return this.rows.length > 0 || this.number === 0 ? this.take(preamble) : null;
  }

  private take(preamble: string): Chunk<Content> {
    const chunk = new Chunk(this.number++, this.rows, preamble);
    this.rows = [];
    this.bytes = 0;
    return chunk;
  }
}
