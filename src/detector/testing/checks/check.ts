/** What a check is: a name, the demand it makes, and what is wrong with a detector that does not meet it. */
import type { Bench } from '../bench';

/** Mistakes in words that say what to change; none means passed. `skipped` says why the demand does not apply. */
type CheckAnswer = readonly string[] | { readonly skipped: string };

export interface CheckSettings {
  readonly readme?: string;
  readonly falseAlarmsPer1000: number;
  readonly microsecondsPerRow: number;
  /** Columns that hold the past; without them the detector must abstain. */
  readonly history: readonly string[];
}

export interface Check {
  readonly id: string;
  /** The demand, in one line. */
  readonly title: string;
  /** Whether it looks at the declaration, and without cases calls no code of the detector: the host runs these at load. */
  readonly dataFree?: boolean;
  run(bench: Bench, settings: CheckSettings): CheckAnswer | Promise<CheckAnswer>;
}
