/** Which windows fired before: detection asks for hysteresis and for how many windows in a row a kind has fired. */
import { singleton } from 'tsyringe';
import type { Transaction } from '../database/database';
import { fingerprint, FiringHistory, type FiringQuestion, type FiringWindow } from '../detection/verdicts';

const firing = `SELECT alert.detector_id AS "detectorId", alert.kind, alert.subject_id AS "subjectId", occurrence.window_start AS "windowStart"
  FROM alert JOIN alert_occurrence occurrence ON occurrence.client_id = alert.client_id AND occurrence.alert_id = alert.alert_id
  WHERE alert.client_id = $1 AND occurrence.client_id = $1 AND occurrence.window_start >= $2 AND occurrence.window_start < $3`;

@singleton()
export class AlertFiringHistory extends FiringHistory {
  /** SIMs, of which there are thousands, are found by themselves, whatever the kinds; the few other subjects by their fingerprints. */
  async windows(tx: Transaction, clientId: number, { kinds, subjectIds, from, to }: FiringQuestion): Promise<FiringWindow[]> {
    const asked = new Set(kinds.map(({ detectorId, kind }) => `${detectorId} ${kind}`));
    const prints = kinds
      .filter(({ subject }) => subject !== 'SIM')
      .flatMap((kind) => (subjectIds[kind.subject] ?? []).map((subjectId) => fingerprint({ ...kind, subjectId })));
    const simIds = kinds.some(({ subject }) => subject === 'SIM') ? (subjectIds.SIM ?? []) : [];
    const rows = await tx.query<FiringWindow>(
      `${firing} AND alert.sim_id = ANY($4::int8[]) UNION ALL ${firing} AND alert.fingerprint = ANY($5::text[])
       ORDER BY "windowStart", "subjectId"`,
      [clientId, from, to, simIds, prints],
    );
    return rows.filter(({ detectorId, kind }) => asked.has(`${detectorId} ${kind}`));
  }
}
