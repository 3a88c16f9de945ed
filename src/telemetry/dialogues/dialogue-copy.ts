/** Rows of a chunk in PostgreSQL's binary COPY format, one leaf partition at a time. */
import { Fate, UNKNOWN, type DialogueChunk } from './dialogue-chunk';

/** As the encoder writes them. */
export const DIALOGUE_COLUMNS = [
  'client_id',
  'day',
  'sim_id',
  'started_at',
  'duration_ms',
  'protocol',
  'procedure',
  'origin',
  'outcome',
  'result_code',
  'plmn',
  'node_id',
  'cancellation_type',
  'format_violation',
] as const;

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const DAY_MILLISECONDS = 86_400_000;
/** PostgreSQL counts days and microseconds from 2000-01-01. */
const FIRST_DAY = 10_957;
const FIRST_MILLISECOND = FIRST_DAY * DAY_MILLISECONDS;
const NULL = -1;
/** Field count, a length before each field, and the fields where none is NULL. */
const MOST_ROW_BYTES = 2 + DIALOGUE_COLUMNS.length * 4 + 51;

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

/** `nodeIds`: by the chunk's ordinals of names. */
export function encodeDay(chunk: DialogueChunk, day: number, rows: number, nodeIds: Int32Array): Buffer {
  const bytes = Buffer.allocUnsafeSlow(SIGNATURE.length + rows * MOST_ROW_BYTES + 2);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  SIGNATURE.copy(bytes);
  let at = SIGNATURE.length;
  const first = day * DAY_MILLISECONDS;
  const next = first + DAY_MILLISECONDS;
  const optional = (value: number): void => {
    if (value === UNKNOWN) {
      view.setInt32(at, NULL);
      at += 4;
    } else {
      view.setInt32(at, 4);
      view.setInt32(at + 4, value);
      at += 8;
    }
  };
  const code = (value: number): void => {
    view.setInt32(at, 2);
    view.setInt16(at + 4, value);
    at += 6;
  };
  for (let row = 0; row < chunk.rowCount; row++) {
    const startedAt = chunk.startedAt[row]!;
    if (chunk.fate[row] !== Fate.STORED || startedAt < first || startedAt >= next) continue;
    const microseconds = (startedAt - FIRST_MILLISECOND) * 1000;
    const high = Math.floor(microseconds / 4_294_967_296);
    view.setInt16(at, DIALOGUE_COLUMNS.length);
    view.setInt32(at + 2, 4);
    view.setInt32(at + 6, chunk.clientId[row]!);
    view.setInt32(at + 10, 4);
    view.setInt32(at + 14, day - FIRST_DAY);
    view.setInt32(at + 18, 8);
    view.setInt32(at + 22, chunk.simIdHigh[row]!);
    view.setInt32(at + 26, chunk.simIdLow[row]!);
    view.setInt32(at + 30, 8);
    view.setInt32(at + 34, high);
    view.setUint32(at + 38, microseconds - high * 4_294_967_296);
    at += 42;
    optional(chunk.durationMs[row]!);
    code(chunk.protocol[row]!);
    code(chunk.procedure[row]!);
    code(chunk.origin[row]!);
    code(chunk.outcome[row]!);
    optional(chunk.resultCode[row]!);
    optional(chunk.plmn[row]!);
    optional(nodeIds[chunk.node[row]!]!);
    if (chunk.cancellationType[row] === 0) {
      view.setInt32(at, NULL);
      at += 4;
    } else code(chunk.cancellationType[row]!);
    view.setInt32(at, 1);
    view.setInt8(at + 4, chunk.formatViolation[row]!);
    at += 5;
  }
  view.setInt16(at, -1);
  return bytes.subarray(0, at + 2);
}
