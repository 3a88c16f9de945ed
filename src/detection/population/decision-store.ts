/** Decisions as they are stored, one per client, day, detector and country; deciding a day again replaces them. */
import type { Transaction } from '../../database/database';
import type { Day } from '../days';
import type { PairDecision } from '../significance/decide';
import type { DayCount } from '../significance/own-usual';
import type { RankedDevice } from './anomaly-store';
import type { PlannedDetector } from './plan';

export interface StoredDecision {
  readonly clientId: number;
  readonly day: Day;
  readonly planned: PlannedDetector;
  readonly mode: 'ENABLED' | 'SHADOW' | 'DISABLED';
  readonly pairs: readonly PairDecision[];
  /** Countries of which somebody said that what happens there does no harm: nothing is raised of them. */
  readonly harmless: ReadonlySet<string>;
  /** Devices that raise alerts of their own. */
  readonly raised: readonly RankedDevice[];
  /** Countries that were decided on when the day was decided before. */
  readonly countriesBefore: readonly string[];
  /** SIMs that raised alerts when the day was decided before. */
  readonly raisedBefore: readonly string[];
}

/** What was counted on days before, by detector, client and country. */
export type PairDays = Map<string, readonly DayCount[]>;

/** Adds a client's stored counts of these days; those that were made under another scope measure something else. */
export async function readOwnDays(
  tx: Transaction,
  { clientId, from, before, plan }: { clientId: number; from: Day; before: Day; plan: readonly PlannedDetector[] },
  all: PairDays,
): Promise<void> {
  const rows = await tx.query<{ detector_id: string; scope: string; country: string; devices: number; flagged: number }>(
    `SELECT detector_id, scope, country, devices, flagged FROM client_anomaly WHERE client_id = $1 AND day >= $2 AND day < $3
      ORDER BY day, detector_id, country`,
    [clientId, from, before],
  );
  const scopes = new Map<string, string>(plan.map(({ detector, scope }) => [detector.meta.id, scope]));
  for (const { detector_id: detectorId, scope, country, devices, flagged } of rows) {
    if (scopes.get(detectorId) !== scope) continue;
    const key = `${detectorId} ${clientId} ${country}`;
    all.set(key, [...(all.get(key) ?? []), { devices, flagged }]);
  }
}

export async function replaceDecisions(
  tx: Transaction,
  decision: Omit<StoredDecision, 'countriesBefore' | 'raisedBefore'>,
): Promise<StoredDecision> {
  const { clientId, day, planned, mode, pairs, raised } = decision;
  const detectorId = planned.detector.meta.id;
  const before = await tx.query<{ country: string; raised_sims: string[] }>(
    'DELETE FROM client_anomaly WHERE client_id = $1 AND day = $2 AND detector_id = $3 RETURNING country, raised_sims',
    [clientId, day, detectorId],
  );
  if (mode === 'DISABLED')
    await tx.query('DELETE FROM device_anomaly WHERE client_id = $1 AND day = $2 AND detector_id = $3', [clientId, day, detectorId]);
  for (const pair of pairs) {
    await tx.query(
      `INSERT INTO client_anomaly (client_id, day, detector_id, country, scope, mode, devices, flagged, expected, z_score, p_value,
         corrected_p_value, verdict, raised_sims)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::int8[])`,
      [
        clientId,
        day,
        detectorId,
        pair.country,
        planned.scope,
        mode,
        pair.devices,
        pair.flagged,
        pair.expected,
        pair.zScore,
        pair.pValue,
        pair.correctedPValue,
        pair.verdict,
        raised.filter(({ country }) => country === pair.country).map(({ simId }) => simId),
      ],
    );
  }
  return {
    ...decision,
    countriesBefore: before.map(({ country }) => country),
    raisedBefore: before.flatMap(({ raised_sims: sims }) => sims),
  };
}
