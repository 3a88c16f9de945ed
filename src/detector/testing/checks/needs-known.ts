import { columnCatalogue, isColumnOf, type ColumnDescription } from '../../columns';
import type { Bench } from '../bench';
import type { Check } from './check';

export const needsKnown: Check = {
  id: 'needs-known',
  title: 'needs names columns of the catalogue, each once, all of the declared input, and every one that detect reads',
  dataFree: true,
  async run(bench) {
    const { meta } = bench.detector;
    if (!Array.isArray(meta.needs) || meta.needs.length === 0) return ['meta.needs: expected at least one column'];
    const catalogue: Readonly<Record<string, ColumnDescription>> = columnCatalogue;
    const mistakes = meta.needs.flatMap((name: string) => {
      if (!Object.hasOwn(catalogue, name))
        return [`meta.needs: there is no column ${name}; plugins/COLUMNS.md lists those of ${meta.input}`];
      const { input } = catalogue[name]!;
      return isColumnOf(name, meta.input) ? [] : [`meta.needs: ${name} is a column of ${input}, but meta.input is ${meta.input}`];
    });
    if (new Set(meta.needs).size !== meta.needs.length) mistakes.push('meta.needs: a column is named twice');
    return [...mistakes, ...(await undeclared(bench))];
  },
};

/** Columns that detect asks for and needs does not name: what the compiler tells an author who has one. */
async function undeclared(bench: Bench): Promise<string[]> {
  const asked = new Set<string>();
  for (const each of [...bench.quiet.slice(0, 1), ...bench.anomalous.slice(0, 1)]) {
    const input = bench.input(each);
    const columns = new Proxy(input.columns, {
      get(target, name) {
        if (typeof name === 'string' && !(name in target)) asked.add(name);
        return Reflect.get(target, name) as unknown;
      },
    });
    // that it throws then is another check's matter
    await bench.detect(each, { ...input, columns }).catch(() => undefined);
  }
  return [...asked].map((name) => `detect reads column ${name}, which meta.needs does not name: add it there, or leave it`);
}
