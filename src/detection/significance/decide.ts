/**
 * The decision per client × visited country × day: are there more flagged devices than the same clusters show at everybody else?
 * After ANCHOR's z-score, (D − E) / √E; the expectation from other clients and the control of the false discovery rate are ours.
 */
import { upperTail } from './binomial';
import { benjaminiHochberg } from './false-discovery';

/** Share of devices that a model flags of what it was trained on. */
export const CONTAMINATION = 0.05;
/** z of 99 % (two-sided), where the paper alarms. */
export const Z_ALARM = 2.576;
const FALSE_DISCOVERY_RATE = 0.05;
const LEAST_DEVICES = 10;
/** A cluster that is calm elsewhere would make a single flagged device an incident. */
const LEAST_RATE = 0.01;
/** Fewer devices of others than this say too little: the contamination stands in for the missing ones. */
const ENOUGH_OTHERS = 200;

/** Devices of one client, country and cluster on the day. */
export interface CellCount {
  readonly clientId: number;
  readonly country: string;
  readonly cluster: number;
  readonly devices: number;
  readonly flagged: number;
}

export type AnomalyVerdict = 'ANOMALOUS' | 'NORMAL' | 'ABSTAINED';

export interface PairDecision {
  readonly clientId: number;
  readonly country: string;
  readonly devices: number;
  readonly flagged: number;
  /** Flagged devices that were to be expected. */
  readonly expected: number;
  readonly zScore: number;
  /** Of the exact upper binomial tail at rate expected / devices, which is at least as wide as that of the clusters' own rates. 1 where it abstained. */
  readonly pValue: number;
  /** After Benjamini and Hochberg over all pairs of the day. */
  readonly correctedPValue: number;
  readonly verdict: AnomalyVerdict;
}

/** In the order of client and country, whatever the order of the counts. */
export function decide(cells: readonly CellCount[]): PairDecision[] {
  const sorted = [...cells].sort(byCell);
  let decided = decideBy(sorted, ratesElsewhere(sorted, LEAST_RATE));
  for (let found = 0; ;) {
    const anomalous = new Set(decided.filter(({ verdict }) => verdict === 'ANOMALOUS').map(pairKey));
    if (anomalous.size === found) return decided;
    found = anomalous.size;
    decided = unmasked(sorted, decided, anomalous);
  }
}

/**
 * One incident must not hide another of the same day: those that are not anomalous are measured once more, by the others that are not. Without the
 * incidents the rest may look calm by chance, so no less than the contamination is expected of it.
 */
function unmasked(sorted: readonly CellCount[], decided: readonly PairDecision[], anomalous: ReadonlySet<string>): PairDecision[] {
  const calm = sorted.filter((cell) => !anomalous.has(pairKey(cell)));
  const again = new Map(decideBy(calm, ratesElsewhere(calm, CONTAMINATION)).map((pair) => [pairKey(pair), pair]));
  return decided.map((pair) => {
    const unhidden = again.get(pairKey(pair));
    return unhidden?.verdict === 'ANOMALOUS' ? unhidden : pair;
  });
}

function decideBy(sorted: readonly CellCount[], rateElsewhere: (cell: CellCount) => number): PairDecision[] {
  const pairs = new Map<string, { clientId: number; country: string; devices: number; flagged: number; expected: number }>();
  for (const cell of sorted) {
    const { clientId, country } = cell;
    const pair = pairs.get(pairKey(cell)) ?? { clientId, country, devices: 0, flagged: 0, expected: 0 };
    pair.devices += cell.devices;
    pair.flagged += cell.flagged;
    pair.expected += cell.devices * rateElsewhere(cell);
    pairs.set(pairKey(cell), pair);
  }
  const all = [...pairs.values()];
  const judged = all.filter((pair) => pair.devices >= LEAST_DEVICES);
  const pValues = judged.map((pair) => upperTail(pair.devices, pair.flagged, pair.expected / pair.devices));
  const corrected = benjaminiHochberg(pValues);
  const positions = new Map(judged.map((pair, index) => [pair, index]));
  return all.map((pair): PairDecision => {
    const zScore = pair.expected === 0 ? 0 : (pair.flagged - pair.expected) / Math.sqrt(pair.expected);
    const position = positions.get(pair);
    if (position === undefined) return { ...pair, zScore, pValue: 1, correctedPValue: 1, verdict: 'ABSTAINED' };
    const isAnomalous = zScore > Z_ALARM && corrected[position]! <= FALSE_DISCOVERY_RATE;
    return {
      ...pair,
      zScore,
      pValue: pValues[position]!,
      correctedPValue: corrected[position]!,
      verdict: isAnomalous ? 'ANOMALOUS' : 'NORMAL',
    };
  });
}

/** The day's flagged rate of a cell's cluster among all other clients' devices. */
function ratesElsewhere(cells: readonly CellCount[], leastRate: number): (cell: CellCount) => number {
  const total = new Map<number, Tally>();
  const own = new Map<string, Tally>();
  for (const cell of cells) {
    add(total, cell.cluster, cell);
    add(own, `${cell.clientId} ${cell.cluster}`, cell);
  }
  return ({ clientId, cluster }) => {
    const all = total.get(cluster)!;
    const mine = own.get(`${clientId} ${cluster}`)!;
    const devices = all.devices - mine.devices;
    const missing = Math.max(0, ENOUGH_OTHERS - devices);
    return Math.max(leastRate, (all.flagged - mine.flagged + missing * CONTAMINATION) / (devices + missing));
  };
}

function pairKey({ clientId, country }: Pick<CellCount, 'clientId' | 'country'>): string {
  return `${clientId} ${country}`;
}

interface Tally {
  devices: number;
  flagged: number;
}

function add<Key>(tallies: Map<Key, Tally>, key: Key, { devices, flagged }: Tally): void {
  const tally = tallies.get(key) ?? { devices: 0, flagged: 0 };
  tally.devices += devices;
  tally.flagged += flagged;
  tallies.set(key, tally);
}

function byCell(a: CellCount, b: CellCount): number {
  return a.clientId - b.clientId || (a.country < b.country ? -1 : a.country > b.country ? 1 : a.cluster - b.cluster);
}
