/** Checks what a detector that decides by rank answered before anything of it is believed. */
import type { Detection, DetectorMeta } from '../../detector';
import { checkDetection } from '../host/detection-check';

export interface CheckedRanking {
  /** One per row; NaN where it abstained. */
  readonly scores: Float64Array;
  readonly abstained: Uint8Array;
}

/** Its one kind is scored, not fired: the host decides. Throws with what was expected and what came. */
export function checkRanking(meta: Pick<DetectorMeta<never>, 'kinds'>, rows: number, answer: Detection): CheckedRanking {
  const whole = typeof answer === 'object' && answer !== null ? { ...answer, fires: new Uint8Array(rows) } : answer;
  const { scores, abstained } = checkDetection(meta, rows, whole);
  return { scores: scores.map((score, row) => (abstained[row] === 1 ? NaN : score)), abstained };
}
