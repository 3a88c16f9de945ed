import { told } from '../told';
import type { Check } from './check';

export const emptyInput: Check = {
  id: 'empty-input',
  title: 'no rows give no scores, and no error',
  async run(bench) {
    const each = bench.quiet[0]!;
    try {
      const { scores } = await bench.detect(each, bench.input(each, []));
      return scores.length === 0 ? [] : [`expected no scores for no rows, got ${scores.length}`];
    } catch (error) {
      return [`threw on an input without rows: ${told(error)}`];
    }
  },
};
