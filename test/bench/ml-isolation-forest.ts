/** The isolation forest that npm has, as a peer: trained on a sample of 256 rows, since it draws none itself and keeps its training rows in its leaves. */
import { sampleWithoutReplacement, randomStream } from '../../src/detector/numeric';

interface MlForest {
  train(rows: number[][]): void;
  predict(rows: number[][]): number[];
}

export function mlIsolationForest(values: Float32Array, columns: number, rows: number): { score(): void } {
  // it ships no types
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { IsolationForest } = require('ml-isolation-forest') as { IsolationForest: new (options: { nEstimators: number }) => MlForest };
  const rowOf = (row: number) => Array.from(values.subarray(row * columns, (row + 1) * columns));
  const forest = new IsolationForest({ nEstimators: 100 });
  forest.train(Array.from(sampleWithoutReplacement(values.length / columns, 256, randomStream(1, 0)), rowOf));
  const scored = Array.from({ length: rows }, (_, row) => rowOf(row));
  return { score: () => void forest.predict(scored) };
}
