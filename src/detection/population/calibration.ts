/** From a detector's own scores to shares from 0 to 1, so that models, and detectors, can be ranked beside each other. */
import { quantileOfSorted } from '../../detector/numeric';
import { CONTAMINATION } from '../significance/decide';

/** Even steps up to the threshold, then ever finer: that is where ranks are decided. */
export const calibrationProbabilities: readonly number[] = [
  ...Array.from({ length: 20 }, (_, index) => index / 20),
  ...Array.from({ length: 10 }, (_, index) => 1 - CONTAMINATION / 2 ** index),
  1,
];

export interface Calibration {
  /** Type-7 quantile of the training scores at 1 − contamination: what scores above it is flagged. */
  readonly threshold: number;
  /** Training scores at the probabilities of `calibrationProbabilities`. */
  readonly calibration: readonly number[];
  readonly trainedRows: number;
}

/** From the scores of the rows that the model was trained on; abstentions (NaN) left out. */
export function calibrate(trainingScores: Float64Array): Calibration {
  const sorted = trainingScores.filter((score) => !Number.isNaN(score)).sort();
  return {
    threshold: quantileOfSorted(sorted, 1 - CONTAMINATION),
    calibration: calibrationProbabilities.map((probability) => quantileOfSorted(sorted, probability)),
    trainedRows: sorted.length,
  };
}

/**
 * Share of the training scores below, 0 to 1. Beyond the highest of them it goes on towards 1 without reaching it, falling off with the distance
 * from the threshold, so that what is worse still ranks higher.
 */
export function calibrated(score: number, { threshold, calibration, trainedRows }: Calibration): number {
  const highest = calibration.at(-1)!;
  if (score > highest) {
    const reach = Math.max(highest - threshold, Number.EPSILON * Math.abs(highest), Number.MIN_VALUE);
    return 1 - reach / (reach + (score - highest)) / (trainedRows + 1);
  }
  let above = calibration.findIndex((quantile) => score <= quantile);
  if (above <= 0) return 0;
  // of equal quantiles the last one counts: the score is at least as high as all of them
  while (above + 1 < calibration.length && calibration[above + 1] === score) above += 1;
  const [low, high] = [calibration[above - 1]!, calibration[above]!];
  const [from, to] = [calibrationProbabilities[above - 1]!, calibrationProbabilities[above]!];
  const share = high > low ? (score - low) / (high - low) : 1;
  return Math.min(from + (to - from) * share, trainedRows / (trainedRows + 1));
}
