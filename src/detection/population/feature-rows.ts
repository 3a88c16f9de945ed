/** Feature rows as population detectors see them: chosen rows of the catalogue's features, no identifiers. */
import { FEATURE_COUNT, featureInput, featureNames, type ColumnName, type Detector, type DetectorInput } from '../../detector';
import type { FeatureRows } from '../features/feature-store';

export type { FeatureRows };

const positions = new Map<string, number>(featureNames.map((name, index) => [name, index]));

/** Where a feature stands in a row. */
export function positionOf(name: string): number {
  const position = positions.get(name);
  if (position === undefined) throw new Error(`the feature catalogue has no "${name}"`);
  return position;
}

/** The input of a detector on these rows of a matrix of features. Rows whose SIM we blocked are never given to it. */
export function inputOf(detector: Detector, values: Float32Array, rows: Int32Array): DetectorInput<ColumnName> {
  const chosen = new Float32Array(rows.length * FEATURE_COUNT);
  rows.forEach((row, place) => chosen.set(values.subarray(row * FEATURE_COUNT, (row + 1) * FEATURE_COUNT), place * FEATURE_COUNT));
  return featureInput({ names: featureNames, rows: rows.length, values: chosen }, detector.meta.kinds);
}
