/** Reads, in one transaction, all that a run of some detectors on one page needs; and runs them once it has ended. */
import type { Transaction } from '../../database/database';
import type { ColumnName, Detector } from '../../detector';
import type { ConfiguredGroup } from '../host/configuration';
import { failedOutcome, runDetector, type DetectorOutcome, type RunMaterial } from '../host/run';
import { nothingLater, readStreaks, type LaterActivity } from '../host/windows';
import { observeEvents, observeFeatures, observeUsage, type Observation, type ObservationScope, type SimFacts } from '../observe';
import type { FiringHistory } from '../verdicts';

/** Inputs whose rows are SIMs, or events of SIMs. */
export const observers = { usage: observeUsage, events: observeEvents, features: observeFeatures } as const;

/** Who is configured where the rows are not SIMs: the client. */
export const wholeClient: SimFacts = {
  simId: '',
  fleetId: null,
  family: null,
  lifecycleActive: true,
  blockedByUs: false,
  critical: false,
  registeredAt: 0,
};

/** A detector, and what to run it on, or why it can't. */
export interface Prepared {
  readonly detector: Detector;
  readonly material: RunMaterial | { readonly failure: string };
}

export interface PageQuestion {
  readonly scope: ObservationScope;
  readonly detectors: readonly Detector[];
  readonly observe: (needs: ReadonlySet<ColumnName>) => Promise<Observation>;
  /** Asked only where a kind's window is longer than a day. */
  readonly later: () => Promise<LaterActivity>;
  /** Throws where stored options no longer fit the detector. */
  readonly groups: (detector: Detector, observation: Observation) => readonly ConfiguredGroup[];
}

export async function prepareRuns(
  tx: Transaction,
  history: FiringHistory,
  { scope, detectors, observe, later, groups }: PageQuestion,
): Promise<Prepared[]> {
  if (detectors.length === 0 || scope.sims.length === 0) return [];
  const observation = await observe(new Set<ColumnName>(detectors.flatMap((detector) => [...detector.meta.needs])));
  const longWindows = detectors.some((detector) => detector.meta.kinds.some((kind) => kind.window !== 'DAY'));
  const laterActivity = longWindows ? await later() : nothingLater;
  const streaks = await readStreaks(tx, history, scope, observation, detectors);
  return detectors.map((detector, index): Prepared => {
    try {
      const material = { scope, observation, later: laterActivity, groups: groups(detector, observation), streaks: streaks[index]! };
      return { detector, material };
    } catch (error) {
      return { detector, material: { failure: (error as Error).message } };
    }
  });
}

export async function runPrepared(prepared: readonly Prepared[]): Promise<DetectorOutcome[]> {
  const outcomes: DetectorOutcome[] = [];
  for (const { detector, material } of prepared) {
    outcomes.push('failure' in material ? failedOutcome(detector, material.failure) : await runDetector(detector, material));
  }
  return outcomes;
}
