/** Which blocks need the confirmation of another person than the one who asked. */
import { SimwardenError } from '../errors';

export interface SecondPersonGrounds {
  readonly criticalCount: number;
  readonly simCount: number;
  /** The client's `second_person_above`. */
  readonly secondPersonAbove: number;
  readonly requestedByDetector: boolean;
}

/** Why a second person is needed, in words; null when the requester may confirm alone. */
export function secondPersonReason(grounds: SecondPersonGrounds): string | null {
  const reasons = [
    grounds.requestedByDetector ? 'a detector asked for it' : null,
    grounds.criticalCount > 0 ? `${grounds.criticalCount} of the devices ${grounds.criticalCount === 1 ? 'is' : 'are'} critical` : null,
    grounds.simCount > grounds.secondPersonAbove ? `${grounds.simCount} SIMs are hit, more than ${grounds.secondPersonAbove}` : null,
  ].filter((reason) => reason !== null);
  return reasons.length > 0 ? reasons.join(', and ') : null;
}

/** Persons, not credentials: two keys of one owner are one person, also where one was written `Ana@example.com` and the other `ana@example.com`. */
export function requireSecondPerson(reason: string | null, requestedPerson: string, confirmingPerson: string): void {
  if (reason !== null && sameName(requestedPerson) === sameName(confirmingPerson)) {
    throw new SimwardenError('SECOND_PERSON_REQUIRED', { person: requestedPerson, why: reason });
  }
}

function sameName(person: string): string {
  return person.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();
}
