/** Feature rows as they are stored: one per SIM and UTC day, 95 float32 little-endian in the order of the catalogue. */
import type { Transaction } from '../../database/database';
import { FEATURE_COUNT } from '../../detector';
import type { Day } from '../days';

export interface FeatureRows {
  readonly simIds: readonly string[];
  /** ISO 3166-1 alpha-2; ZZ where unknown. */
  readonly countries: readonly string[];
  readonly blockedByUs: Uint8Array;
  /** rows × 95. */
  readonly values: Float32Array;
}

export interface FeaturePage {
  readonly clientId: number;
  readonly day: Day;
  /** sim_id after which to read; absent: from the first. */
  readonly after?: string;
  readonly limit: number;
}

export async function readFeatureRows(tx: Transaction, page: FeaturePage): Promise<FeatureRows> {
  const rows = await tx.query<{ sim_id: string; country: string; blocked_by_us: boolean; feature_values: Buffer }>(
    `SELECT sim_id, country, blocked_by_us, feature_values FROM sim_feature_day
      WHERE client_id = $1 AND day = $2 AND sim_id > $3 ORDER BY sim_id LIMIT $4`,
    [page.clientId, page.day, page.after ?? '0', page.limit],
  );
  const values = new Float32Array(rows.length * FEATURE_COUNT);
  const bytes = Buffer.from(values.buffer);
  rows.forEach((row, index) => row.feature_values.copy(bytes, index * FEATURE_COUNT * 4));
  return {
    simIds: rows.map((row) => row.sim_id),
    countries: rows.map((row) => row.country),
    blockedByUs: Uint8Array.from(rows, (row) => (row.blocked_by_us ? 1 : 0)),
    values,
  };
}

/** Clients with feature rows of the day. */
export async function featureClients(tx: Transaction, day: Day): Promise<number[]> {
  const rows = await tx.query<{ client_id: number }>('SELECT DISTINCT client_id FROM sim_feature_day WHERE day = $1 ORDER BY client_id', [
    day,
  ]);
  return rows.map((row) => row.client_id);
}
