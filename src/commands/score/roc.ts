/** How well scores tell anomalies from the rest. */
import { SimwardenError } from '../../errors';

/**
 * Area under the ROC curve: the chance that an anomaly scores higher than another row, ties counting half (Mann and Whitney).
 * Rows without a score rank below all others. `labels`: 1 = anomaly.
 */
export function areaUnderRoc(scores: Float64Array, labels: Uint8Array): number {
  const keys = scores.map((score) => (Number.isNaN(score) ? -Infinity : score));
  const order = Uint32Array.from(keys.keys()).sort((a, b) => (keys[a]! < keys[b]! ? -1 : keys[a]! > keys[b]! ? 1 : 0));
  const { anomalies, others } = countKinds(labels);
  let ranks = 0;
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && keys[order[to]!] === keys[order[from]!]) to += 1;
    const rank = (from + 1 + to) / 2;
    for (let place = from; place < to; place++) ranks += labels[order[place]!]! * rank;
    from = to;
  }
  return (ranks - (anomalies * (anomalies + 1)) / 2) / (anomalies * others);
}

/** Throws where all rows are of one kind: there is nothing to rank then. */
export function countKinds(labels: Uint8Array): { readonly anomalies: number; readonly others: number } {
  const anomalies = labels.reduce((sum, label) => sum + label, 0);
  const others = labels.length - anomalies;
  if (anomalies === 0 || others === 0)
    throw new SimwardenError('BAD_USER_INPUT', {
      what: `The label column says that ${anomalies} of ${labels.length} rows are anomalies; both kinds are needed to compare them.`,
    });
  return { anomalies, others };
}
