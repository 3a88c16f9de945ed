/** The five kinds of devices of ANCHOR's Table III, as rates of procedures per device and active day. */

/** What one domain's core element asks for, per device and active day. */
export interface DomainRates {
  /** Update locations (MAP UL, MAP UL_GPRS or Diameter ULR). */
  readonly updates: number;
  /** Authentication requests, those before an update included. */
  readonly authentications: number;
  /** Cancel locations at the element that the device left. */
  readonly cancels: number;
  /** Purges and notifications. */
  readonly others: number;
  /** Share of the moves that change the operator too. */
  readonly operatorMoves: number;
}

export interface Cluster {
  readonly id: string;
  /** Devices of this kind in the paper's population. */
  readonly devices: number;
  /** Share of its devices that show up on a day; over the paper's population these give about 72 %. */
  readonly activeShare: number;
  /** Dialogues in one session, in the mean. */
  readonly dialoguesPerSession: number;
  /** Mean pause between procedures inside a session; sessions end at 30 s. */
  readonly gapSeconds: number;
  /** Spread between devices, and from day to day: standard deviations of the natural logarithm. */
  readonly spread: number;
  readonly daySpread: number;
  /** Further spread of a device's 4G part, so that its share of the dialogues differs between devices. */
  readonly lteSpread: number;
  /** How much more happens by day than by night: 0 flat, 1 nothing at night. */
  readonly dayRhythm: number;
  /** Dialogues on a Saturday or Sunday against a working day. */
  readonly weekend: number;
  /** Share of days that a device spends in another of its client's countries. */
  readonly travels: number;
  /** Elements of a domain that a device meets. */
  readonly reach: number;
  /** Circuit-switched, packet-switched, LTE. */
  readonly domains: readonly [DomainRates, DomainRates, DomainRates];
}

const none: DomainRates = { updates: 0, authentications: 0, cancels: 0, others: 0, operatorMoves: 0 };

/**
 * Totals per protocol and procedure are the table's. It doesn't part MAP by domain: the split follows its VLR and SGSN changes.
 * What its sums leave of all dialogues are UL_GPRS, PURGE and NOTIFY. c5's protocol split comes from its procedure counts, and
 * c4's 63.4 % MAP from the spread between devices, since its counts alone would say 51 %.
 */
export const clusters: readonly Cluster[] = [
  {
    id: 'c1',
    devices: 1_700_000,
    activeShare: 0.55,
    dialoguesPerSession: 4,
    gapSeconds: 6,
    spread: 0.5,
    daySpread: 0.2,
    lteSpread: 0,
    dayRhythm: 0.2,
    weekend: 1,
    travels: 0,
    reach: 2,
    domains: [
      { updates: 1.2, authentications: 2.6, cancels: 1.0, others: 0.35, operatorMoves: 0.05 },
      { updates: 0.9, authentications: 1.6, cancels: 0.7, others: 0.35, operatorMoves: 0.05 },
      none,
    ],
  },
  {
    id: 'c2',
    devices: 420_000,
    activeShare: 0.7,
    dialoguesPerSession: 5,
    gapSeconds: 7,
    spread: 0.45,
    daySpread: 0.2,
    lteSpread: 0,
    dayRhythm: 0.3,
    weekend: 0.95,
    travels: 0,
    reach: 3,
    domains: [none, none, { updates: 4.4, authentications: 15, cancels: 1.2, others: 1.8, operatorMoves: 0 }],
  },
  {
    id: 'c3',
    devices: 894_000,
    activeShare: 0.85,
    dialoguesPerSession: 9,
    gapSeconds: 8,
    spread: 0.55,
    daySpread: 0.3,
    lteSpread: 0,
    dayRhythm: 0.6,
    weekend: 0.7,
    travels: 0.01,
    reach: 6,
    domains: [
      { updates: 18.5, authentications: 29.9, cancels: 14.2, others: 1, operatorMoves: 0.1 },
      { updates: 9.9, authentications: 16.5, cancels: 7.4, others: 1, operatorMoves: 0.1 },
      { updates: 0.001, authentications: 0.01, cancels: 0.001, others: 0, operatorMoves: 0 },
    ],
  },
  {
    id: 'c4',
    devices: 300_000,
    activeShare: 0.98,
    dialoguesPerSession: 24,
    gapSeconds: 7,
    spread: 0.5,
    daySpread: 0.3,
    lteSpread: 1.1,
    dayRhythm: 0.7,
    weekend: 0.65,
    travels: 0.06,
    reach: 10,
    domains: [
      { updates: 145.5, authentications: 226, cancels: 87.8, others: 20, operatorMoves: 0.15 },
      { updates: 54.4, authentications: 80, cancels: 29.3, others: 20, operatorMoves: 0.15 },
      { updates: 244, authentications: 291, cancels: 102.1, others: 0, operatorMoves: 0.07 },
    ],
  },
  {
    id: 'c5',
    devices: 621_000,
    activeShare: 0.86,
    dialoguesPerSession: 8,
    gapSeconds: 8,
    spread: 0.5,
    daySpread: 0.25,
    lteSpread: 0.2,
    dayRhythm: 0.4,
    weekend: 0.9,
    travels: 0,
    reach: 3,
    domains: [
      { updates: 1.1, authentications: 1.3, cancels: 0.9, others: 0.3, operatorMoves: 0.05 },
      { updates: 0.8, authentications: 0.8, cancels: 0.7, others: 0.3, operatorMoves: 0.05 },
      { updates: 12.7, authentications: 43, cancels: 6.5, others: 3.6, operatorMoves: 0.07 },
    ],
  },
];

/** The table's own mix: the share of each cluster. */
export const TABLE_MIX: readonly number[] = clusters.map(
  (cluster) => cluster.devices / clusters.reduce((sum, other) => sum + other.devices, 0),
);
