/** Why a row of features stands out, in words that an engineer reads: "n_sai_reject 412, usual 3–9". */
import type { Evidence } from './contract';
import { featureCatalogue, type Feature } from './features';

/** What is usual per column, over the rows that a model was fitted on: the 5 %, 50 % and 95 % quantiles. */
export interface UsualRange {
  readonly low: ArrayLike<number>;
  readonly median: ArrayLike<number>;
  readonly high: ArrayLike<number>;
}

const MOST_REASONS = 5;
const LEAST_SHARE = 0.02;
const features: ReadonlyMap<string, Feature> = new Map(featureCatalogue.map((feature) => [feature.name, feature]));

/**
 * The columns that made the score high, at most five, the strongest first. `contributions`: how much each column adds to the score, by the
 * detector's own arithmetic; the weight of a reason is its share of all that adds. One of each group of
 * features comes first. What lies within the usual range is named only where nothing lies outside.
 */
export function featureEvidence(
  names: readonly string[],
  values: ArrayLike<number>,
  contributions: ArrayLike<number>,
  usual: UsualRange,
): Evidence[] {
  let total = 0;
  for (let column = 0; column < names.length; column++) total += Math.max(0, contributions[column]!);
  const isKnown = (column: number) => Number.isFinite(values[column]!) && Number.isFinite(usual.median[column]!);
  const adding: number[] = [];
  for (let column = 0; column < names.length; column++)
    if (contributions[column]! > LEAST_SHARE * total && isKnown(column)) adding.push(column);
  adding.sort((a, b) => contributions[b]! - contributions[a]! || a - b);
  const outside = adding.filter((column) => values[column]! < usual.low[column]! || values[column]! > usual.high[column]!);
  const candidates = outside.length > 0 ? outside : adding.length > 0 ? adding : [...names.keys()].filter(isKnown);
  const told = oneOfEachGroupFirst(candidates, names).slice(0, MOST_REASONS);
  return told.map((column): Evidence => {
    const name = names[column]!;
    return {
      column: name,
      observed: values[column]!,
      expected: usual.median[column]!,
      unit: features.get(name)?.unit ?? '',
      weight: total > 0 ? Math.max(0, contributions[column]!) / total : 0,
      text: `${name} ${amountInWords(values[column]!)}, usual ${rangeInWords(usual.low[column]!, usual.high[column]!)}`,
    };
  });
}

/** Features of a group tell the same story: the strongest of each group comes before a second one. */
function oneOfEachGroupFirst(columns: readonly number[], names: readonly string[]): number[] {
  const first: number[] = [];
  const others: number[] = [];
  const groups = new Set<string>();
  for (const column of columns) {
    const group = features.get(names[column]!)?.group ?? names[column]!;
    (groups.has(group) ? others : first).push(column);
    groups.add(group);
  }
  return [...first, ...others];
}

function rangeInWords(low: number, high: number): string {
  const [from, to] = [amountInWords(low), amountInWords(high)];
  return from === to ? from : `${from}–${to}`;
}

/** Three significant digits, and all those before the point: 412, 0.0313, 12,346. */
function amountInWords(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1000) return String(value);
  if (Math.abs(value) >= 1e12) return value.toExponential(1);
  const digits = Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
  return digits.includes('e') ? digits : digits.replace(/^(-?\d+)/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','));
}
