/** What a run found, in numbers: kept with it, so that a back-test leaves an answer without leaving anything else. */
import type { Day } from '../days';
import type { DetectorDecision } from './day-decision';

/** Anomalous pairs that are kept of a detector and day, the clearest first. */
const KEPT_PAIRS = 100;

export interface DetectorResult {
  readonly day: Day;
  readonly detector: string;
  readonly scope: string;
  readonly devices: number;
  readonly flagged: number;
  readonly pairs: number;
  readonly abstained: number;
  readonly anomalous: number;
  readonly clearest: readonly {
    readonly clientId: number;
    readonly country: string;
    readonly devices: number;
    readonly flagged: number;
    readonly expected: number;
    readonly zScore: number;
    readonly correctedPValue: number;
  }[];
  readonly failure: string | null;
}

export function resultOf(decisions: ReadonlyMap<Day, readonly DetectorDecision[]>): DetectorResult[] {
  return [...decisions].flatMap(([day, detectors]) =>
    detectors.map(({ planned, pairs, rows, flagged, failure }): DetectorResult => {
      const anomalous = pairs.filter(({ verdict }) => verdict === 'ANOMALOUS').sort((a, b) => b.zScore - a.zScore);
      return {
        day,
        detector: planned.detector.meta.id,
        scope: planned.scope,
        devices: rows,
        flagged,
        pairs: pairs.length,
        abstained: pairs.filter(({ verdict }) => verdict === 'ABSTAINED').length,
        anomalous: anomalous.length,
        clearest: anomalous.slice(0, KEPT_PAIRS).map(({ clientId, country, devices, flagged: hit, expected, zScore, correctedPValue }) => ({
          clientId,
          country,
          devices,
          flagged: hit,
          expected,
          zScore,
          correctedPValue,
        })),
        failure,
      };
    }),
  );
}
