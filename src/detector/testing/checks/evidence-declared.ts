import { evidenceUnits, type Evidence } from '../../contract';
import { firing } from '../answers';
import type { Check } from './check';

const LONGEST_TEXT = 300;

export const evidenceDeclared: Check = {
  id: 'evidence-declared',
  title: 'every alarm is explained by declared columns, in known units and in words, with weights that sum to at most 1',
  async run(bench) {
    const { meta } = bench.detector;
    const explains = bench.detector.explain !== undefined;
    if (meta.decides === 'by-rank' && !explains) return { skipped: 'the host explains ranks by the features themselves' };
    for (const each of bench.anomalous) {
      // Of a ranking the host flags the rows; the planted ones are what it would ask about.
      const fired =
        meta.decides === 'by-rank' ? each.planted.map((row) => ({ row, kind: each.kind })) : firing(meta, await bench.detect(each));
      if (fired.length === 0) continue;
      if (!explains) return ['there is no explain, yet the detector decides itself: say why it fires'];
      const answers = await bench.explain(each, fired);
      if (answers.length !== fired.length)
        return [`${each.name}: expected one list of evidence per asked row, ${fired.length} in all, got ${answers.length}`];
      for (const [index, evidence] of answers.entries()) {
        const mistake = mistakeIn(evidence, meta.needs);
        if (mistake !== undefined) return [`${each.name}: row ${fired[index]!.row}, ${fired[index]!.kind}: ${mistake}`];
      }
    }
    return [];
  },
};

function mistakeIn(evidence: readonly Evidence[], needs: readonly string[]): string | undefined {
  if (evidence.length === 0) return 'expected at least one reason';
  const total = evidence.reduce((sum, { weight }) => sum + weight, 0);
  if (total > 1 + 1e-9) return `the weights sum to ${total}; expected at most 1`;
  for (const { column, observed, expected, unit, weight, text } of evidence) {
    if (!needs.includes(column)) return `evidence speaks of ${column}, which is not in needs`;
    if (!(evidenceUnits as readonly string[]).includes(unit))
      return `unknown unit ${JSON.stringify(unit)}; expected one of ${evidenceUnits.map((known) => `"${known}"`).join(', ')}`;
    if (!(weight >= 0 && weight <= 1)) return `a weight is ${weight}; expected 0 to 1`;
    for (const value of [observed, expected]) {
      if (typeof value === 'number' && !Number.isFinite(value))
        return `an amount is ${value}; expected a finite number, or null where unknown`;
    }
    if (!text?.trim() || text.length > LONGEST_TEXT) return `expected a text of 1 to ${LONGEST_TEXT} characters`;
    if (/NaN|Infinity|undefined|\bnull\b/.test(text)) return `the text reads ${JSON.stringify(text)}`;
    if (/\d{14,}/.test(text)) return `the text holds what looks like an identifier: ${JSON.stringify(text)}`;
  }
  return undefined;
}
