import { difference } from '../answers';
import type { Check } from './check';

export const stateless: Check = {
  id: 'stateless',
  title: 'detect remembers nothing from one call to the next',
  async run(bench) {
    for (const each of bench.cases) {
      const first = await bench.detect(each);
      for (const other of bench.cases) await bench.detect(other);
      const again = difference(bench.detector.meta, first, await bench.detect(each));
      if (again !== undefined)
        return [
          `${each.name}: the same input answered differently after other calls (${again}); keep nothing outside detect, use stateWidth`,
        ];
    }
    return [];
  },
};
