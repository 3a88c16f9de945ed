import { seededRandom } from '../../numeric';
import { difference } from '../answers';
import { simOfRow } from '../rows';
import type { Check } from './check';

export const orderFree: Check = {
  id: 'order-free',
  title: 'shuffling the SIMs shuffles the answers and changes none',
  async run(bench) {
    for (const each of bench.cases) {
      const first = await bench.detect(each);
      // A detector that remembers differs anyhow: that is for the check `stateless` to say.
      if (difference(bench.detector.meta, first, await bench.detect(each)) !== undefined) continue;
      const shuffled = shuffledBySim(simOfRow(each.rows));
      const placeOf = new Array<number>(shuffled.length);
      shuffled.forEach((row, place) => {
        placeOf[row] = place;
      });
      const second = await bench.detect(
        each,
        bench.input(
          each,
          shuffled.map((row) => each.rows[row]!),
        ),
      );
      const found = difference(bench.detector.meta, first, second, placeOf);
      if (found !== undefined)
        return [`${each.name}: in another order of SIMs, ${found}; a SIM's verdict may not depend on its neighbours`];
    }
    return [];
  },
};

/** Rows in a new order of SIMs; the rows of one SIM keep theirs. */
function shuffledBySim(sims: readonly number[]): number[] {
  const rowsOf = new Map<number, number[]>();
  sims.forEach((sim, row) => rowsOf.set(sim, [...(rowsOf.get(sim) ?? []), row]));
  const groups = [...rowsOf.values()];
  const random = seededRandom(groups.length);
  for (let last = groups.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [groups[last], groups[other]] = [groups[other]!, groups[last]!];
  }
  return groups.flat();
}
