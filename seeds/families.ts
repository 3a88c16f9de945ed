/** Device model families of the simulated fleets: how a healthy device of each behaves. */

export interface Family {
  readonly name: string;
  /** First 8 digits of its modems' IMEI. */
  readonly tac: string;
  /** Median megabytes (10^6 bytes) per device and day. */
  readonly megabytesPerDay: number;
  /** Spread between devices: standard deviation of the natural logarithm. */
  readonly spread: number;
  /** Share of the bytes that goes up. */
  readonly uplinkShare: number;
  /** Hours between usage records. */
  readonly reportEveryHours: number;
  /** How much more happens by day than by night: 0 flat, 1 nothing at night. */
  readonly dayRhythm: number;
  readonly rat: string;
  readonly apn: string;
  readonly destination: string;
  readonly rebootsPerDay: number;
}

export const families = {
  riverSensor: {
    name: 'river-sensor-2',
    tac: '35175810',
    megabytesPerDay: 0.4,
    spread: 0.25,
    uplinkShare: 0.8,
    reportEveryHours: 2,
    dayRhythm: 0,
    rat: 'LTE_M',
    apn: 'iot.example',
    destination: 'levels.river.example',
    rebootsPerDay: 0.02,
  },
  charger: {
    name: 'charger-x7',
    tac: '86411504',
    megabytesPerDay: 12,
    spread: 0.35,
    uplinkShare: 0.5,
    reportEveryHours: 2,
    dayRhythm: 0.6,
    rat: 'EUTRAN',
    apn: 'charge.example',
    destination: 'ocpp.charge.example',
    rebootsPerDay: 0.1,
  },
  camera: {
    name: 'gate-camera-3',
    tac: '35900911',
    megabytesPerDay: 60,
    spread: 0.3,
    uplinkShare: 0.95,
    reportEveryHours: 2,
    dayRhythm: 0.5,
    rat: 'EUTRAN',
    apn: 'cam.example',
    destination: 'ingest.cam.example',
    rebootsPerDay: 0.05,
  },
  meter: {
    name: 'meter-m1',
    tac: '86770302',
    megabytesPerDay: 0.15,
    spread: 0.2,
    uplinkShare: 0.7,
    reportEveryHours: 4,
    dayRhythm: 0,
    rat: 'NB_IOT',
    apn: 'meter.example',
    destination: 'head-end.meter.example',
    rebootsPerDay: 0.01,
  },
  tracker: {
    name: 'tracker-t4',
    tac: '35334005',
    megabytesPerDay: 2,
    spread: 0.4,
    uplinkShare: 0.85,
    reportEveryHours: 2,
    dayRhythm: 0.4,
    rat: 'EUTRAN',
    apn: 'track.example',
    destination: 'positions.track.example',
    rebootsPerDay: 0.03,
  },
  elevator: {
    name: 'elevator-e2',
    tac: '35806107',
    megabytesPerDay: 3,
    spread: 0.3,
    uplinkShare: 0.6,
    reportEveryHours: 2,
    dayRhythm: 0.7,
    rat: 'UTRAN',
    apn: 'lift.example',
    destination: 'monitor.lift.example',
    rebootsPerDay: 0.02,
  },
} as const satisfies Record<string, Family>;
