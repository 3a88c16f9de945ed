/** Rows of a chunk in PostgreSQL's binary COPY format, one leaf partition at a time. */
import { COPY_END_BYTES, COPY_SIGNATURE, FIRST_DAY } from './copy-format';
import { Fate, type DialogueChunk } from './dialogue-chunk';
import { UNKNOWN } from './dialogue-patterns';
import { PATTERN_COLUMNS } from './pattern-copy';
import type { SignalingCounts } from './signaling-counts';

/** As the encoder writes them. */
export const DIALOGUE_COLUMNS = ['client_id', 'day', 'sim_id', 'started_at', 'duration_ms', ...PATTERN_COLUMNS] as const;

const DAY_MILLISECONDS = 86_400_000;
const FIRST_MILLISECOND = FIRST_DAY * DAY_MILLISECONDS;
const NULL = -1;
/** Field count, a length before each field, the fields where none is NULL, and what may be written behind them. */
const MOST_ROW_BYTES = 2 + DIALOGUE_COLUMNS.length * 4 + 51 + 3;

/** How many rows are to be stored, by day (days since 1970). */
export function rowsByDay(chunk: DialogueChunk): Map<number, number> {
  const counts = new Map<number, number>();
  let day = -1;
  let count = 0;
  for (let row = 0; row < chunk.rowCount; row++) {
    if (chunk.fate[row] !== Fate.STORED) continue;
    const own = Math.floor(chunk.startedAt[row]! / DAY_MILLISECONDS);
    if (own !== day) {
      if (count > 0) counts.set(day, (counts.get(day) ?? 0) + count);
      day = own;
      count = 0;
    }
    count++;
  }
  if (count > 0) counts.set(day, (counts.get(day) ?? 0) + count);
  return counts;
}

export function dayText(day: number): string {
  return new Date(day * DAY_MILLISECONDS).toISOString().slice(0, 10);
}

/** Bytes that are encoded at once: as much as keeps the database at work while lines are read. */
const PIECE_BYTES = 1 << 20;

export interface DayOfChunk {
  readonly chunk: DialogueChunk;
  readonly day: number;
  /** By the chunk's ordinals of names. */
  readonly nodeIds: Int32Array;
  /** Counts each row, piece by piece too: the database is at work on the piece before. */
  readonly counts: SignalingCounts;
}

/** Rows of one day, piece by piece. A piece is good until the next is asked for. */
export function* encodeDay({ chunk, day, nodeIds, counts }: DayOfChunk): Generator<Buffer> {
  const bytes = chunk.reserveEncoded(PIECE_BYTES);
  chunk.copies.encode(chunk.patterns, nodeIds);
  const rows = new DayRows(chunk, day, counts, bytes);
  let from = COPY_SIGNATURE.copy(bytes);
  while (rows.next < chunk.rowCount) {
    yield bytes.subarray(0, rows.fill(from));
    from = 0;
  }
  bytes.writeInt16BE(-1, from);
  yield bytes.subarray(0, from + COPY_END_BYTES);
}

class DayRows {
  /** The first row that isn't looked at yet. */
  next = 0;
  private readonly view: DataView;

  constructor(
    private readonly chunk: DialogueChunk,
    private readonly day: number,
    private readonly counts: SignalingCounts,
    bytes: Buffer,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Writes rows from this place on while there is room; answers the place behind the last. */
  fill(from: number): number {
    const { chunk, day, counts, view } = this;
    const { fate, startedAt, clientId, simIdHigh, simIdLow, durationMs, pattern, copies } = chunk;
    const first = day * DAY_MILLISECONDS;
    const next = first + DAY_MILLISECONDS;
    const lastStart = view.byteLength - MOST_ROW_BYTES;
    let at = from;
    let row = this.next;
    for (; row < chunk.rowCount && at <= lastStart; row++) {
      const start = startedAt[row]!;
      if (fate[row] !== Fate.STORED || start < first || start >= next) continue;
      counts.add(chunk, row);
      const microseconds = (start - FIRST_MILLISECOND) * 1000;
      const high = Math.floor(microseconds / 4_294_967_296);
      view.setInt16(at, DIALOGUE_COLUMNS.length);
      view.setInt32(at + 2, 4);
      view.setInt32(at + 6, clientId[row]!);
      view.setInt32(at + 10, 4);
      view.setInt32(at + 14, day - FIRST_DAY);
      view.setInt32(at + 18, 8);
      view.setInt32(at + 22, simIdHigh[row]!);
      view.setInt32(at + 26, simIdLow[row]!);
      view.setInt32(at + 30, 8);
      view.setInt32(at + 34, high);
      view.setInt32(at + 38, microseconds - high * 4_294_967_296);
      const duration = durationMs[row]!;
      if (duration === UNKNOWN) view.setInt32(at + 42, NULL);
      else {
        view.setInt32(at + 42, 4);
        view.setInt32(at + 46, duration);
      }
      at = copies.copy(pattern[row]!, view, at + (duration === UNKNOWN ? 46 : 50));
    }
    this.next = row;
    return at;
  }
}
