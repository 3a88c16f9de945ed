import type { Row } from '../rows';
import type { Check } from './check';

const ROWS = 20_000;
const ATTEMPTS = 3;
const START_MICROSECONDS = 20_000;

export const timeBudget: Check = {
  id: 'time-budget',
  title: 'detect keeps to its processor time per row on twenty thousand rows',
  async run(bench, { microsecondsPerRow }) {
    const each = bench.quiet[0]!;
    const rows = repeated(each.rows);
    const budget = START_MICROSECONDS + microsecondsPerRow * rows.length;
    let least = Infinity;
    for (let attempt = 0; attempt < ATTEMPTS && least > budget; attempt++) {
      const input = bench.input(each, rows);
      // Processor time, not time on the wall: a busy machine is not the detector's fault.
      const started = process.cpuUsage();
      await bench.detect(each, input);
      const spent = process.cpuUsage(started);
      least = Math.min(least, spent.user + spent.system);
    }
    return least <= budget
      ? []
      : [`${(least / rows.length).toFixed(1)} µs per row on ${rows.length} rows; the budget is ${microsecondsPerRow} µs`];
  },
};

/** The quiet rows again and again, each time as new SIMs. */
function repeated(rows: readonly Row[]): Row[] {
  const sims = rows.reduce((most, row) => Math.max(most, 'subject' in row ? row.subject : 0), 0) + 1;
  return Array.from({ length: ROWS }, (_, place) => {
    const row = rows[place % rows.length]!;
    return 'subject' in row ? { ...row, subject: row.subject + sims * Math.floor(place / rows.length) } : row;
  });
}
