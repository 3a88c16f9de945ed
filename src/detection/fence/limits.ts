/** What a partner's code may cost: time on the wall, memory, and bytes of an answer. */
import type { DetectorMeta } from '../../detector';

/** Until a process has started and its detector is loaded. Ours to pay: a busy machine is not the detector's fault. */
export const START_MILLISECONDS = 15_000;

/** How often its resident memory is looked at while it works. */
export const WATCH_MILLISECONDS = 20;

/** A process that died so often in a row rests, so that a detector which hangs can't take its budget from every page of a night. */
export const DEATHS_UNTIL_REST = 3;
export const REST_MILLISECONDS = 30_000;

/** What a detector says of itself. */
export const MOST_DECLARATION_BYTES = 256 * 1024;
export const MOST_MODEL_BYTES = 64 * 1024 * 1024;

/** Two seconds and ten microseconds per row. */
export function callMilliseconds(rows: number): number {
  return 2_000 + rows / 100;
}

type Shape = Pick<DetectorMeta<never>, 'kinds' | 'stateWidth'>;

/** Scores and fires of every cell, its state, an abstention, and a megabyte for the words. */
export function mostDetectionBytes({ kinds, stateWidth = 0 }: Shape, rows: number): number {
  return 1024 * 1024 + rows * kinds.length * (8 + 1 + 8 + 4 + 4) + rows * stateWidth * 8;
}

export function mostEvidenceBytes(asked: number): number {
  return 64 * 1024 + asked * 16 * 1024;
}
