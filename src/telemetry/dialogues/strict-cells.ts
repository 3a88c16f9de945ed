/**
 * Exact deduplication for strict batches. What was stored is kept beside the dialogues as packed identities (all columns of a row, 32 bytes), in cells
 * of a quarter of an hour and a range of SIMs, one segment per chunk that touched the cell. A chunk locks its cells, reads what others put in since it
 * last looked, and compares: no index, no random writes, and no hash that two dialogues could share. Plain batches leave no identities: strict ones are
 * compared with strict ones.
 */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { partitionName } from '../../database/partitions';
import { Entropy } from '../../runtime';
import { plainArray } from '../array-literal';
import { Fate, type DialogueChunk } from './dialogue-chunk';
import { dayText } from './dialogue-copy';
import { encodeSegments, SEGMENT_COLUMNS, type Segment } from './segment-copy';
import { IdentitySet, takenBackIdentity } from './identity-set';
import { CELL_CLIENT, SegmentCache } from './segment-cache';
import type { StoredDialogue } from './stored-tail';

const QUARTER_MILLISECONDS = 900_000;
const DAY_MILLISECONDS = 86_400_000;
const QUARTERS_PER_DAY = 96;
/** SIMs of one range, as a power of two: a feed in order of time and a file in order of SIMs both stay in few cells. */
const RANGE_BITS = 17;

interface Cell {
  /** Days since 1970. */
  readonly day: number;
  readonly cell: number;
  readonly rows: number[];
}

@singleton()
export class StrictCells {
  private readonly cache = new SegmentCache();
  private readonly seed: number;

  constructor(
    private readonly database: Database,
    entropy: Entropy,
  ) {
    this.seed = entropy.bytes(4).readInt32LE();
  }

  async ensurePartitions(days: readonly string[]): Promise<void> {
    await this.database.ensurePartitions('dialogue_cell', days);
    await this.database.ensurePartitions('dialogue_segment', days);
  }

  /** Marks the rows that were stored before, or stand twice in the chunk, as duplicates; remembers the others. */
  async admit(tx: Transaction, chunk: DialogueChunk, nodeIds: Int32Array): Promise<void> {
    const set = new IdentitySet(chunk.rowCount, this.seed);
    for (let row = 0; row < chunk.rowCount; row++) {
      if (chunk.fate[row] === Fate.STORED && !set.add(chunk, row, nodeIds)) chunk.fate[row] = Fate.DUPLICATE;
    }
    const cells = cellsOf(chunk);
    if (cells.length === 0) return;
    const locked = await lock(tx, cells);
    // In the order in which they were stored: a dialogue that was taken back is as good as new.
    await this.cache.read(tx, locked, (block) =>
      set.compare(block, (row, stored) => (chunk.fate[row] = stored ? Fate.DUPLICATE : Fate.STORED)),
    );
    const entries = set.entries(chunk.rowCount);
    const segments = cells.map(({ day, cell, rows }, i): Segment => {
      const fresh = rows.filter((row) => chunk.fate[row] === Fate.STORED);
      return { day, cell, segment: locked[i]!.segment, identities: set.pack(fresh, entries) };
    });
    await this.write(tx, segments);
  }

  async takeBack(tx: Transaction, dialogue: StoredDialogue): Promise<void> {
    const day = Math.floor(dialogue.startedAt / DAY_MILLISECONDS);
    const cell = { day, cell: cellOf(Number(BigInt(dialogue.simId) >> BigInt(RANGE_BITS)), dialogue.startedAt), rows: [] };
    const [locked] = await lock(tx, [cell]);
    await this.write(tx, [{ ...locked!, identities: takenBackIdentity(dialogue) }]);
  }

  private async write(tx: Transaction, segments: readonly Segment[]): Promise<void> {
    const filled = segments.filter(({ identities }) => identities.length > 0);
    for (const day of new Set(filled.map((segment) => segment.day))) {
      const own = filled.filter((segment) => segment.day === day);
      await tx.copyBinary(partitionName('dialogue_segment', dayText(day)), SEGMENT_COLUMNS, encodeSegments(CELL_CLIENT, own));
    }
    tx.afterCommit(() => {
      for (const segment of segments) this.cache.keep(segment);
    });
  }
}

function cellsOf(chunk: DialogueChunk): Cell[] {
  const cells = new Map<number, Cell>();
  for (let row = 0; row < chunk.rowCount; row++) {
    if (chunk.fate[row] !== Fate.STORED) continue;
    const startedAt = chunk.startedAt[row]!;
    const range = chunk.simIdHigh[row]! * (1 << (32 - RANGE_BITS)) + (chunk.simIdLow[row]! >>> RANGE_BITS);
    const cell = cellOf(range, startedAt);
    const day = Math.floor(startedAt / DAY_MILLISECONDS);
    // Days are fewer than 2^16, and a range is below 2^30 even where numbers of SIMs begin at 2^46.
    const key = cell * 65_536 + day;
    const known = cells.get(key);
    if (known) known.rows.push(row);
    else cells.set(key, { day, cell, rows: [row] });
  }
  return [...cells.values()].sort((a, b) => a.day - b.day || a.cell - b.cell);
}

function cellOf(range: number, startedAt: number): number {
  return range * QUARTERS_PER_DAY + Math.floor((startedAt % DAY_MILLISECONDS) / QUARTER_MILLISECONDS);
}

/** Makes the cells ours until the transaction ends; answers the number of the segment that each gets, in the order given, which is the key's. */
async function lock(tx: Transaction, cells: readonly Cell[]): Promise<{ day: number; cell: number; segment: number }[]> {
  const rows = await tx.query<{ day: string; cell: string; segments: number }>(
    `INSERT INTO dialogue_cell AS kept (client_id, day, cell, segments)
     SELECT $1::int4, day, cell, 1 FROM unnest($2::date[], $3::int8[]) AS given (day, cell)
     ON CONFLICT (client_id, day, cell) DO UPDATE SET segments = kept.segments + 1
     RETURNING day, cell, segments`,
    [CELL_CLIENT, plainArray(cells.map(({ day }) => dayText(day))), plainArray(cells.map(({ cell }) => cell))],
  );
  const segments = new Map(rows.map((row) => [`${row.day} ${row.cell}`, row.segments]));
  return cells.map(({ day, cell }) => ({ day, cell, segment: segments.get(`${dayText(day)} ${cell}`)! }));
}
