/**
 * What is usual of a client and country itself. A customer whose devices differ from everybody's differs on every day and in every country: that is
 * its way. An incident begins on a day, or keeps to a country: it shows against the pair's own other days, or the client's own other countries.
 */
import { betaBinomialTail } from './binomial';

/** Devices judged and flagged, of a client in a country, on one day. */
export interface DayCount {
  readonly devices: number;
  readonly flagged: number;
}

/** A pair's own other days; none where nothing is known of them. */
export interface OwnDays {
  (clientId: number, country: string): readonly DayCount[];
}

export interface MeasuredPair extends DayCount {
  readonly clientId: number;
  readonly country: string;
  /** Flagged devices that were to be expected by the other clients. */
  readonly expected: number;
}

/** How a pair compares with itself. */
export interface OwnComparison {
  /**
   * Probability of so many flagged devices where all is as usual; of two looks the clearer, over its share of the chance of error. 0 where there is
   * nothing to compare with.
   */
  readonly pValue: number;
  /** Flagged devices that were to be expected by the look that counted; null: there was none. */
  readonly expected: number | null;
  readonly by: 'OTHER_DAYS' | 'OTHER_COUNTRIES' | null;
}

/** Fewer devices than this are no measure. */
export const LEAST_DEVICES = 10;
/** What is usual is known from so many devices more, which behave as the other clients' do. */
const PEERS_IN_REFERENCE = 5;
/** Devices share what befalls their client: days differ from each other by more than chance, as if a rate were drawn from twice a day's devices. */
const DAY_WEIGHT = 2;
/** Countries have other networks, and differ for good: by as much as rates drawn from half of the devices, or from a hundred. */
const COUNTRY_WEIGHT = 0.5;
const MOST_COUNTRY_WEIGHT = 100;
/**
 * Of two looks each has its share of the chance of error, in sum 1. Most incidents begin and end, so that days tell them; what differs between countries
 * on every day is seldom one.
 */
const SHARES = { OTHER_DAYS: 0.9, OTHER_COUNTRIES: 0.1 } as const;

/** How often devices are flagged where all is as usual, and how far that may move: as if it were known from so many devices only. */
interface Usual {
  readonly rate: number;
  readonly weight: number;
}

export function compareWithItself(pair: MeasuredPair, elsewhere: readonly MeasuredPair[], otherDays: readonly DayCount[]): OwnComparison {
  const looks = [
    { by: 'OTHER_DAYS' as const, usual: usualOfDays(pair, otherDays) },
    { by: 'OTHER_COUNTRIES' as const, usual: usualElsewhere(pair, elsewhere) },
  ].flatMap(({ by, usual }) => (usual === null ? [] : [{ by, ...tailBeyond(pair, usual, SHARES[by]) }]));
  if (looks.length === 0) return { pValue: 0, expected: null, by: null };
  const clearest = looks.reduce((best, look) => (look.pValue < best.pValue ? look : best));
  return { ...clearest, pValue: Math.min(1, clearest.pValue) };
}

/** By the day of middle rate, of two the calmer: an incident on fewer than half of the days is no measure. */
function usualOfDays(pair: MeasuredPair, days: readonly DayCount[]): Usual | null {
  const known = days.filter(({ devices }) => devices >= LEAST_DEVICES);
  known.sort((a, b) => a.flagged / a.devices - b.flagged / b.devices || b.devices - a.devices);
  const middle = known[(known.length - 1) >> 1];
  if (middle === undefined) return null;
  const { devices, flagged } = middle;
  const all = { devices: known.length * devices, flagged: known.length * flagged };
  return { rate: rateAmong(all, pair), weight: DAY_WEIGHT * devices + PEERS_IN_REFERENCE };
}

/** By the client's devices in other countries, as if they were in the clusters that it has here. */
function usualElsewhere(pair: MeasuredPair, elsewhere: readonly MeasuredPair[]): Usual | null {
  const sum = { devices: 0, flagged: 0, expected: 0 };
  for (const { devices, flagged, expected } of elsewhere) {
    sum.devices += devices;
    sum.flagged += flagged;
    sum.expected += expected;
  }
  if (sum.devices < LEAST_DEVICES) return null;
  const ratio = peerRate(pair) / (sum.expected / sum.devices);
  const asHere = { devices: sum.devices, flagged: Math.min(sum.devices, sum.flagged * ratio) };
  return { rate: rateAmong(asHere, pair), weight: Math.min(MOST_COUNTRY_WEIGHT, COUNTRY_WEIGHT * sum.devices + PEERS_IN_REFERENCE) };
}

function rateAmong({ devices, flagged }: DayCount, pair: MeasuredPair): number {
  return (flagged + PEERS_IN_REFERENCE * peerRate(pair)) / (devices + PEERS_IN_REFERENCE);
}

function peerRate({ devices, expected }: MeasuredPair): number {
  return Math.min(1, expected / devices);
}

function tailBeyond({ devices, flagged }: MeasuredPair, { rate, weight }: Usual, share: number): { pValue: number; expected: number } {
  // where all of them always are flagged, there is no more than all
  if (rate >= 1) return { pValue: 1, expected: devices };
  return { pValue: betaBinomialTail(devices, flagged, weight * rate, weight * (1 - rate)) / share, expected: devices * rate };
}
