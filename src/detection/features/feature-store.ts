/** Stored feature rows as those read them who compare SIMs: a client's day page by page, in columns. */
import type { Transaction } from '../../database/database';
import { FEATURE_COUNT } from '../../detector';
import { addDays, type Day } from '../days';
import { copyFeatureRows, type CopiedFeatureRow } from './feature-row-reader';

export interface FeatureRows {
  /** Ascending. */
  readonly simIds: readonly string[];
  /** ISO 3166-1 alpha-2, or ZZ. */
  readonly countries: readonly string[];
  /** 1 where we had blocked the SIM when the row was computed. */
  readonly blockedByUs: Uint8Array;
  /** Rows × 95, in the order of the catalogue; NaN where undefined. */
  readonly values: Float32Array;
}

export interface FeatureRowsAsked {
  readonly clientId: number;
  readonly day: Day;
  /** Only SIMs with a larger id. */
  readonly after?: string;
  readonly limit: number;
}

const FIRST_ROWS = 512;

export async function readFeatureRows(tx: Transaction, { clientId, day, after = '0', limit }: FeatureRowsAsked): Promise<FeatureRows> {
  const simIds: string[] = [];
  const countries: string[] = [];
  const blockedByUs: number[] = [];
  let values = new Float32Array(Math.min(limit, FIRST_ROWS) * FEATURE_COUNT);
  const where = { clientId, fromDay: day, beforeDay: addDays(day, 1), afterSim: after };
  const take = (row: CopiedFeatureRow): void => {
    const at = simIds.length * FEATURE_COUNT;
    if (at === values.length) {
      const more = new Float32Array(Math.min(limit * FEATURE_COUNT, 2 * at));
      more.set(values);
      values = more;
    }
    simIds.push(String(row.simId));
    countries.push(row.country);
    blockedByUs.push(row.isBlockedByUs ? 1 : 0);
    row.values(values, at);
  };
  await copyFeatureRows(tx, where, take, limit);
  return { simIds, countries, blockedByUs: Uint8Array.from(blockedByUs), values: values.slice(0, simIds.length * FEATURE_COUNT) };
}

/** Clients whose features of the day are stored, ascending. An operator-wide read of one row per client. */
export async function featureClients(tx: Transaction, day: Day): Promise<number[]> {
  const rows = await tx.query<{ client_id: number }>('SELECT client_id FROM feature_day WHERE day = $1 AND sims > 0 ORDER BY client_id', [
    day,
  ]);
  return rows.map((row) => row.client_id);
}

/** The 95 numbers of a stored row. */
export function featureValues(bytes: Buffer): Float32Array {
  const aligned = new Uint8Array(FEATURE_COUNT * 4);
  aligned.set(bytes.subarray(0, aligned.length));
  return new Float32Array(aligned.buffer);
}
