import { columnCatalogue, type ColumnDescription } from '../../columns';
import { firing } from '../answers';
import type { Row } from '../rows';
import type { Check } from './check';

export const abstainsWithoutHistory: Check = {
  id: 'abstains-without-history',
  title: 'where its past is missing it abstains, with a reason, and does not fire',
  async run(bench, { history }) {
    const { meta } = bench.detector;
    const past = history.filter((name) => (meta.needs as readonly string[]).includes(name));
    if (past.length === 0) return { skipped: 'it reads no column of the past' };
    for (const each of bench.quiet) {
      const detection = await bench.detect(
        each,
        bench.input(
          each,
          each.rows.map((row) => without(row, past)),
        ),
      );
      const fired = firing(meta, detection)[0];
      if (fired !== undefined) return [`${each.name}: ${fired.kind} fires although ${past.join(', ')} are missing`];
      if ((detection.abstained ?? []).length === 0)
        return [`${each.name}: expected abstentions where ${past.join(', ')} are missing; a score of 0 says "healthy"`];
    }
    return [];
  },
};

function without(row: Row, names: readonly string[]): Row {
  const catalogue: Readonly<Record<string, ColumnDescription>> = columnCatalogue;
  const missing = names.map((name) => [name, catalogue[name]?.type === 'category' ? null : NaN]);
  return { ...row, ...Object.fromEntries(missing) } as Row;
}
