/** Comparing and reading detections: cell by cell, and merged per SIM as the host merges them. */
import type { ColumnName } from '../columns';
import type { Detection, DetectorMeta } from '../contract';

type Meta = Pick<DetectorMeta<ColumnName>, 'kinds'>;

/** The first difference between two answers in words, or undefined. NaN equals NaN. `order[row]`: where the row of `first` stands in `second`. */
export function difference(meta: Meta, first: Detection, second: Detection, order?: readonly number[]): string | undefined {
  const width = meta.kinds.length;
  if (first.scores.length !== second.scores.length) return `${first.scores.length} scores, then ${second.scores.length}`;
  for (let cell = 0; cell < first.scores.length; cell++) {
    const row = Math.floor(cell / width);
    const other = (order?.[row] ?? row) * width + (cell % width);
    const kind = meta.kinds[cell % width]?.id ?? '';
    if (!Object.is(first.scores[cell], second.scores[other]))
      return `row ${row}, ${kind}: score ${first.scores[cell]}, then ${second.scores[other]}`;
    if (first.fires?.[cell] !== second.fires?.[other])
      return `row ${row}, ${kind}: fires ${first.fires?.[cell]}, then ${second.fires?.[other]}`;
  }
  return undefined;
}

/** Whether (row, kind) abstained. */
export function abstentions(meta: Meta, detection: Detection): (row: number, kindIndex: number) => boolean {
  const width = meta.kinds.length;
  const cells = new Set<number>();
  for (const { row, kind } of detection.abstained ?? []) {
    for (let index = 0; index < width; index++) {
      if (kind === undefined || meta.kinds[index]!.id === kind) cells.add(row * width + index);
    }
  }
  return (row, kindIndex) => cells.has(row * width + kindIndex);
}

/** All (row, kind) that fire; of `by-rank` detectors none, since the host decides. */
export function firing(meta: Meta, detection: Detection): { row: number; kind: string }[] {
  const fired: { row: number; kind: string }[] = [];
  detection.fires?.forEach((level, cell) => {
    if (level > 0) fired.push({ row: Math.floor(cell / meta.kinds.length), kind: meta.kinds[cell % meta.kinds.length]?.id ?? '' });
  });
  return fired;
}
