/** Feature rows as population detectors see them: chosen rows, one column per feature they need, no identifiers. */
import { FEATURE_COUNT, featureNames, type ColumnName, type ColumnsOf, type Detector, type DetectorInput } from '../../detector';
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
export function featureInput(detector: Detector, values: Float32Array, rows: Int32Array): DetectorInput<ColumnName> {
  const columns: Partial<Record<ColumnName, Float64Array>> = {};
  for (const name of detector.meta.needs) {
    const column = new Float64Array(rows.length);
    if (name !== 'blockedByUs') {
      const position = positionOf(name);
      for (let row = 0; row < rows.length; row++) column[row] = values[rows[row]! * FEATURE_COUNT + position]!;
    }
    columns[name] = column;
  }
  const width = detector.meta.kinds.length;
  return {
    rows: rows.length,
    columns: columns as unknown as ColumnsOf<ColumnName>,
    wasFiring: new Uint8Array(rows.length * width),
    consecutiveWindows: new Int32Array(rows.length * width),
    previousState: new Float64Array(0),
  };
}
