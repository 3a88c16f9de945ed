/** Month-to-month consistency: a cluster that is much the same after a refit keeps its number; a new one gets a number that was never used. */
import { CLUSTER_WIDTH } from './cluster-features';
import type { ClusterModel } from './clusters';

/** Further apart than this (root mean square, in standard deviations of the older fit) two clusters are not the same. */
const SAME_WITHIN = 1;

export interface MatchedClusters {
  readonly clusters: ClusterModel;
  /** Numbers that were known before. */
  readonly continuing: ReadonlySet<number>;
}

/** `before`: the fit whose numbers are to last; null where there is none. `firstFree`: the lowest number never used. */
export function keepNumbers(fitted: ClusterModel, before: ClusterModel | null, firstFree: number): MatchedClusters {
  const pairs = fitted.numbers.flatMap((_, component) =>
    (before?.numbers ?? []).map((number, earlier) => ({
      component,
      number,
      distance: distanceBetween(fitted, component, before!, earlier),
    })),
  );
  pairs.sort((a, b) => a.distance - b.distance || a.component - b.component || a.number - b.number);
  const chosen = new Map<number, number>();
  const taken = new Set<number>();
  for (const { component, number, distance } of pairs) {
    if (distance > SAME_WITHIN || chosen.has(component) || taken.has(number)) continue;
    chosen.set(component, number);
    taken.add(number);
  }
  let next = firstFree;
  // in the order of their weight, as they would be numbered afresh
  const fresh = [...fitted.numbers.keys()].sort((a, b) => fitted.numbers[a]! - fitted.numbers[b]!);
  for (const component of fresh) if (!chosen.has(component)) chosen.set(component, next++);
  const numbers = fitted.numbers.map((_, component) => chosen.get(component)!);
  return { clusters: fitted.with(numbers, fitted.centres), continuing: taken };
}

function distanceBetween(one: ClusterModel, component: number, other: ClusterModel, earlier: number): number {
  let sum = 0;
  for (let i = 0; i < CLUSTER_WIDTH; i++) {
    const apart = one.centres[component * CLUSTER_WIDTH + i]! - other.centres[earlier * CLUSTER_WIDTH + i]!;
    sum += (apart / other.scaler.deviations[i]!) ** 2;
  }
  return Math.sqrt(sum / CLUSTER_WIDTH);
}
