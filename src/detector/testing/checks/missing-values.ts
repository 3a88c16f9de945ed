import { abstentions, firing } from '../answers';
import type { Row } from '../rows';
import { told } from '../told';
import type { Check } from './check';

export const missingValues: Check = {
  id: 'missing-values',
  title: 'where nothing is known, nothing fires, nothing throws, and no score is an accident',
  async run(bench) {
    const { meta } = bench.detector;
    for (const each of bench.cases) {
      const rows = each.rows.map(unknownRow);
      try {
        const detection = await bench.detect(each, bench.input(each, rows));
        const fired = firing(meta, detection)[0];
        if (fired !== undefined) return [`${each.name}: ${fired.kind} fires on a row of which nothing is known`];
        const abstained = abstentions(meta, detection);
        const accident = detection.scores.findIndex(
          (score, cell) => !Number.isFinite(score) && !abstained(Math.floor(cell / meta.kinds.length), cell % meta.kinds.length),
        );
        if (accident >= 0)
          return [
            `${each.name}: with missing values ${meta.kinds[accident % meta.kinds.length]!.id} scores ${detection.scores[accident]}; abstain instead`,
          ];
      } catch (error) {
        return [`${each.name}: threw where values are missing (NaN, or code −1): ${told(error)}`];
      }
    }
    return [];
  },
};

/** All unknown but whose row it is. */
function unknownRow(row: Row): Row {
  const unknown = Object.entries(row).map(([name, value]) => [name, name === 'subject' ? value : typeof value === 'number' ? NaN : null]);
  return Object.fromEntries(unknown) as Row;
}
