import { firing } from '../answers';
import { simOfRow } from '../rows';
import type { Check } from './check';

export const quietFleet: Check = {
  id: 'quiet-fleet',
  title: 'a quiet fleet stays quiet: false alarms per 1,000 SIM-days within the allowance',
  async run(bench, { falseAlarmsPer1000 }) {
    if (bench.detector.meta.decides === 'by-rank') return { skipped: 'the host decides how many of a ranking are flagged' };
    return (
      await Promise.all(
        bench.quiet.map(async (each) => {
          const sims = simOfRow(each.rows);
          const fired = firing(bench.detector.meta, await bench.detect(each));
          const alarms = new Set(fired.map(({ row, kind }) => `${sims[row]} ${kind}`));
          const per1000 = (1000 * alarms.size) / new Set(sims).size;
          return per1000 <= falseAlarmsPer1000
            ? []
            : [
                `${each.name}: ${per1000.toFixed(1)} false alarms per 1,000 SIM-days, allowed ${falseAlarmsPer1000} (first: ${fired[0]!.kind}, row ${fired[0]!.row}); raise its border, or abstain where it can't know`,
              ];
        }),
      )
    ).flat();
  },
};
