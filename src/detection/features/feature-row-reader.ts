/** Stored feature rows out of a binary COPY: a day of millions of SIMs is read back with neither an object nor a Buffer per row. */
import type { Transaction } from '../../database/database';
import { FEATURE_COUNT } from '../../detector';
import { DAY_MILLISECONDS, startOfDay, type Day } from '../days';
import { CopyFrame } from './copy-frame';

/** Which rows of a client; ids of SIMs as digits. */
export interface FeatureRowsWhere {
  readonly clientId: number;
  readonly fromDay: Day;
  /** The first day that isn't asked for. */
  readonly beforeDay: Day;
  /** Only SIMs with a larger id. */
  readonly afterSim: string;
  readonly throughSim?: string;
  /** Only SIMs whose id leaves this remainder. */
  readonly bucket?: { readonly of: number; readonly remainder: number };
}

export interface CopiedFeatureRow {
  readonly simId: number;
  /** First millisecond of its day, since the epoch. */
  readonly startOfDay: number;
  readonly country: string;
  readonly isBlockedByUs: boolean;
  /** Copies the 95 numbers to `cells` from `at` on. */
  values(cells: Float32Array, at: number): void;
}

const COLUMNS = 'sim_id, day, country, blocked_by_us, feature_values';
/** All of fixed length, and never NULL. */
const FIELD_BYTES = [8, 4, 2, 1, FEATURE_COUNT * 4] as const;
const LENGTH_BYTES = 4;
const [SIM, DAY, COUNTRY, BLOCKED, VALUES] = FIELD_BYTES.map(
  (_, field) => LENGTH_BYTES + FIELD_BYTES.slice(0, field).reduce((sum, bytes) => sum + bytes + LENGTH_BYTES, 0),
) as [number, number, number, number, number];
const ROW_BYTES = VALUES + FEATURE_COUNT * 4;
const EPOCH_MILLISECONDS = startOfDay('2000-01-01');
const WORD = 4_294_967_296;

/** Calls `take` for each row; what it is given is good until it returns. `limit`: the SIMs with the lowest ids, in their order. */
export async function copyFeatureRows(
  tx: Transaction,
  where: FeatureRowsWhere,
  take: (row: CopiedFeatureRow) => void,
  limit?: number,
): Promise<void> {
  const frame = new CopyFrame();
  const row = new Row();
  const inOrder = limit === undefined ? '' : ` ORDER BY sim_id LIMIT ${digits(limit)}`;
  await tx.copyOut(`SELECT ${COLUMNS} FROM sim_feature_day WHERE ${condition(where)}${inOrder}`, (bytes, from, to) => {
    const first = frame.enter(bytes, from);
    if (first < 0) return;
    if (to - first !== ROW_BYTES || bytes.readInt32BE(first + VALUES - LENGTH_BYTES) !== FEATURE_COUNT * 4)
      throw new Error(`expected feature rows of ${ROW_BYTES} bytes, got one of ${to - first}`);
    take(row.at(bytes, first));
  });
  frame.demandEnd();
}

class Row implements CopiedFeatureRow {
  private bytes: Buffer = Buffer.alloc(0);
  private first = 0;
  private readonly countries = new Map<number, string>();

  at(bytes: Buffer, first: number): this {
    this.bytes = bytes;
    this.first = first;
    return this;
  }

  get simId(): number {
    return this.bytes.readInt32BE(this.first + SIM) * WORD + this.bytes.readUInt32BE(this.first + SIM + 4);
  }

  get startOfDay(): number {
    return EPOCH_MILLISECONDS + this.bytes.readInt32BE(this.first + DAY) * DAY_MILLISECONDS;
  }

  get country(): string {
    const code = this.bytes.readUInt16BE(this.first + COUNTRY);
    let country = this.countries.get(code);
    if (country === undefined) this.countries.set(code, (country = String.fromCharCode(code >> 8, code & 255)));
    return country;
  }

  get isBlockedByUs(): boolean {
    return this.bytes[this.first + BLOCKED] === 1;
  }

  values(cells: Float32Array, at: number): void {
    const target = new Uint8Array(cells.buffer, cells.byteOffset + at * 4, FEATURE_COUNT * 4);
    this.bytes.copy(target, 0, this.first + VALUES, this.first + ROW_BYTES);
  }
}

/** COPY takes no parameters. */
function condition({ clientId, fromDay, beforeDay, afterSim, throughSim, bucket }: FeatureRowsWhere): string {
  const day =
    startOfDay(beforeDay) - startOfDay(fromDay) === DAY_MILLISECONDS
      ? `day = ${dayText(fromDay)}`
      : `day >= ${dayText(fromDay)} AND day < ${dayText(beforeDay)}`;
  return [
    `client_id = ${digits(clientId)}`,
    day,
    `sim_id > ${digits(afterSim)}`,
    ...(throughSim === undefined ? [] : [`sim_id <= ${digits(throughSim)}`]),
    ...(bucket === undefined || bucket.of === 1 ? [] : [`sim_id % ${digits(bucket.of)} = ${digits(bucket.remainder)}`]),
  ].join(' AND ');
}

function digits(value: number | string): string {
  const text = String(value);
  if (!/^\d{1,19}$/.test(text)) throw new Error(`expected a whole number, got ${text.slice(0, 40)}`);
  return text;
}

function dayText(day: Day): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new Error(`expected a day, got ${day.slice(0, 40)}`);
  return `'${day}'`;
}
