/** What people said of anomalies, in SQL: which HARMLESS hides a row, what is shown with it, and how a word is stored. */
import type { Transaction } from '../../database/database';
import type { Entropy } from '../../runtime';
import type { Day } from '../days';
import type { FeedbackVerdict } from './feedback-type';

/** SIM: a flagged device, by its sim_id; CLIENT: a decision on the client's devices in a country, by the country. */
export type FeedbackSubject = 'SIM' | 'CLIENT';

const ON: Readonly<Record<FeedbackSubject, string>> = { SIM: 'anomaly.sim_id::text', CLIENT: 'anomaly.country' };

const of = (subject: FeedbackSubject): string =>
  `feedback.client_id = anomaly.client_id AND feedback.detector_id = anomaly.detector_id AND feedback.subject = '${subject}'
     AND feedback.subject_id = ${ON[subject]} AND feedback.day <= anomaly.day`;

const HIDES = `feedback.verdict = 'HARMLESS' AND (feedback.until IS NULL OR feedback.until >= anomaly.day)`;

/** Rows where somebody's HARMLESS hides the row `anomaly`: said of this subject and detector on that day or before, and not over yet. */
export function hiddenBy(subject: FeedbackSubject): string {
  return `SELECT feedback.feedback_id FROM anomaly_feedback feedback WHERE ${of(subject)} AND ${HIDES}`;
}

/** What was said of the row `anomaly`: of that day itself, else by a HARMLESS that hides it, the latest first. */
export function feedbackOn(subject: FeedbackSubject): string {
  return `SELECT feedback.verdict, feedback.reason, feedback.until, feedback.given_at, feedback.given_by FROM anomaly_feedback feedback
   WHERE ${of(subject)} AND (feedback.day = anomaly.day OR (${HIDES})) ORDER BY feedback.day DESC LIMIT 1`;
}

/** Countries whose decision on the day nobody is to be bothered with. */
export async function harmlessCountries(tx: Transaction, clientId: number, detectorId: string, day: Day): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ country: string }>(
    `SELECT subject_id AS country FROM anomaly_feedback
      WHERE client_id = $1 AND detector_id = $2 AND subject = 'CLIENT' AND verdict = 'HARMLESS' AND day <= $3 AND (until IS NULL OR until >= $3)`,
    [clientId, detectorId, day],
  );
  return new Set(rows.map(({ country }) => country));
}

export interface FeedbackWord {
  readonly clientId: number;
  readonly day: Day;
  readonly detectorId: string;
  readonly subject: FeedbackSubject;
  readonly subjectId: string;
  readonly verdict: FeedbackVerdict;
  readonly reason: string | null;
  readonly until: Day | null;
  readonly givenAt: Date;
  readonly givenBy: string;
}

/** A later word on the same subject and day replaces the one before. */
export async function storeFeedback(tx: Transaction, entropy: Entropy, word: FeedbackWord): Promise<void> {
  await tx.query(
    `INSERT INTO anomaly_feedback (client_id, feedback_id, day, detector_id, subject, subject_id, verdict, reason, until, given_at, given_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     ON CONFLICT (client_id, detector_id, subject, subject_id, day) DO UPDATE SET verdict = EXCLUDED.verdict, reason = EXCLUDED.reason,
       until = EXCLUDED.until, given_at = EXCLUDED.given_at, given_by = EXCLUDED.given_by`,
    [
      word.clientId,
      entropy.uuid(),
      word.day,
      word.detectorId,
      word.subject,
      word.subjectId,
      word.verdict,
      word.reason,
      word.until,
      word.givenAt,
      word.givenBy,
    ],
  );
}
