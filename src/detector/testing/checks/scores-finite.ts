import { abstentions } from '../answers';
import type { Check } from './check';

export const scoresFinite: Check = {
  id: 'scores-finite',
  title: 'a score is a finite number, or NaN exactly where the row abstained',
  async run(bench) {
    const { meta } = bench.detector;
    for (const each of bench.cases) {
      const detection = await bench.detect(each);
      const abstained = abstentions(meta, detection);
      for (let cell = 0; cell < detection.scores.length; cell++) {
        const row = Math.floor(cell / meta.kinds.length);
        const score = detection.scores[cell]!;
        const place = `${each.name}: row ${row}, ${meta.kinds[cell % meta.kinds.length]!.id}`;
        if (abstained(row, cell % meta.kinds.length)) {
          if (!Number.isNaN(score)) return [`${place}: abstained, yet its score is ${score}; expected NaN`];
          if ((detection.fires?.[cell] ?? 0) !== 0) return [`${place}: abstained, yet it fires`];
        } else if (!Number.isFinite(score)) return [`${place}: the score is ${score}; abstain with a reason where you can't know`];
      }
    }
    return [];
  },
};
