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
  const columns = names.map((_, column) => column);
  const total = columns.reduce((sum, column) => sum + Math.max(0, contributions[column]!), 0);
  const known = columns.filter((column) => Number.isFinite(values[column]!) && Number.isFinite(usual.median[column]!));
  const adding = known
    .filter((column) => contributions[column]! > LEAST_SHARE * total)
    .sort((a, b) => contributions[b]! - contributions[a]! || a - b);
  const outside = adding.filter((column) => values[column]! < usual.low[column]! || values[column]! > usual.high[column]!);
  const told = oneOfEachGroupFirst(outside.length > 0 ? outside : adding.length > 0 ? adding : known, names).slice(0, MOST_REASONS);
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
  const groupOf = (column: number) => features.get(names[column]!)?.group ?? names[column]!;
  const first = columns.filter((column, place) => columns.findIndex((other) => groupOf(other) === groupOf(column)) === place);
  return [...first, ...columns.filter((column) => !first.includes(column))];
}

function rangeInWords(low: number, high: number): string {
  const [from, to] = [amountInWords(low), amountInWords(high)];
  return from === to ? from : `${from}–${to}`;
}

/** Three significant digits, and all those before the point: 412, 0.0313, 12,346. */
function amountInWords(value: number): string {
  if (Math.abs(value) >= 1e12) return value.toExponential(1);
  const digits = Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
  return digits.includes('e') ? digits : digits.replace(/^(-?\d+)/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','));
}
