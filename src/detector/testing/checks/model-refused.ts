import type { Check } from './check';

export const modelRefused: Check = {
  id: 'model-refused',
  title: 'bytes that are only part of its model, or none of it, are refused with an error',
  async run(bench) {
    if (bench.detector.fit === undefined) return { skipped: 'it learns no model' };
    const each = bench.quiet[0]!;
    const model = await bench.fit(each);
    const damaged = {
      'no bytes at all': model.slice(0, 0),
      'half of the model': model.slice(0, model.length >> 1),
      'other bytes': model.map((byte) => byte ^ 0xff),
    };
    const mistakes: string[] = [];
    for (const [what, bytes] of Object.entries(damaged)) {
      const taken = await bench.detectWith(each, bytes).then(
        () => true,
        () => false,
      );
      if (taken) mistakes.push(`detect took ${what} for a model; check what you read (unpackModel does), and throw`);
    }
    return mistakes;
  },
};
