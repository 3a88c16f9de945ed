/** Observing: from stored telemetry to the columns that detectors see. */
import type { Transaction } from '../../database/database';
import type { Day } from '../days';
import { readCalendar } from './calendar';
import type { ObservationScope } from './observation';
import { readSimFacts } from './sim-facts';

export { observeEvents } from './events';
export { observeFeatures } from './features';
export { observeUsage } from './usage';
export type { Observation, ObservationScope, ColumnValues } from './observation';
export type { SimFacts } from './sim-facts';

/** Reads who and when: the SIMs of these ids as they stand on the day, and whether the day is closed. */
export async function openScope(tx: Transaction, clientId: number, day: Day, simIds: readonly string[]): Promise<ObservationScope> {
  const calendar = await readCalendar(tx, clientId);
  const [close] = await tx.query<{ incomplete: boolean }>('SELECT incomplete FROM day_close WHERE client_id = $1 AND day = $2', [
    clientId,
    day,
  ]);
  const sims = await readSimFacts(tx, clientId, day, simIds);
  return { clientId, day, closed: close !== undefined, incomplete: close?.incomplete ?? false, calendar, sims };
}
