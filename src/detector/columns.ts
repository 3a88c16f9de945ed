/** The published column catalogue: everything a detector may ask for, with unit and meaning of missing. Numbers are NaN where unknown. */
import { featureCatalogue, type FeatureName } from './features';

export interface ColumnDescription {
  readonly input: 'usage' | 'events' | 'features' | 'services';
  /** A second input that has the column too. */
  readonly alsoInput?: 'features';
  /** `number`: Float64Array. `category`: codes into a list of names, −1 where unknown. */
  readonly type: 'number' | 'category';
  readonly unit: string;
  readonly description: string;
}

const usage = (unit: string, description: string) => ({ input: 'usage', type: 'number', unit, description }) as const;
const event = (unit: string, description: string) => ({ input: 'events', type: 'number', unit, description }) as const;
const category = (description: string) => ({ input: 'events', type: 'category', unit: '', description }) as const;
const service = (unit: string, description: string) => ({ input: 'services', type: 'number', unit, description }) as const;

const features = Object.fromEntries(
  featureCatalogue.map(({ name, unit, description }) => [name, { input: 'features', type: 'number', unit, description }]),
) as Readonly<Record<FeatureName, { input: 'features'; type: 'number'; unit: string; description: string }>>;

export const columnCatalogue = {
  // features: one row per SIM and UTC day with signaling
  ...features,

  // usage: one row per SIM and UTC day
  dayBytes: usage('bytes', 'Uplink and downlink of the SIM on this UTC day so far.'),
  dayUplinkBytes: usage('bytes', 'Uplink of the SIM on this UTC day so far.'),
  dayDownlinkBytes: usage('bytes', 'Downlink of the SIM on this UTC day so far.'),
  weekBytes: usage('bytes', 'Total of the SIM in the ISO week, Monday to this day.'),
  cycleBytes: usage('bytes', 'Total of the SIM in the billing cycle, to this day.'),
  dayClosed: usage('0 or 1', '1 once the day is closed: every source is past it, or it was closed incomplete.'),
  dayIncomplete: usage('0 or 1', '1 when the day was closed although a source was late.'),
  weekClosed: usage('0 or 1', '1 on a closed Sunday: the ISO week is complete.'),
  dailyLimitBytes: usage(
    'bytes',
    "The daily limit that applies to the SIM: its own, else its fleet's, else the client's; NaN without one.",
  ),
  dailyWarnBytes: usage('bytes', 'Where the warning of the daily limit starts.'),
  dailyClearBytes: usage('bytes', 'Below this a daily limit alert clears.'),
  monthlyLimitBytes: usage('bytes', 'The limit per billing cycle that applies to the SIM; NaN without one.'),
  monthlyWarnBytes: usage('bytes', 'Where its warning starts.'),
  monthlyClearBytes: usage('bytes', 'Below this its alert clears.'),
  fleetDayBytes: usage('bytes', "Total of the SIM's fleet on this UTC day; NaN without a fleet."),
  fleetCycleBytes: usage('bytes', "Total of the SIM's fleet in the billing cycle."),
  fleetDailyLimitBytes: usage('bytes', "Daily limit of the fleet's total; NaN without one."),
  fleetDailyWarnBytes: usage('bytes', 'Where its warning starts.'),
  fleetDailyClearBytes: usage('bytes', 'Below this its alert clears.'),
  fleetMonthlyLimitBytes: usage('bytes', "Limit of the fleet's total per billing cycle; NaN without one."),
  fleetMonthlyWarnBytes: usage('bytes', 'Where its warning starts.'),
  fleetMonthlyClearBytes: usage('bytes', 'Below this its alert clears.'),
  clientDayBytes: usage('bytes', 'Total of the client on this UTC day.'),
  clientCycleBytes: usage('bytes', 'Total of the client in the billing cycle.'),
  clientDailyLimitBytes: usage('bytes', "Daily limit of the client's total; NaN without one."),
  clientDailyWarnBytes: usage('bytes', 'Where its warning starts.'),
  clientDailyClearBytes: usage('bytes', 'Below this its alert clears.'),
  clientMonthlyLimitBytes: usage('bytes', "Limit of the client's total per billing cycle; NaN without one."),
  clientMonthlyWarnBytes: usage('bytes', 'Where its warning starts.'),
  clientMonthlyClearBytes: usage('bytes', 'Below this its alert clears.'),
  baselineDayBytes: usage(
    'bytes',
    "Median per SIM and day of the SIM's device model family over the 28 closed days before; NaN under 5 SIMs or 7 days.",
  ),
  baselineWeekBytes: usage('bytes', 'The same per ISO week, over the 8 closed weeks before; NaN under 5 SIMs or 7 days.'),
  topRank: usage('rank', "Place of the SIM among the client's 20 top consumers of this day, 1 to 20; NaN elsewhere."),
  topRatioDay0: usage(
    'ratio',
    "Bytes divided by the family's daily baseline on this day if the SIM was among the top 20 then; NaN otherwise.",
  ),
  topRatioDay1: usage('ratio', 'The same one day before.'),
  topRatioDay2: usage('ratio', 'The same two days before.'),
  topRatioDay3: usage('ratio', 'The same three days before.'),
  topRatioDay4: usage('ratio', 'The same four days before.'),
  silentDays: usage(
    'days',
    'Closed days up to and including this one without usage since the last day with usage; NaN if the SIM never had any.',
  ),
  activeDaysOf28: usage('days', 'Days with usage among the 28 before this one.'),
  daysSinceRegistered: usage('days', 'Whole days from registration to the end of this day.'),
  sourceLatenessSeconds: usage(
    'seconds',
    'How far the latest usage source of the client is behind the end of this day; 0 when past it; NaN if no source ever delivered.',
  ),
  expectedSilence: usage('0 or 1', '1 when the configuration says that the SIM is expected to be silent on this day.'),
  lifecycleActive: usage('0 or 1', '1 when the subscription is ACTIVE.'),
  blockedByUs: { ...usage('0 or 1', '1 when we blocked the SIM (or are doing so).'), alsoInput: 'features' },
  critical: usage('0 or 1', '1 when the device is marked CRITICAL.'),

  // events: one row per event of a SIM on the UTC day, sorted by SIM and event time; usage records are sightings among them
  subject: event('ordinal', 'Ordinal of the SIM: rows of one SIM share it and stand together.'),
  eventClass: category('CONNECTION, DEVICE, or USAGE (a usage record: a sighting with IMEI, network and destination).'),
  eventType: category('Type of a connection or device event; USAGE for a usage record.'),
  eventCount: event('events', 'How many occurrences the row stands for; 1 but for device events that count.'),
  secondOfDay: event('seconds', 'Event time within the UTC day, 0 to 86,399.999.'),
  secondsSincePrevious: event(
    'seconds',
    "Since the SIM's previous event of the same class by event time, from an earlier day too; NaN if none within 7 days.",
  ),
  secondsUntilNext: event('seconds', "To the SIM's next event of any class by event time, from a later day too; NaN if none is known."),
  imeiMatch: category(
    'Observed IMEI against the bound ones, by the first 14 digits: MATCH, SOFTWARE_VERSION (same 14 digits, another IMEISV version than seen before), SERIAL (same TAC, another serial), TAC (another modem model); −1 when the IMEI is unknown or nothing is bound.',
  ),
  imeiChange: category(
    "Observed IMEI against the SIM's previous known one by event time: SAME, SOFTWARE_VERSION, SERIAL, TAC; −1 when either is unknown.",
  ),
  network: category('PLMN as MCC-MNC.'),
  networkAllowed: event('0 or 1', '1 when the PLMN (or its MCC) is on the list allowed for the SIM; NaN without a list or PLMN.'),
  networkFamilySims: event(
    'SIMs',
    "SIMs of the client seen in this PLMN's country (MCC) in the 28 days before; NaN without 7 days of history.",
  ),
  networkSimsTried: event('SIMs', 'SIMs of the client that tried to attach in this PLMN on this day.'),
  networkSimsFailed: event('SIMs', 'Of those, SIMs with a rejected or failed attachment and none accepted on this day.'),
  destination: category('Destination of the traffic: host name, IP or AS number.'),
  destinationAllowed: event('0 or 1', '1 when the destination is on the list allowed for the SIM; NaN without a list or destination.'),
  destinationFamilySims: event(
    'SIMs',
    'SIMs of the same device model family that used this destination in the 28 days before; NaN without 7 days of history.',
  ),
  familySims: event('SIMs', 'SIMs of the device model family with traffic in the 28 days before.'),
  uplinkBytes: event('bytes', 'Uplink that the row reports; NaN where it reports none.'),
  downlinkBytes: event('bytes', 'Downlink that the row reports; NaN where it reports none.'),
  eventDayClosed: event('0 or 1', '1 once the day is closed.'),
  eventBlockedByUs: event('0 or 1', '1 when we blocked the SIM (or are doing so).'),
  eventCritical: event('0 or 1', '1 when the device is marked CRITICAL.'),

  // services: one row per visited country, hour of the UTC day and service, of hours that are over
  serviceName: {
    input: 'services',
    type: 'category',
    unit: '',
    description:
      'VOICE_SMS (registrations through a VLR), DATA (through an SGSN or MME), or MAP (every MAP dialogue, as the home register sees them).',
  },
  servicePlatformWide: service('0 or 1', '1 on rows of all clients and countries together, which only the operator has.'),
  serviceHour: service('hour', 'Hour of the UTC day, 0 to 23.'),
  serviceDialogues: service(
    'dialogues',
    'Dialogues of the service in the hour, without those of SIMs that we blocked. VOICE_SMS and DATA: authentications and location updates.',
  ),
  serviceSuccesses: service('dialogues', 'Of those, the successful ones.'),
  serviceSimsTried: service('SIMs', 'SIMs that tried to use the service in the hour; those that we blocked left out. NaN for MAP.'),
  serviceSimsFailed: service(
    'SIMs',
    'Of those, SIMs without a success in the hour: no location update that succeeded, or where none was reached, no authentication. NaN for MAP.',
  ),
  serviceSimsProvisioned: service(
    'SIMs',
    'SIMs that have business there: seen in the country in the 7 days before or on this day; platform-wide, all active ones. NaN for MAP.',
  ),
} as const satisfies Record<string, ColumnDescription>;

export type ColumnName = keyof typeof columnCatalogue;

/** A category column: `codes[row]` indexes `names`, −1 where unknown. */
export interface CategoryColumn {
  readonly codes: Int32Array;
  readonly names: readonly string[];
}

export type ColumnData<Name extends ColumnName> = (typeof columnCatalogue)[Name]['type'] extends 'category' ? CategoryColumn : Float64Array;
export type ColumnsOf<Names extends ColumnName> = { readonly [Name in Names]: ColumnData<Name> };

/** Whether rows of this input have the column. */
export function isColumnOf(name: string, input: ColumnDescription['input']): boolean {
  const catalogue: Readonly<Record<string, ColumnDescription>> = columnCatalogue;
  if (!Object.hasOwn(catalogue, name)) return false;
  return catalogue[name]!.input === input || catalogue[name]!.alsoInput === input;
}
