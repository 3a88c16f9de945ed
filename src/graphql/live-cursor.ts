/** The `after` of live fields: an opaque position in the event log. */
import { SimwardenError } from '../errors';
import { decodeCursor, encodeCursor } from './connection';

export function liveCursor(position: bigint | string): string {
  return encodeCursor([String(position)]);
}

export function livePosition(cursor: string): bigint {
  const [position] = decodeCursor(cursor, ['int8']);
  const value = BigInt(String(position));
  if (value < 0n) throw new SimwardenError('BAD_CURSOR', { given: cursor.slice(0, 80) });
  return value;
}
