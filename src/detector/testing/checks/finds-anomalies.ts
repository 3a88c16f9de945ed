import { quantile } from '../../numeric';
import type { Detection } from '../../contract';
import type { AnomalousCase, Bench } from '../bench';
import { recallFloors } from '../planted';
import { simOfRow } from '../rows';
import type { Check } from './check';

export const findsAnomalies: Check = {
  id: 'finds-anomalies',
  title: 'planted anomalies are found under the kind that was named: all, or as many as the floor of their shape',
  async run(bench) {
    const mistakes: string[] = [];
    for (const each of bench.anomalous) {
      if (each.planted.length === 0) mistakes.push(`${each.name}: no planted rows were named`);
      const kindIndex = bench.detector.meta.kinds.findIndex((kind) => kind.id === each.kind);
      if (kindIndex < 0) mistakes.push(`${each.name}: the detector has no kind ${each.kind}`);
      else mistakes.push(...missed(bench, each, kindIndex, await bench.detect(each)));
    }
    return mistakes;
  },
};

function missed(bench: Bench, each: AnomalousCase, kindIndex: number, detection: Detection): string[] {
  const { meta } = bench.detector;
  const sims = simOfRow(each.rows);
  const cellsOf = (sim: number) => sims.flatMap((other, row) => (other === sim ? [row * meta.kinds.length + kindIndex] : []));
  // A `by-rank` detector fires where the host's contamination threshold is passed: the top 5 %.
  const threshold = meta.decides === 'itself' ? NaN : quantile(detection.scores, 0.95);
  const found = (row: number) =>
    cellsOf(sims[row]!).some((cell) =>
      meta.decides === 'itself' ? (detection.fires?.[cell] ?? 0) > 0 : detection.scores[cell]! > threshold,
    );
  const lost = each.planted.filter((row) => !found(row));
  const floor = each.shape === undefined ? 1 : recallFloors[each.shape];
  if (lost.length <= (1 - floor) * each.planted.length) return [];
  const floorInWords = floor === 1 ? '' : `; the floor is ${floor * 100} %`;
  return [
    `${each.name}: ${lost.length} of ${each.planted.length} planted anomalies not found as ${each.kind}${floorInWords} (rows ${lost.slice(0, 5).join(', ')}); tryDetector shows what it says of them`,
  ];
}
