/** What people said of anomalies, in SQL: which HARMLESS hides a row, what is shown with it, and how a word is stored. */
import type { Transaction } from '../../database/database';
import type { Entropy } from '../../runtime';
import type { Day } from '../days';
import type { FeedbackVerdict } from './feedback-type';

/** SIM: a flagged device, by its sim_id; CLIENT: a decision on the client's devices in a country, by the country. */
export type FeedbackSubject = 'SIM' | 'CLIENT';

const ON: Readonly<Record<FeedbackSubject, string>> = { SIM: 'anomaly.sim_id::text', CLIENT: 'anomaly.country' };

/** Words that decide whether something is hidden; the others neither hide nor lift. */
const DECISIVE = `('HARMLESS', 'HARMFUL')`;

/**
 * Rows where a HARMLESS hides a subject on a day: it was said of that day or of one before, is not over yet, and is the last word that decides:
 * a HARMFUL given later lifts it from its own day on, and a HARMLESS given later says anew until when. At most one row. `of`: the subject's words.
 */
function hiding(columns: string, of: string, day: string): string {
  return `SELECT ${columns} FROM anomaly_feedback feedback
   WHERE ${of} AND feedback.verdict = 'HARMLESS' AND feedback.day <= ${day} AND (feedback.until IS NULL OR feedback.until >= ${day})
     AND NOT EXISTS (SELECT later.feedback_id FROM anomaly_feedback later
       WHERE later.client_id = feedback.client_id AND later.detector_id = feedback.detector_id AND later.subject = feedback.subject
         AND later.subject_id = feedback.subject_id AND later.verdict IN ${DECISIVE} AND later.day <= ${day}
         AND (later.given_at, later.day) > (feedback.given_at, feedback.day))`;
}

const of = (subject: FeedbackSubject): string =>
  `feedback.client_id = anomaly.client_id AND feedback.detector_id = anomaly.detector_id AND feedback.subject = '${subject}'
     AND feedback.subject_id = ${ON[subject]}`;

/** Rows where somebody's HARMLESS hides the row `anomaly`. */
export function hiddenBy(subject: FeedbackSubject): string {
  return hiding('feedback.feedback_id', of(subject), 'anomaly.day');
}

const WORD = ['verdict', 'reason', 'until', 'given_at', 'given_by'] as const;
const WORD_COLUMNS = WORD.map((column) => `feedback.${column}`).join(', ');

/** Columns of `withFeedback`, as FeedbackColumns has them. */
export const FEEDBACK_COLUMNS = (['said', 'hiding'] as const)
  .flatMap((word) => WORD.map((column) => `${word}.${column} AS ${word}_${column}`))
  .join(', ');

/** Joins to the row `anomaly` what was said of that very day, and the word that hides it. */
export function withFeedback(subject: FeedbackSubject): string {
  return `LEFT JOIN LATERAL (SELECT ${WORD_COLUMNS} FROM anomaly_feedback feedback WHERE ${of(subject)} AND feedback.day = anomaly.day) said ON true
     LEFT JOIN LATERAL (${hiding(WORD_COLUMNS, of(subject), 'anomaly.day')}) hiding ON true`;
}

/** Countries whose decision on the day nobody is to be bothered with. */
export async function harmlessCountries(tx: Transaction, clientId: number, detectorId: string, day: Day): Promise<ReadonlySet<string>> {
  const ofClient = `feedback.client_id = $1 AND feedback.detector_id = $2 AND feedback.subject = 'CLIENT'`;
  const rows = await tx.query<{ country: string }>(hiding('feedback.subject_id AS country', ofClient, '$3::date'), [
    clientId,
    detectorId,
    day,
  ]);
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

/** A later word on the same subject and day replaces the one before, whatever it says. */
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
