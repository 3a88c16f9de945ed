/** What detection hands to the right: findings, what was judged without one, and how far the client's days are closed. */
import type { Evidence, Kind, Severity } from '../detector';
import type { Transaction } from '../database/database';

export type SubjectKind = Kind['subject'];

/** One subject, one window, one kind that fires. */
export interface Finding {
  readonly detectorId: string;
  readonly kind: string;
  readonly title: string;
  readonly subject: SubjectKind;
  /** sim_id, fleet_id, PLMN, country (ISO 3166-1 alpha-2), or the client_id, as text; of a client in one country, `clientInCountry`. */
  readonly subjectId: string;
  readonly simId: string | null;
  readonly fleetId: string | null;
  readonly windowStart: Date;
  readonly windowEnd: Date;
  readonly severity: Severity;
  readonly score: number;
  readonly evidence: readonly Evidence[];
}

/** The subjects that a kind judged in one window (abstentions left out): those without a finding lose their occurrence of that window. */
export interface Judged {
  readonly detectorId: string;
  readonly kind: string;
  readonly subject: SubjectKind;
  readonly windowStart: Date;
  readonly subjectIds: readonly string[];
}

export interface Verdicts {
  readonly clientId: number;
  readonly findings: readonly Finding[];
  readonly judged: readonly Judged[];
  /** End of the client's last closed day (event time): alerts without a hit since long enough resolve. null before the first close. */
  readonly closedThrough: Date | null;
  /** They come from the population run, and `closedThrough` says how far that is: it alone clears what population detectors raised. */
  readonly ofPopulation?: true;
}

/** subjectId of a client's trouble in one visited country: a second country that begins later is a second alert. */
export function clientInCountry(clientId: number, country: string): string {
  return `${clientId}:${country}`;
}

/** The country that a subject is about; null where it is about none. */
export function countryOf({ subject, subjectId }: Pick<Finding, 'subject' | 'subjectId'>): string | null {
  if (subject === 'COUNTRY') return subjectId;
  return subject === 'CLIENT' ? (/^\d+:([A-Z]{2})$/.exec(subjectId)?.[1] ?? null) : null;
}

/** fingerprint of an alert within its client. */
export function fingerprint(finding: Pick<Finding, 'subject' | 'subjectId' | 'detectorId' | 'kind'>): string {
  return `${finding.subject}:${finding.subjectId}:${finding.detectorId}:${finding.kind}`;
}

/** Whom kinds speak of, and in which time. */
export interface FiringQuestion {
  readonly kinds: readonly { readonly detectorId: string; readonly kind: string; readonly subject: SubjectKind }[];
  /** By the sort of subject. */
  readonly subjectIds: Readonly<Partial<Record<SubjectKind, readonly string[]>>>;
  readonly from: Date;
  readonly to: Date;
}

export interface FiringWindow {
  readonly detectorId: string;
  readonly kind: string;
  readonly subjectId: string;
  readonly windowStart: Date;
}

/** Which windows fired before: answered by the alerts slice, asked by the host for `wasFiring` and `consecutiveWindows`. */
export abstract class FiringHistory {
  /** Occurrences of these kinds with windowStart in [from, to), of any alert, for these subjects. */
  abstract windows(transaction: Transaction, clientId: number, question: FiringQuestion): Promise<FiringWindow[]>;
}

/** The rest of the flow (raise, correlate, respond), given to detection by the composition root. */
export abstract class VerdictCommit {
  /** Runs inside the transaction that also removes the work which led to these verdicts: all of it is stored, or none. */
  abstract commit(transaction: Transaction, verdicts: Verdicts): Promise<void>;
}
