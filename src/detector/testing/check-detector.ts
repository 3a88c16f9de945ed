/** Puts a detector through every check of the contract. */
import type { ColumnName } from '../columns';
import type { Detector } from '../contract';
import { Bench, type AnomalousCase, type QuietCase } from './bench';
import { checks } from './checks';
import type { Check, CheckSettings } from './checks/check';
import { told } from './told';

export interface CheckOptions {
  /** Fleets that must not alarm; at least one. `syntheticUsage` and `syntheticEvents` make some. */
  readonly quiet: readonly QuietCase[];
  /** Planted anomalies that must be found; at least one. */
  readonly anomalous: readonly AnomalousCase[];
  /** Options for all cases; what is not given has its default. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Text of the README; without it that check is skipped. */
  readonly readme?: string;
  /** Columns of the past without which it must abstain. Default: those of the catalogue that look back over weeks. */
  readonly history?: readonly ColumnName[];
  /** Checks known to fail, each with the reason. One that passes is a failure. */
  readonly expectedFailures?: Readonly<Record<string, string>>;
}

export interface CheckResult {
  readonly id: string;
  readonly title: string;
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'failed as expected';
  /** What to change, why it was skipped, or why the failure is expected. */
  readonly messages: readonly string[];
}

const columnsOfThePast: readonly ColumnName[] = [
  'baselineDayBytes',
  'baselineWeekBytes',
  'silentDays',
  'activeDaysOf28',
  'daysSinceRegistered',
  'imeiMatch',
  'imeiChange',
  'networkFamilySims',
  'destinationFamilySims',
];

/** Runs all checks; throws only where the kit itself is used wrongly. */
export async function checkDetector<Columns extends ColumnName, Options>(
  detector: Detector<Columns, Options>,
  options: CheckOptions,
): Promise<CheckResult[]> {
  const run = prepareChecks(detector, options);
  const results: CheckResult[] = [];
  for (const check of checks) results.push(await run(check));
  return results;
}

/** What is wrong with a detector's declaration: the checks that call none of its code, for a host that is about to load it. */
export async function checkDeclaration<Columns extends ColumnName, Options>(detector: Detector<Columns, Options>): Promise<string[]> {
  const bench = new Bench(detector, [], [], {});
  const mistakes: string[] = [];
  for (const check of checks) {
    if (check.dataFree !== true) continue;
    const answer = await check.run(bench, settingsOf({ quiet: [], anomalous: [] }));
    if (!('skipped' in answer)) mistakes.push(...answer);
  }
  return mistakes;
}

/** One bench for all checks of a detector. */
export function prepareChecks<Columns extends ColumnName, Options>(
  detector: Detector<Columns, Options>,
  options: CheckOptions,
): (check: Check) => Promise<CheckResult> {
  for (const list of ['quiet', 'anomalous'] as const) {
    if (options[list].length === 0)
      throw new Error(`${list}: expected at least one case; a detector is checked against both quiet and anomalous fleets`);
    if (options[list].some(({ rows }) => rows.length === 0)) throw new Error(`${list}: a case has no rows`);
  }
  for (const id of Object.keys(options.expectedFailures ?? {})) {
    if (!checks.some((check) => check.id === id))
      throw new Error(`expectedFailures: there is no check ${id}; the checks are ${checks.map((check) => check.id).join(', ')}`);
  }
  const bench = new Bench(detector, options.quiet, options.anomalous, options.options ?? {});
  const settings = settingsOf(options);
  let first: Promise<boolean> | undefined;
  const throwsAtOnce = (): Promise<boolean> =>
    (first ??= bench.detect(bench.quiet[0]!).then(
      () => false,
      () => true,
    ));
  return async (check) => {
    const speaks = check.dataFree === true || toldOnce.has(check.id);
    const answer = !speaks && (await throwsAtOnce()) ? { skipped: THROWS } : await messagesOf(check, bench, settings);
    return judged(check, answer, options.expectedFailures?.[check.id]);
  };
}

/** One mistake is told once: where detect throws on any input, these say so, and the others wait. */
const toldOnce = new Set(['output-shape', 'readme-complete']);
const THROWS = 'detect throws on the first quiet fleet: output-shape says what; mend that first';

function settingsOf(options: CheckOptions): CheckSettings {
  return {
    readme: options.readme,
    falseAlarmsPer1000: 1,
    microsecondsPerRow: 10,
    history: options.history ?? columnsOfThePast,
  };
}

async function messagesOf(check: Check, bench: Bench, settings: CheckSettings) {
  try {
    return await check.run(bench, settings);
  } catch (error) {
    return [`threw ${told(error)}`];
  }
}

function judged({ id, title }: Check, answer: Awaited<ReturnType<Check['run']>>, expectedFailure: string | undefined): CheckResult {
  if ('skipped' in answer) return { id, title, outcome: 'skipped', messages: [answer.skipped] };
  if (expectedFailure === undefined) return { id, title, outcome: answer.length === 0 ? 'passed' : 'failed', messages: answer };
  return answer.length > 0
    ? { id, title, outcome: 'failed as expected', messages: [expectedFailure, ...answer] }
    : { id, title, outcome: 'failed', messages: [`was expected to fail (${expectedFailure}) and passes: take it off expectedFailures`] };
}
