/** A bucket of rows through every planned detector: what touches neither database nor clock, and runs in a thread. */
import { countBins, DRIFT_WIDTH, type DriftReference } from './drift';
import type { Checkpoint } from './checkpoints';
import type { PlannedDetector } from './plan';
import { countCells, scoreRows, type ModelOf, type RowsToScore, type ScoredRows } from './scoring';

/** Flagged rows of a bucket as they are stored. */
export interface FlaggedRows {
  readonly rows: Int32Array;
  readonly scores: Float64Array;
  readonly rawScores: Float64Array;
  /** A JSON array: the evidence of each. */
  readonly evidence: string;
}

export interface DetectorScores {
  readonly detectorId: string;
  /** Null where the detector failed. */
  readonly flagged: FlaggedRows | null;
  readonly checkpoint: Checkpoint;
}

/** `explains`: whether flagged rows get evidence. */
export async function scoreBucket(
  plan: readonly PlannedDetector[],
  asked: RowsToScore,
  modelOf: (detectorId: string) => ModelOf,
  explains: boolean,
): Promise<DetectorScores[]> {
  const results: DetectorScores[] = [];
  for (const planned of plan) {
    const detectorId = planned.detector.meta.id;
    const rows = asked.rows.blockedByUs.length;
    try {
      const scored = await scoreRows(planned, asked, modelOf(detectorId), explains);
      const judged = scored.judged.reduce((sum, each) => sum + each, 0);
      const flagged = flaggedOf(scored);
      const counts = { rows, abstained: rows - judged, flagged: flagged.rows.length, failure: null, cells: countCells(asked, scored) };
      results.push({ detectorId, flagged, checkpoint: { detectorId, ...counts } });
    } catch (error) {
      const failure = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 1000);
      results.push({ detectorId, flagged: null, checkpoint: { detectorId, rows, abstained: rows, flagged: 0, failure, cells: [] } });
    }
    await new Promise((next) => setImmediate(next));
  }
  return results;
}

/** How the rows lie in the bins of the drift measure. */
export function driftCounts(drift: DriftReference, values: Float32Array): number[] {
  const counts = new Float64Array(DRIFT_WIDTH);
  countBins(drift, values, counts);
  return Array.from(counts);
}

function flaggedOf(scored: ScoredRows): FlaggedRows {
  const rows = Int32Array.from([...scored.flagged.keys()].filter((row) => scored.flagged[row] === 1));
  return {
    rows,
    scores: Float64Array.from(rows, (row) => scored.scores[row]!),
    rawScores: Float64Array.from(rows, (row) => scored.rawScores[row]!),
    evidence: JSON.stringify(Array.from(rows, (row) => scored.evidence.get(row) ?? [])),
  };
}
