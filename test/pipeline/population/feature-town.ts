/** A town of devices that live in three ways, as feature rows: enough for clusters, models and incidents, without a single dialogue. */
import { defineDetector, featureNames, type FeatureName } from '../../../src/detector';
import { quantile, seededRandom } from '../../../src/detector/numeric';
import type { FeatureRows } from '../../../src/detection/population/feature-rows';

type Values = Partial<Record<FeatureName, number>>;

/** Means of three of the paper's clusters: a meter on 2G, a camera on 4G, a car on everything. */
const lives: readonly ((scale: number) => Values)[] = [
  (scale) => ({
    n: 7 * scale,
    pct_map: 100,
    pct_diam: 0,
    n_sai: 4 * scale,
    n_ul: scale,
    n_cl: 2 * scale,
    n_vlr_changes: 2,
    active_minutes: 6 * scale,
  }),
  (scale) => ({
    n: 22 * scale,
    pct_map: 0,
    pct_diam: 100,
    n_diam_sai: 15 * scale,
    n_diam_ul: 4 * scale,
    n_diam_cl: scale,
    active_minutes: 15 * scale,
  }),
  (scale) => ({
    n: 900 * scale,
    pct_map: 60,
    pct_diam: 40,
    n_sai: 300 * scale,
    n_ul: 140 * scale,
    n_cl: 110 * scale,
    n_diam_sai: 200 * scale,
    n_diam_ul: 100 * scale,
    n_diam_cl: 50 * scale,
    n_vlr_changes: 200 * scale,
    n_sgsn_changes: 100 * scale,
    n_operator_changes: 20 * scale,
    active_minutes: 500 * scale,
  }),
];

/** A client's devices in one country. */
export interface Fleet {
  readonly country: string;
  /** 0: meters, 1: cameras, 2: cars. */
  readonly life: number;
  readonly devices: number;
  /** The first so many are rejected wherever they attach. */
  readonly rejected?: number;
  /** The first so many are blocked by us, and rejected for it. */
  readonly blocked?: number;
}

/** The rows of a client on a day; the SIMs are numbered from `firstSim`, and the same SIM is the same device every day. */
export function featureRows(fleets: readonly Fleet[], day: number, firstSim = 1): FeatureRows {
  const simIds: string[] = [];
  const countries: string[] = [];
  const blocked: number[] = [];
  const cells: number[] = [];
  for (const fleet of fleets) {
    for (let device = 0; device < fleet.devices; device++) {
      const sim = firstSim + simIds.length;
      const isBlocked = device < (fleet.blocked ?? 0);
      simIds.push(String(sim));
      countries.push(fleet.country);
      blocked.push(isBlocked ? 1 : 0);
      cells.push(...rowOf(fleet.life, sim, day, isBlocked || device < (fleet.rejected ?? 0)));
    }
  }
  return { simIds, countries, blockedByUs: Uint8Array.from(blocked), values: Float32Array.from(cells) };
}

function rowOf(life: number, sim: number, day: number, rejected: boolean): number[] {
  const own = seededRandom(sim * 7919);
  const today = seededRandom(sim * 7919 + day * 104_729);
  const scale = Math.exp(0.4 * normal(own) + 0.2 * normal(today));
  const values = lives[life]!(scale);
  for (const name of Object.keys(values) as FeatureName[]) {
    if (!name.startsWith('pct_')) values[name] = Math.round(values[name]! * Math.exp(0.1 * normal(today)));
  }
  values.n_map_rejects = (rejected ? 30 : 0) + 6 * today();
  return featureNames.map((name) => values[name] ?? (name.startsWith('sd_') ? NaN : 0));
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The simplest detector of the population: how far a device's rejections are above the median. */
export const farFromMedian = defineDetector({
  meta: {
    id: 'far-from-median',
    version: '1.0.0',
    contract: 1,
    title: 'Far from the median',
    summary: 'For tests.',
    limits: 'For tests.',
    input: 'features',
    needs: ['n_map_rejects'],
    kinds: [
      { id: 'UNUSUAL_SIGNALING', title: 'Unusual signaling', severity: 'WARNING', subject: 'SIM', window: 'DAY', judged: 'CLOSED_DAY' },
    ],
    options: { type: 'object', additionalProperties: false, properties: {} },
    decides: 'by-rank',
    scope: 'population',
  },
  fit: (input) => new Uint8Array(Float64Array.of(quantile(input.columns.n_map_rejects, 0.5)).buffer),
  detect(input, { model }) {
    const [median] = new Float64Array(model!.slice().buffer);
    return { scores: input.columns.n_map_rejects.map((rejects) => rejects - median!) };
  },
  explain: (input, rows) =>
    rows.map(({ row }) => {
      const observed = Math.round(input.columns.n_map_rejects[row]!);
      return [{ column: 'n_map_rejects', observed, expected: 3, unit: 'dialogues', weight: 1, text: `n_map_rejects ${observed}, usual 3` }];
    }),
});
