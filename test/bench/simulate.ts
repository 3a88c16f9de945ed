/** How fast the simulator makes dialogues: figures only, for there is nothing to compare it with. */
import { dialogueCsv, packedDialogues, signalingPopulation } from '../../seeds/signaling';
import { interleave, medianOf, type Suite } from './harness';

const END = new Date('2026-11-15T00:00:00Z');

export const suite: Suite = {
  name: 'simulate',
  summary: 'A day of simulated dialogues as typed arrays, and as CSV in the order of time; no peer, no ratio.',
  async run(options) {
    const population = signalingPopulation({ sims: options.full ? 1_000_000 : 50_000, days: 7, seed: 1, end: END });
    let rows = 0;
    const samples = await interleave(
      [
        {
          name: 'typed arrays',
          run: () => {
            rows = 0;
            for (const block of packedDialogues(population, 3, { order: 'sim' })) rows += block.rows;
          },
        },
        {
          name: 'csv',
          run: () => {
            for (const block of dialogueCsv(population, 3)) if (block.length === 0) throw new Error('expected lines, got an empty block');
          },
        },
      ],
      options,
    );
    return {
      ratios: {},
      figures: {
        rows,
        typed_array_rows_per_cpu_second: rows / medianOf(samples, 'typed arrays', 'cpuSeconds'),
        csv_rows_per_cpu_second: rows / medianOf(samples, 'csv', 'cpuSeconds'),
      },
    };
  },
};
