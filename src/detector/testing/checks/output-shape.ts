import type { Detection } from '../../contract';
import type { AnyDetector } from '../bench';
import type { Check } from './check';

export const outputShape: Check = {
  id: 'output-shape',
  title: 'scores, fires, state and abstentions have the declared types, lengths and values',
  async run(bench) {
    for (const each of bench.cases) {
      const mistakes = shapeMistakes(bench.detector, each.rows.length, await bench.detect(each));
      if (mistakes.length > 0) return mistakes.map((mistake) => `${each.name}: ${mistake}`);
    }
    return [];
  },
};

function shapeMistakes({ meta }: AnyDetector, rows: number, detection: Detection): string[] {
  const mistakes: string[] = [];
  const cells = rows * meta.kinds.length;
  if (!(detection.scores instanceof Float64Array)) mistakes.push('scores: expected a Float64Array');
  else if (detection.scores.length !== cells) mistakes.push(`scores: expected rows × kinds = ${cells}, got ${detection.scores.length}`);
  if (meta.decides === 'itself' && detection.fires === undefined)
    mistakes.push('fires: a detector that decides itself must say which rows fire');
  if (detection.fires !== undefined) {
    if (!(detection.fires instanceof Uint8Array)) mistakes.push('fires: expected a Uint8Array');
    else if (detection.fires.length !== cells) mistakes.push(`fires: expected rows × kinds = ${cells}, got ${detection.fires.length}`);
    else if (detection.fires.some((level) => level > 2)) mistakes.push('fires: expected 0, 1 or 2');
    else mistakes.push(...unescalatable(meta.kinds, detection.fires));
  }
  const stateLength = rows * (meta.stateWidth ?? 0);
  if ((detection.state?.length ?? 0) !== stateLength)
    mistakes.push(`state: expected rows × stateWidth = ${stateLength}, got ${detection.state?.length ?? 'none'}`);
  for (const { row, kind, reason } of detection.abstained ?? []) {
    if (!Number.isInteger(row) || row < 0 || row >= rows) mistakes.push(`abstained: there is no row ${row}`);
    if (kind !== undefined && !meta.kinds.some(({ id }) => id === kind)) mistakes.push(`abstained: there is no kind ${kind}`);
    if (!reason?.trim()) mistakes.push(`abstained: row ${row} gives no reason`);
  }
  return mistakes.slice(0, 5);
}

function unescalatable(kinds: AnyDetector['meta']['kinds'], fires: Uint8Array): string[] {
  return kinds
    .filter((kind, index) => kind.escalated === undefined && fires.some((level, cell) => level === 2 && cell % kinds.length === index))
    .map((kind) => `fires: ${kind.id} escalates (2) but declares no escalated severity`);
}
