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
  /** Probability of so many flagged devices where all is as usual; of two looks the clearer, doubled. 0 where there is nothing to compare with. */
  readonly pValue: number;
  /** Flagged devices that were to be expected by the look that counted; null: there was none. */
  readonly expected: number | null;
  readonly by: 'OTHER_DAYS' | 'OTHER_COUNTRIES' | null;
}

/** Fewer devices than this are no measure. */
export const LEAST_DEVICES = 10;
/** A reference of few devices is weighed with so many that behave as the other clients' do. */
const PEERS_IN_REFERENCE = 10;
/** Devices of one client, day and country share what befalls them: days and countries differ by more than chance among so many devices would have it. */
const REFERENCE_WEIGHT = 0.5;

export function compareWithItself(pair: MeasuredPair, elsewhere: readonly MeasuredPair[], otherDays: readonly DayCount[]): OwnComparison {
  const looks = [
    { by: 'OTHER_DAYS' as const, reference: middleDay(otherDays) },
    { by: 'OTHER_COUNTRIES' as const, reference: otherCountries(pair, elsewhere) },
  ].flatMap(({ by, reference }) => (reference === null ? [] : [{ by, ...tailBeyond(pair, reference) }]));
  if (looks.length === 0) return { pValue: 0, expected: null, by: null };
  const clearest = looks.reduce((best, look) => (look.pValue < best.pValue ? look : best));
  return { ...clearest, pValue: Math.min(1, looks.length * clearest.pValue) };
}

/** The day of middle rate, of two the calmer: an incident on fewer than half of the days is no measure. */
function middleDay(days: readonly DayCount[]): DayCount | null {
  const known = days.filter(({ devices }) => devices >= LEAST_DEVICES);
  known.sort((a, b) => a.flagged / a.devices - b.flagged / b.devices || b.devices - a.devices);
  return known[(known.length - 1) >> 1] ?? null;
}

/** The client's devices in other countries, as if they were in the clusters that it has here. */
function otherCountries(pair: MeasuredPair, elsewhere: readonly MeasuredPair[]): DayCount | null {
  const sum = { devices: 0, flagged: 0, expected: 0 };
  for (const { devices, flagged, expected } of elsewhere) {
    sum.devices += devices;
    sum.flagged += flagged;
    sum.expected += expected;
  }
  if (sum.devices < LEAST_DEVICES) return null;
  const ratio = pair.expected / pair.devices / (sum.expected / sum.devices);
  return { devices: sum.devices, flagged: Math.min(sum.devices, sum.flagged * ratio) };
}

function tailBeyond({ devices, flagged, expected }: MeasuredPair, reference: DayCount): { pValue: number; expected: number } {
  const rate = Math.min(1, expected / devices);
  const alpha = REFERENCE_WEIGHT * reference.flagged + PEERS_IN_REFERENCE * rate;
  const beta = REFERENCE_WEIGHT * (reference.devices - reference.flagged) + PEERS_IN_REFERENCE * (1 - rate);
  // where the reference was flagged to the last device, there is no more than all
  if (beta <= 0) return { pValue: 1, expected: devices };
  return { pValue: betaBinomialTail(devices, flagged, alpha, beta), expected: (devices * alpha) / (alpha + beta) };
}
