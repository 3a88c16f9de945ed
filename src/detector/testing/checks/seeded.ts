import { difference } from '../answers';
import { usualAmbient } from '../bench';
import type { Check } from './check';

/** An hour later, with other luck: neither may matter. */
const otherAmbient = { seed: 2, milliseconds: usualAmbient.milliseconds + 3_600_000 };

export const seeded: Check = {
  id: 'seeded',
  title: 'the same input, options, model and seed give the same answer, whatever the clock and Math.random say',
  async run(bench) {
    for (const each of bench.cases) {
      const first = await bench.detect(each);
      // A detector that remembers differs anyhow: that is for the check `stateless` to say.
      if (difference(bench.detector.meta, first, await bench.detect(each)) !== undefined) continue;
      const later = await bench.detect(each, undefined, { ambient: otherAmbient });
      const found = difference(bench.detector.meta, first, later);
      if (found !== undefined) return [`${each.name}: ${found}; use context.random and context.now, never Math.random or the clock`];
    }
    return [];
  },
};
