/** What the fleet tells the slices to its right: they implement these, app.ts binds them. */
import type { Transaction } from '../database/database';

export interface RegisteredSim {
  readonly clientId: number;
  readonly simId: string;
  /** The key of `normaliseIccid`, not the spelling given. */
  readonly iccid: string;
}

/** Telemetry stores the records it held for these SIMs. */
export abstract class SimRegistrationListener {
  /**
   * Called after the commit, with no transaction open, for every SIM that a registration named: also those that were known, so that sending
   * the file again makes up for a process that died between the commit and this call.
   */
  abstract simsRegistered(sims: readonly RegisteredSim[]): Promise<void>;
}

export interface SimMove {
  readonly clientId: number;
  readonly simId: string;
  /** From when the SIM belongs to the other client. */
  readonly at: Date;
  readonly by: { readonly name: string; readonly person: string };
}

/** Alerts are resolved as MOVED, pending blocks cancelled. Several may be registered. */
export abstract class SimMoveListener {
  /** Runs inside the transaction that closes the old SIM, before it is closed; throws what must prevent the move. */
  abstract simMoved(transaction: Transaction, move: SimMove): Promise<void>;
}

/** Detection evaluates these SIMs again: a binding, fleet, family or criticality changed. */
export abstract class SettingChangeListener {
  /** Runs inside the transaction of the change. ALL: every SIM of the client. */
  abstract settingsChanged(transaction: Transaction, clientId: number, simIds: readonly string[] | 'ALL'): Promise<void>;
}
