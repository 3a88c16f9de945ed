import { difference } from '../answers';
import { usualAmbient } from '../bench';
import type { Check } from './check';

/** An hour later, with other luck. */
const otherAmbient = { seed: 2, milliseconds: usualAmbient.milliseconds + 3_600_000 };

export const modelSurvivesBytes: Check = {
  id: 'model-survives-bytes',
  title: 'a model is its bytes: stored, read back elsewhere, and fitted again from the same rows it is the same',
  async run(bench) {
    if (bench.detector.fit === undefined) return { skipped: 'it learns no model' };
    const each = bench.quiet[0]!;
    const model = await bench.fit(each);
    if (!(model instanceof Uint8Array)) return ['fit: expected a Uint8Array'];
    if (Buffer.compare(model, await bench.fit(each, otherAmbient)) !== 0)
      return ['fit: the same rows and seed gave another model; use context.random, never Math.random or the clock'];
    // Read back at an odd offset of a larger buffer, as from a database row.
    const stored = new Uint8Array(model.length + 3);
    stored.set(model, 3);
    for (const other of bench.cases) {
      const found = difference(
        bench.detector.meta,
        await bench.detectWith(other, model),
        await bench.detectWith(other, stored.subarray(3)),
      );
      if (found !== undefined) return [`${other.name}: with a model read back from storage, ${found}`];
    }
    return [];
  },
};
