import type { CategoryColumn, ColumnName } from '../../columns';
import type { DetectorInput } from '../../contract';
import type { Check } from './check';

export const pure: Check = {
  id: 'pure',
  title: 'detect leaves its input as it was',
  async run(bench) {
    for (const each of bench.cases) {
      const input = bench.input(each);
      const before = bench.input(each);
      await bench.detect(each, input);
      const changed = changedPart(before, input);
      if (changed !== undefined) return [`${each.name}: detect changed ${changed}; copy what you sort or fill`];
    }
    return [];
  },
};

function changedPart(before: DetectorInput<ColumnName>, after: DetectorInput<ColumnName>): string | undefined {
  for (const part of ['wasFiring', 'consecutiveWindows', 'previousState'] as const) {
    if (!same(before[part], after[part])) return part;
  }
  const columns = Object.entries(before.columns) as [ColumnName, Float64Array | CategoryColumn][];
  return columns.find(([name, column]) => {
    const now = after.columns[name] as Float64Array | CategoryColumn | undefined;
    if (now === undefined) return true;
    if (column instanceof Float64Array) return !(now instanceof Float64Array) || !same(column, now);
    return now instanceof Float64Array || !same(column.codes, now.codes) || column.names.join('\n') !== now.names.join('\n');
  })?.[0];
}

function same(first: ArrayLike<number>, second: ArrayLike<number>): boolean {
  return first.length === second.length && Array.from(first).every((value, index) => Object.is(value, second[index]));
}
