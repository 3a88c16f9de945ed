/** Anomalies of known shape among seeded quiet SIMs, and how many of them a detector that claims the shape must find. */
import { seededRandom } from '../numeric';
import type { AnomalousCase } from './bench';
import type { EventRow, UsageRow } from './rows';
import { quietEvent, quietSimDay, syntheticEvents, syntheticUsage } from './synthetic';

/** Least share of the planted SIMs to find, per shape. Set here, not by authors: a floor that gives way is none. */
export const recallFloors = { point: 0.95, shift: 0.9, drop: 0.95, swap: 1, storm: 0.95 } as const;

/**
 * `point`: one day at 20 to 60 times the usual. `shift`: a level 8 to 12 times as high for days. `drop`: a steady SIM falls silent for 7 to 14 days.
 * `swap`: from midday on the SIM sits in another modem model. `storm`: 300 to 900 reboots in one day.
 */
export type AnomalyShape = keyof typeof recallFloors;

export interface Planting {
  /** The kind that must fire. */
  readonly kind: string;
  readonly seed: number;
  /** SIMs in all. Default 400. */
  readonly sims?: number;
  /** SIMs with an anomaly. Default 40. */
  readonly anomalies?: number;
  readonly options?: Readonly<Record<string, unknown>>;
}

type Draw = (from: number, to: number) => number;

export function plantedUsage(shape: 'point' | 'shift' | 'drop', planting: Planting): AnomalousCase {
  const { seed, sims = 400 } = planting;
  const rows = syntheticUsage({ sims, seed });
  const draw = drawing(seed);
  const planted = chosen(planting);
  for (const [place, row] of planted.entries()) rows[row] = usageShapes[shape](rows[row]!, draw, place);
  return { ...caseOf(shape, planting), rows, planted };
}

export function plantedEvents(shape: 'swap' | 'storm', planting: Planting): AnomalousCase {
  const { seed, sims = 400 } = planting;
  const draw = drawing(seed);
  const subjects = new Set(chosen(planting));
  const quiet = new Map<number, EventRow[]>();
  for (const row of syntheticEvents({ sims, seed })) quiet.set(row.subject, [...(quiet.get(row.subject) ?? []), row]);
  const rows: EventRow[] = [];
  const planted: number[] = [];
  for (const [subject, day] of quiet) {
    if (subjects.has(subject)) planted.push(rows.length);
    rows.push(...(subjects.has(subject) ? eventShapes[shape](day, draw) : day));
  }
  return { ...caseOf(shape, planting), rows, planted };
}

const usageShapes: Record<'point' | 'shift' | 'drop', (row: UsageRow, draw: Draw, place: number) => UsageRow> = {
  point: (row, draw) => heavier(row, draw(20, 60) * quietSimDay.dayBytes),
  shift: (row, draw, place) => {
    const ratio = draw(8, 12);
    const more = heavier(row, ratio * quietSimDay.dayBytes);
    const onList = { topRank: place + 1, topRatioDay0: ratio, topRatioDay1: ratio, topRatioDay2: ratio, topRatioDay3: ratio };
    return { ...more, weekBytes: 3 * more.dayBytes, cycleBytes: row.cycleBytes + 2 * more.dayBytes, ...(place < 20 ? onList : {}) };
  },
  drop: (row, draw) => {
    const silentDays = Math.floor(draw(7, 15));
    const nothing = { dayBytes: 0, dayUplinkBytes: 0, dayDownlinkBytes: 0, weekBytes: 0 };
    return { ...row, ...nothing, silentDays, activeDaysOf28: 28 - silentDays, topRank: NaN, topRatioDay0: NaN };
  },
};

const eventShapes: Record<'swap' | 'storm', (day: readonly EventRow[], draw: Draw) => EventRow[]> = {
  swap: (day, draw) => {
    const first = day[0]!;
    const at = Math.floor(draw(43_200, 80_000));
    const sighting: EventRow = { ...quietEvent, subject: first.subject, imeiMatch: 'TAC' };
    const before = day.filter(({ secondOfDay }) => secondOfDay < at);
    return [
      ...before,
      { ...sighting, secondOfDay: at, imeiChange: 'TAC', secondsUntilNext: 600 },
      { ...sighting, secondOfDay: at + 600, imeiChange: 'SAME', secondsSincePrevious: 600 },
    ];
  },
  storm: (day, draw) => {
    const reboots = Math.floor(draw(300, 900));
    const from = draw(0, 40_000);
    const reboot: EventRow = { ...quietEvent, subject: day[0]!.subject, eventClass: 'DEVICE', eventType: 'REBOOT', network: null };
    const storm = Array.from({ length: reboots }, (_, index) => ({
      ...reboot,
      secondOfDay: from + 40 * index,
      secondsSincePrevious: 40,
      secondsUntilNext: 40,
      imeiMatch: null,
      imeiChange: null,
    }));
    return [...day, ...storm].sort((one, other) => one.secondOfDay - other.secondOfDay);
  },
};

function heavier(row: UsageRow, dayBytes: number): UsageRow {
  const more = dayBytes - row.dayBytes;
  return {
    ...row,
    dayBytes,
    dayUplinkBytes: dayBytes * 0.9,
    dayDownlinkBytes: dayBytes * 0.1,
    weekBytes: row.weekBytes + more,
    cycleBytes: row.cycleBytes + more,
    silentDays: 0,
  };
}

function caseOf(shape: AnomalyShape, { kind, options }: Planting): Omit<AnomalousCase, 'rows' | 'planted'> {
  return { name: `planted ${shape} anomalies`, shape, kind, ...(options ? { options } : {}) };
}

/** Spread evenly over the fleet, in the order of the rows. */
function chosen({ sims = 400, anomalies = 40 }: Planting): number[] {
  return Array.from({ length: anomalies }, (_, place) => Math.floor(((place + 0.5) * sims) / anomalies));
}

function drawing(seed: number): Draw {
  const random = seededRandom(seed + 1);
  return (from, to) => from + (to - from) * random();
}
