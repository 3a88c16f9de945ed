/**
 * What models are fitted on: a sample of SIMs, each with up to eight of its days. SIMs are drawn by a hash, so the sample depends on the seed and on
 * which SIMs there are, not on the order of reading; memory stays bounded whatever the fleet's size.
 */
import { FEATURE_COUNT } from '../../detector';
import { addClusterVector, CLUSTER_WIDTH } from './cluster-features';
import type { FeatureRows } from './feature-rows';
import { uniformHash } from './hash';
import { sideOf } from './sides';

const MOST_SIMS = 20_000;
const MOST_DAYS_OF_A_SIM = 8;

interface SampledSim {
  readonly hash: number;
  readonly side: number;
  readonly vectorSum: Float64Array;
  days: number;
  readonly rows: { readonly hash: number; readonly values: Float32Array }[];
}

/** The sample in canonical order: by the hash of the SIM, then of the day. */
export interface Sample {
  readonly sims: number;
  /** sims × CLUSTER_WIDTH: what clusters are made of, averaged over the SIM's days. */
  readonly vectors: Float64Array;
  /** rows × 95. */
  readonly values: Float32Array;
  /** Ordinal of each row's SIM. */
  readonly simOfRow: Int32Array;
  /** Which half of the clients each SIM's is in. */
  readonly sideOfSim: Uint8Array;
  /** SIM-days that were seen, sampled or not. */
  readonly seenRows: number;
}

export class TrainingSample {
  private readonly sims = new Map<string, SampledSim>();
  private threshold = 1;
  private seenRows = 0;

  constructor(
    private readonly seed: number,
    private readonly mostSims = MOST_SIMS,
  ) {}

  add(clientId: number, day: string, rows: FeatureRows): void {
    for (let row = 0; row < rows.simIds.length; row++) {
      if (rows.blockedByUs[row] === 1) continue;
      this.seenRows += 1;
      const key = `${clientId} ${rows.simIds[row]!}`;
      const hash = uniformHash(this.seed, key);
      if (hash >= this.threshold) continue;
      this.keep({ key, hash, side: sideOf(clientId) }, day, rows.values.subarray(row * FEATURE_COUNT, (row + 1) * FEATURE_COUNT));
    }
    if (this.sims.size > 2 * this.mostSims) this.shrink();
  }

  private keep({ key, hash, side }: { key: string; hash: number; side: number }, day: string, values: Float32Array): void {
    let sim = this.sims.get(key);
    if (!sim) this.sims.set(key, (sim = { hash, side, vectorSum: new Float64Array(CLUSTER_WIDTH), days: 0, rows: [] }));
    addClusterVector(values, 0, sim.vectorSum, 0);
    sim.days += 1;
    sim.rows.push({ hash: uniformHash(this.seed, `${key} ${day}`), values: values.slice() });
    if (sim.rows.length <= MOST_DAYS_OF_A_SIM) return;
    sim.rows.sort((a, b) => a.hash - b.hash);
    sim.rows.pop();
  }

  private shrink(): void {
    const hashes = [...this.sims.values()].map((sim) => sim.hash).sort((a, b) => a - b);
    this.threshold = hashes[this.mostSims]!;
    for (const [key, sim] of this.sims) if (sim.hash >= this.threshold) this.sims.delete(key);
  }

  finish(): Sample {
    if (this.sims.size > this.mostSims) this.shrink();
    const sims = [...this.sims.values()].sort((a, b) => a.hash - b.hash);
    const rows = sims.flatMap((sim, ordinal) => [...sim.rows].sort((a, b) => a.hash - b.hash).map(({ values }) => ({ ordinal, values })));
    const vectors = new Float64Array(sims.length * CLUSTER_WIDTH);
    sims.forEach(({ vectorSum, days }, ordinal) => {
      for (let i = 0; i < CLUSTER_WIDTH; i++) vectors[ordinal * CLUSTER_WIDTH + i] = vectorSum[i]! / days;
    });
    const values = new Float32Array(rows.length * FEATURE_COUNT);
    rows.forEach((row, index) => values.set(row.values, index * FEATURE_COUNT));
    return {
      sims: sims.length,
      vectors,
      values,
      simOfRow: Int32Array.from(rows, (row) => row.ordinal),
      sideOfSim: Uint8Array.from(sims, ({ side }) => side),
      seenRows: this.seenRows,
    };
  }
}
