/** Stored feature rows as those read them who compare SIMs: a client's day page by page, in columns. */
import type { Transaction } from '../../database/database';
import { FEATURE_COUNT } from '../../detector';
import type { Day } from '../days';

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

export async function readFeatureRows(tx: Transaction, { clientId, day, after = '0', limit }: FeatureRowsAsked): Promise<FeatureRows> {
  const rows = await tx.query<{ sim_id: string; country: string; blocked_by_us: boolean; feature_values: Buffer }>(
    `SELECT sim_id, country, blocked_by_us, feature_values FROM sim_feature_day
      WHERE client_id = $1 AND day = $2 AND sim_id > $3 ORDER BY sim_id LIMIT $4`,
    [clientId, day, after, limit],
  );
  const values = new Float32Array(rows.length * FEATURE_COUNT);
  rows.forEach((row, index) => values.set(featureValues(row.feature_values), index * FEATURE_COUNT));
  return {
    simIds: rows.map((row) => row.sim_id),
    countries: rows.map((row) => row.country),
    blockedByUs: Uint8Array.from(rows, (row) => (row.blocked_by_us ? 1 : 0)),
    values,
  };
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
