/**
 * The decision per client × visited country × day: are there more flagged devices than the same clusters show at everybody else, and more than the
 * client itself shows on other days or in other countries? After ANCHOR's z-score, (D − E) / √E; the expectation from other clients, the comparison
 * with itself and the control of the false discovery rate are ours.
 */
import { upperTail } from './binomial';
import { benjaminiHochberg } from './false-discovery';
import { compareWithItself, LEAST_DEVICES, type MeasuredPair, type OwnComparison, type OwnDays } from './own-usual';

/** Share of devices that a model flags of what it was trained on. */
export const CONTAMINATION = 0.05;
/** z of 99 % (two-sided), where the paper alarms. */
export const Z_ALARM = 2.576;
const FALSE_DISCOVERY_RATE = 0.05;
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
  /**
   * The greater of two probabilities, since both must be small: that of the exact upper binomial tail at rate expected / devices, which is at least as
   * wide as that of the clusters' own rates, and, where that one is small, that of the comparison with itself. 1 where it abstained.
   */
  readonly pValue: number;
  /**
   * After Benjamini and Hochberg over all pairs of the day; of a pair that was found once the clearest were set aside, over those that were left.
   */
  readonly correctedPValue: number;
  /** What was to be expected by the client's own other days or countries; null where they weren't asked, or nothing is known of them. */
  readonly own: Pick<OwnComparison, 'expected' | 'by'> | null;
  readonly verdict: AnomalyVerdict;
}

const noOtherDays: OwnDays = () => [];

/** In the order of client and country, whatever the order of the counts. `otherDays`: what is known of each pair's own past. */
export function decide(cells: readonly CellCount[], otherDays: OwnDays = noOtherDays): PairDecision[] {
  const sorted = [...cells].sort(byCell);
  let decided = judge(pairsOf(sorted, ratesElsewhere(sorted, LEAST_RATE)), () => true, otherDays);
  for (let found = 0; ;) {
    const anomalous = new Set(decided.filter(({ verdict }) => verdict === 'ANOMALOUS').map(pairKey));
    if (anomalous.size === found) return decided;
    found = anomalous.size;
    decided = unmasked(sorted, decided, anomalous, otherDays);
  }
}

/**
 * One incident must not hide another of the same day: those that are not anomalous are measured once more, by the others that are not. Without the
 * incidents the rest may look calm by chance, so no less than the contamination is expected of it.
 */
function unmasked(
  sorted: readonly CellCount[],
  decided: readonly PairDecision[],
  anomalous: ReadonlySet<string>,
  otherDays: OwnDays,
): PairDecision[] {
  const isCalm = (pair: Pick<CellCount, 'clientId' | 'country'>) => !anomalous.has(pairKey(pair));
  const pairs = pairsOf(sorted, ratesElsewhere(sorted.filter(isCalm), CONTAMINATION));
  const again = new Map(judge(pairs, isCalm, otherDays).map((pair) => [pairKey(pair), pair]));
  return decided.map((pair) => {
    const unhidden = again.get(pairKey(pair));
    return unhidden?.verdict === 'ANOMALOUS' ? unhidden : pair;
  });
}

function pairsOf(sorted: readonly CellCount[], rateElsewhere: (cell: CellCount) => number): MeasuredPair[] {
  const pairs = new Map<string, { clientId: number; country: string; devices: number; flagged: number; expected: number }>();
  for (const cell of sorted) {
    const { clientId, country } = cell;
    const pair = pairs.get(pairKey(cell)) ?? { clientId, country, devices: 0, flagged: 0, expected: 0 };
    pair.devices += cell.devices;
    pair.flagged += cell.flagged;
    pair.expected += cell.devices * rateElsewhere(cell);
    pairs.set(pairKey(cell), pair);
  }
  return [...pairs.values()];
}

/** Decides on those pairs that are asked for; all of a client's are what each is compared with. */
function judge(pairs: readonly MeasuredPair[], isAsked: (pair: MeasuredPair) => boolean, otherDays: OwnDays): PairDecision[] {
  const ofClient = new Map<number, MeasuredPair[]>();
  for (const pair of pairs) ofClient.set(pair.clientId, [...(ofClient.get(pair.clientId) ?? []), pair]);
  const asked = pairs.filter(isAsked);
  const tested = asked.map((pair) => {
    if (pair.devices < LEAST_DEVICES) return null;
    const byPeers = upperTail(pair.devices, pair.flagged, pair.expected / pair.devices);
    // what the others show as well needs no second look
    if (byPeers > FALSE_DISCOVERY_RATE) return { pValue: byPeers, own: null };
    const elsewhere = ofClient.get(pair.clientId)!.filter((other) => other !== pair);
    const own = compareWithItself(pair, elsewhere, otherDays(pair.clientId, pair.country));
    return { pValue: Math.max(byPeers, own.pValue), own: { expected: own.expected, by: own.by } };
  });
  const corrected = benjaminiHochberg(tested.flatMap((test) => test?.pValue ?? []))[Symbol.iterator]();
  return asked.map((pair, index): PairDecision => {
    const zScore = pair.expected === 0 ? 0 : (pair.flagged - pair.expected) / Math.sqrt(pair.expected);
    const test = tested[index]!;
    if (test === null) return { ...pair, zScore, pValue: 1, correctedPValue: 1, own: null, verdict: 'ABSTAINED' };
    const correctedPValue = corrected.next().value!;
    const isAnomalous = zScore > Z_ALARM && correctedPValue <= FALSE_DISCOVERY_RATE;
    return { ...pair, zScore, ...test, correctedPValue, verdict: isAnomalous ? 'ANOMALOUS' : 'NORMAL' };
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
    const all = total.get(cluster) ?? none;
    const mine = own.get(`${clientId} ${cluster}`) ?? none;
    const devices = all.devices - mine.devices;
    const missing = Math.max(0, ENOUGH_OTHERS - devices);
    return Math.max(leastRate, (all.flagged - mine.flagged + missing * CONTAMINATION) / (devices + missing));
  };
}

const none: Tally = { devices: 0, flagged: 0 };

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
