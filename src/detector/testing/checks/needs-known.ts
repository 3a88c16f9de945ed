import { columnCatalogue, isColumnOf, type ColumnDescription } from '../../columns';
import type { Check } from './check';

export const needsKnown: Check = {
  id: 'needs-known',
  title: 'needs names columns of the catalogue, each once, all of the declared input',
  dataFree: true,
  run({ detector: { meta } }) {
    if (!Array.isArray(meta.needs) || meta.needs.length === 0) return ['meta.needs: expected at least one column'];
    const catalogue: Readonly<Record<string, ColumnDescription>> = columnCatalogue;
    const mistakes = meta.needs.flatMap((name: string) => {
      if (!Object.hasOwn(catalogue, name)) return [`meta.needs: there is no column ${name}; see src/detector/columns.ts`];
      const { input } = catalogue[name]!;
      return isColumnOf(name, meta.input) ? [] : [`meta.needs: ${name} is a column of ${input}, but meta.input is ${meta.input}`];
    });
    return new Set(meta.needs).size === meta.needs.length ? mistakes : [...mistakes, 'meta.needs: a column is named twice'];
  },
};
