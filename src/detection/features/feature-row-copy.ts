/** Rows of features as PostgreSQL's binary COPY format wants them. */
import { FEATURE_COUNT } from '../../detector';
import { startOfDay, type Day } from '../days';

export const FEATURE_COLUMNS = ['client_id', 'day', 'sim_id', 'country', 'dialogues', 'blocked_by_us', 'feature_values', 'computed_at'];

/** A page of a client's day, in the order of SIM ids. */
export interface FeaturePage {
  readonly simIds: readonly number[];
  readonly countries: readonly string[];
  readonly dialogues: Int32Array;
  readonly blockedByUs: Uint8Array;
  /** Rows × 95. */
  readonly values: Float32Array;
}

const HEADER = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex');
const VALUE_BYTES = FEATURE_COUNT * 4;
const ROW_BYTES = 2 + 8 * 4 + 4 + 4 + 8 + 2 + 4 + 1 + VALUE_BYTES + 8;
/** 2000-01-01, where PostgreSQL's dates and timestamps begin. */
const EPOCH_MILLISECONDS = 946_684_800_000;
const DAY_MILLISECONDS = 86_400_000;

export function encodeFeaturePage(clientId: number, day: Day, page: FeaturePage, computedAt: Date): Buffer {
  const rows = page.simIds.length;
  const data = Buffer.allocUnsafe(HEADER.length + rows * ROW_BYTES + 2);
  HEADER.copy(data);
  const values = Buffer.from(page.values.buffer, page.values.byteOffset, page.values.byteLength);
  const dayNumber = (startOfDay(day) - EPOCH_MILLISECONDS) / DAY_MILLISECONDS;
  const computedMicroseconds = BigInt(computedAt.getTime() - EPOCH_MILLISECONDS) * 1000n;
  let at = HEADER.length;
  for (let row = 0; row < rows; row++) {
    at = data.writeInt16BE(FEATURE_COLUMNS.length, at);
    at = data.writeInt32BE(clientId, data.writeInt32BE(4, at));
    at = data.writeInt32BE(dayNumber, data.writeInt32BE(4, at));
    at = data.writeBigInt64BE(BigInt(page.simIds[row]!), data.writeInt32BE(8, at));
    at = data.writeInt32BE(2, at);
    at += data.write(page.countries[row]!, at, 2, 'latin1');
    at = data.writeInt32BE(page.dialogues[row]!, data.writeInt32BE(4, at));
    at = data.writeUInt8(page.blockedByUs[row]!, data.writeInt32BE(1, at));
    at = data.writeInt32BE(VALUE_BYTES, at);
    at += values.copy(data, at, row * VALUE_BYTES, (row + 1) * VALUE_BYTES);
    at = data.writeBigInt64BE(computedMicroseconds, data.writeInt32BE(8, at));
  }
  data.writeInt16BE(-1, at);
  return data;
}
