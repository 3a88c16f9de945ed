/** What alerts tell the slices to their right: they implement this, app.ts binds it. */
import type { Transaction } from '../database/database';
import type { AlertChange } from './alert-change';

/** Told of changes that people make (acknowledge, resolve, dismiss) and of SIMs that move; what detection changes goes through the pipeline. Several may be registered. */
export abstract class AlertChangeListener {
  /** Runs inside the transaction of the change; throws what must prevent it. All changes are of one client. */
  abstract alertsChanged(transaction: Transaction, changes: readonly AlertChange[], now: Date): Promise<void>;
}
