/** Segments of strict cells in PostgreSQL's binary COPY format. */

export const SEGMENT_COLUMNS = ['client_id', 'day', 'cell', 'segment', 'identities'] as const;

/** What one chunk put into a cell. */
export interface Segment {
  /** Days since 1970. */
  readonly day: number;
  readonly cell: number;
  /** From 1, in the order in which chunks locked the cell. */
  readonly segment: number;
  readonly identities: Int32Array;
}

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** PostgreSQL counts days from 2000-01-01. */
const FIRST_DAY = 10_957;
const FIXED_BYTES = 2 + SEGMENT_COLUMNS.length * 4 + 20;

export function encodeSegments(clientId: number, segments: readonly Segment[]): Buffer {
  const length = segments.reduce((sum, { identities }) => sum + FIXED_BYTES + identities.byteLength, SIGNATURE.length + 2);
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = SIGNATURE.copy(bytes);
  for (const { day, cell, segment, identities } of segments) {
    at = bytes.writeInt16BE(SEGMENT_COLUMNS.length, at);
    at = bytes.writeInt32BE(clientId, bytes.writeInt32BE(4, at));
    at = bytes.writeInt32BE(day - FIRST_DAY, bytes.writeInt32BE(4, at));
    at = bytes.writeBigInt64BE(BigInt(cell), bytes.writeInt32BE(8, at));
    at = bytes.writeInt32BE(segment, bytes.writeInt32BE(4, at));
    at = bytes.writeInt32BE(identities.byteLength, at);
    at += Buffer.from(identities.buffer, identities.byteOffset, identities.byteLength).copy(bytes, at);
  }
  bytes.writeInt16BE(-1, at);
  return bytes;
}
