/** Counts that a chunk left for the quarters of an hour: packed to one row of arrays per client and day, and read back as rows. */
import { COPY_END_BYTES, COPY_SIGNATURE, FIRST_DAY } from './copy-format';

export const PART_COLUMNS = ['client_id', 'day', 'keys', 'plmns', 'dialogues'] as const;
const QUARTERS_PER_DAY = 96;
/** Oid of int4. */
const INT4 = 23;
/** Dimensions, flags, element type, length, lower bound. */
const ARRAY_HEAD_BYTES = 20;
const ROW_BYTES = 2 + PART_COLUMNS.length * 4 + 4 + 4 + 3 * ARRAY_HEAD_BYTES;
const ELEMENT_BYTES = 8;

/** One byte: 3 + 2 + 2 + 1 bits. All are codes from 1. */
export function partCodes(procedure: number, origin: number, outcome: number, protocol: number): number {
  return ((procedure - 1) << 5) | ((origin - 1) << 3) | ((outcome - 1) << 1) | (protocol - 1);
}

/** `quarter`: of the day, from 0. */
export function partKey(quarter: number, codes: number): number {
  return (quarter << 8) | codes;
}

/** What isn't added up yet, a row per client, quarter, network, procedure, origin, outcome and protocol of each chunk. `table`: signaling_part, or rows of it. */
export function partQuarters(table: string): string {
  return `SELECT client_id, day, (day::timestamp AT TIME ZONE 'UTC') + (key >> 8) * interval '15 minutes' AS quarter, plmn, ((key >> 5) & 7) + 1 AS procedure,
            ((key >> 3) & 3) + 1 AS origin, ((key >> 1) & 3) + 1 AS outcome, (key & 1) + 1 AS protocol, counted.dialogues
       FROM ${table} AS part, unnest(part.keys, part.plmns, part.dialogues) AS counted (key, plmn, dialogues)`;
}

/** A client's counts of a day. */
export interface Part {
  readonly clientId: number;
  /** Days since 1970. */
  readonly day: number;
  /** Places in the arrays that are given beside it. */
  readonly entries: readonly number[];
}

export interface PartCounts {
  /** Quarter (since 1970) and, in its low byte, codes. */
  readonly quarters: Int32Array;
  readonly plmns: Int32Array;
  readonly dialogues: Int32Array;
}

/** In PostgreSQL's binary COPY format. */
export function encodeParts(parts: readonly Part[], { quarters, plmns, dialogues }: PartCounts): Buffer {
  const elements = parts.reduce((sum, { entries }) => sum + 3 * entries.length, 0);
  const bytes = Buffer.allocUnsafeSlow(COPY_SIGNATURE.length + parts.length * ROW_BYTES + elements * ELEMENT_BYTES + COPY_END_BYTES);
  const view = new DataView(bytes.buffer);
  let at = COPY_SIGNATURE.copy(bytes);
  const array = (entries: readonly number[], from: Int32Array, less: number): void => {
    view.setInt32(at, ARRAY_HEAD_BYTES + entries.length * ELEMENT_BYTES);
    view.setInt32(at + 4, 1);
    view.setInt32(at + 8, 0);
    view.setInt32(at + 12, INT4);
    view.setInt32(at + 16, entries.length);
    view.setInt32(at + 20, 1);
    at += 4 + ARRAY_HEAD_BYTES;
    for (const entry of entries) {
      view.setInt32(at, 4);
      view.setInt32(at + 4, from[entry]! - less);
      at += ELEMENT_BYTES;
    }
  };
  for (const { clientId, day, entries } of parts) {
    view.setInt16(at, PART_COLUMNS.length);
    view.setInt32(at + 2, 4);
    view.setInt32(at + 6, clientId);
    view.setInt32(at + 10, 4);
    view.setInt32(at + 14, day - FIRST_DAY);
    at += 18;
    array(entries, quarters, (day * QUARTERS_PER_DAY) << 8);
    array(entries, plmns, 0);
    array(entries, dialogues, 0);
  }
  bytes.writeInt16BE(-1, at);
  return bytes;
}
