/** The order of severities. */
import type { Severity } from '../detector';

export const severities: readonly Severity[] = ['INFO', 'WARNING', 'CRITICAL'];

/** True when `one` is worse than `other`; anything is worse than nothing. */
export function isWorse(one: Severity | null, other: Severity | null): boolean {
  return rank(one) > rank(other);
}

export function worst(given: readonly Severity[]): Severity | null {
  return given.reduce<Severity | null>((soFar, severity) => (isWorse(severity, soFar) ? severity : soFar), null);
}

function rank(severity: Severity | null): number {
  return severity === null ? -1 : severities.indexOf(severity);
}
