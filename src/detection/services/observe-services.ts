/** Judged hours as the columns of the services input: one row per hour, country and service. */
import type { ColumnName } from '../../detector';
import { CategoryBuilder, type Observation } from '../observe/observation';
import { PLATFORM, type ServiceHour } from './stored-hours';

export function observeServices(hours: readonly ServiceHour[]): Observation {
  const name = new CategoryBuilder(hours.length);
  hours.forEach(({ service }, row) => name.set(row, service));
  // Where nothing was worth counting device by device, nobody failed.
  const devices = (hour: ServiceHour, counted: number | null) => (hour.service === 'MAP' ? NaN : (counted ?? 0));
  const numbers: Partial<Record<ColumnName, (hour: ServiceHour) => number>> = {
    servicePlatformWide: ({ country }) => (country === PLATFORM ? 1 : 0),
    serviceHour: ({ hour }) => hour,
    serviceDialogues: ({ dialogues }) => dialogues,
    serviceSuccesses: ({ successes }) => successes,
    serviceSimsTried: (hour) => (hour.simsTried === null ? NaN : devices(hour, hour.simsTried)),
    serviceSimsFailed: (hour) => devices(hour, hour.simsFailed),
    serviceSimsProvisioned: (hour) => (hour.service === 'MAP' || hour.simsProvisioned === null ? NaN : hour.simsProvisioned),
  };
  return {
    rows: hours.length,
    columns: new Map<ColumnName, Float64Array | ReturnType<CategoryBuilder['column']>>([
      ['serviceName', name.column()],
      ...Object.entries(numbers).map(([column, valueOf]): [ColumnName, Float64Array] => [
        column as ColumnName,
        Float64Array.from(hours, valueOf),
      ]),
    ]),
    // every row speaks of the client as a whole
    simOfRow: new Int32Array(hours.length),
    networkOfRow: [],
    countryOfRow: hours.map(({ country }) => (country === PLATFORM ? null : country)),
  };
}
