/** Flagged devices as they are stored: ranked, without those that somebody said are harmless. */
import type { Transaction } from '../../database/database';
import type { Evidence } from '../../detector';
import { plainArray } from '../../telemetry/array-literal';
import type { Day } from '../days';
import type { FeatureRows } from './feature-rows';
import { hiddenBy } from './feedback-store';
import type { FlaggedRows } from './score-bucket';

const LAST_SIM = '9223372036854775807';

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

/** What an earlier run found in this stretch of SIMs goes; what this one found comes. */
export async function replaceAnomalies(
  tx: Transaction,
  at: { clientId: number; day: Day; detectorId: string; after: string; throughSim: string; isLast: boolean },
  rows: FeatureRows,
  clusters: Int32Array,
  { rows: flagged, scores, rawScores, evidence }: FlaggedRows,
): Promise<void> {
  const { clientId, day, detectorId, after, throughSim, isLast } = at;
  // The order makes it go by the primary key: of a day that no statistics know yet, any index looks as good, and one of them reads the whole platform's.
  const old = await tx.query<{ sim_id: string }>(
    `SELECT sim_id FROM device_anomaly WHERE client_id = $1 AND day = $2 AND detector_id = $3 AND sim_id > $4 AND sim_id <= $5
      ORDER BY sim_id`,
    [clientId, day, detectorId, after, isLast ? LAST_SIM : throughSim],
  );
  if (old.length > 0)
    await tx.query('DELETE FROM device_anomaly WHERE client_id = $1 AND day = $2 AND detector_id = $3 AND sim_id = ANY($4::int8[])', [
      clientId,
      day,
      detectorId,
      plainArray(old.map((row) => row.sim_id)),
    ]);
  if (flagged.length === 0) return;
  await tx.query(
    `INSERT INTO device_anomaly (client_id, day, detector_id, sim_id, country, cluster, score, raw_score, evidence)
     SELECT $1::int4, $2::date, $3::text, sim_id, country, cluster, score, raw_score, evidence
       FROM ROWS FROM (unnest($4::int8[], $5::text[], $6::int4[], $7::float8[], $8::float8[]), jsonb_array_elements($9::jsonb))
         AS found (sim_id, country, cluster, score, raw_score, evidence)
     RETURNING sim_id`,
    [
      clientId,
      day,
      detectorId,
      plainArray(Array.from(flagged, (row) => rows.simIds[row]!)),
      plainArray(Array.from(flagged, (row) => rows.countries[row]!)),
      plainArray(Array.from(flagged, (row) => clusters[row]!)),
      plainArray(Array.from(scores)),
      plainArray(Array.from(rawScores)),
      evidence,
    ],
  );
}
