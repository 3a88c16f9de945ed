/** Control of the false discovery rate: thousands of pairs are judged a day, and 1 % false alarms of each would be many. */

/**
 * Corrected p-values of Benjamini and Hochberg (1995), in the order given: declaring those at most q anomalous keeps the expected share of false
 * ones among them at most q.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!);
  const corrected = new Array<number>(pValues.length);
  let smallest = 1;
  for (let rank = order.length; rank >= 1; rank--) {
    const index = order[rank - 1]!;
    smallest = Math.min(smallest, (pValues[index]! * pValues.length) / rank);
    corrected[index] = smallest;
  }
  return corrected;
}
