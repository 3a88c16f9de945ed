/** Flagged devices as they are stored: ranked, without those that somebody said are harmless. */
import type { Transaction } from '../../database/database';
import type { Evidence } from '../../detector';
import type { Day } from '../days';
import { hiddenBy } from './feedback-store';

/** A flagged device with its fleet. */
export interface RankedDevice {
  readonly simId: string;
  readonly fleetId: string | null;
  readonly country: string;
  readonly score: number;
  readonly evidence: readonly Evidence[];
}

const HIDDEN_BY = hiddenBy('SIM');

/** The highest scores of the countries. */
export async function readRankedDevices(
  tx: Transaction,
  of: {
    readonly clientId: number;
    readonly day: Day;
    readonly detectorId: string;
    readonly countries: readonly string[];
    readonly limit: number;
  },
): Promise<RankedDevice[]> {
  const rows = await tx.query<{ sim_id: string; fleet_id: string | null; country: string; score: number; evidence: Evidence[] }>(
    `SELECT anomaly.sim_id, sim.fleet_id, anomaly.country, anomaly.score, anomaly.evidence
       FROM device_anomaly anomaly JOIN sim ON sim.client_id = anomaly.client_id AND sim.sim_id = anomaly.sim_id
      WHERE anomaly.client_id = $1 AND sim.client_id = $1 AND anomaly.day = $2 AND anomaly.detector_id = $3
        AND anomaly.country = ANY($4::text[]) AND sim.closed_at IS NULL AND NOT EXISTS (${HIDDEN_BY})
      ORDER BY anomaly.score DESC, anomaly.sim_id DESC LIMIT $5`,
    [of.clientId, of.day, of.detectorId, of.countries, of.limit],
  );
  return rows.map((row) => ({ simId: row.sim_id, fleetId: row.fleet_id, country: row.country, score: row.score, evidence: row.evidence }));
}
