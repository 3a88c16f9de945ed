/** The life of an alert as one table: which step leads from which state to which; everything else is ILLEGAL_TRANSITION. */
import { SimwardenError } from '../errors';

export enum AlertState {
  OPEN = 'OPEN',
  ACKNOWLEDGED = 'ACKNOWLEDGED',
  RESOLVED = 'RESOLVED',
  DISMISSED = 'DISMISSED',
}

/** Why an alert is resolved. */
export enum AlertResolution {
  AUTO = 'AUTO',
  OPERATOR = 'OPERATOR',
  RETRACTED = 'RETRACTED',
  MERGED = 'MERGED',
  MOVED = 'MOVED',
}

/**
 * acknowledge, resolve, dismiss: by an operator. reopen: it fires again, or worse than what the operator judged. clear: closed time passed without a hit.
 * retract: data that came later took back every hit. merge: a late hit showed that two alerts are one. move: the SIM left the client.
 */
export type AlertStep = 'acknowledge' | 'resolve' | 'dismiss' | 'reopen' | 'clear' | 'retract' | 'merge' | 'move';

const { OPEN, ACKNOWLEDGED, RESOLVED, DISMISSED } = AlertState;
const ended = { clear: RESOLVED, retract: RESOLVED, merge: RESOLVED, move: RESOLVED };

/** Acknowledging or dismissing twice is legal: it changes the note or the date. */
export const alertLifecycle: Readonly<Record<AlertState, Readonly<Partial<Record<AlertStep, AlertState>>>>> = {
  OPEN: { acknowledge: ACKNOWLEDGED, resolve: RESOLVED, dismiss: DISMISSED, ...ended },
  ACKNOWLEDGED: { acknowledge: ACKNOWLEDGED, resolve: RESOLVED, dismiss: DISMISSED, reopen: OPEN, ...ended },
  DISMISSED: { resolve: RESOLVED, dismiss: DISMISSED, reopen: OPEN, ...ended },
  RESOLVED: { reopen: OPEN, clear: RESOLVED, retract: RESOLVED, merge: RESOLVED },
};

export function isLive(state: string | null): boolean {
  return state === OPEN || state === ACKNOWLEDGED;
}

/** The state after the step; throws ILLEGAL_TRANSITION where the table has none. */
export function nextAlertState(from: AlertState, step: AlertStep): AlertState {
  const to = alertLifecycle[from][step];
  if (!to) {
    throw new SimwardenError('ILLEGAL_TRANSITION', { what: 'alert', from, action: past[step], allowed: allowedSteps(from) });
  }
  return to;
}

const past: Readonly<Record<AlertStep, string>> = {
  acknowledge: 'acknowledged',
  resolve: 'resolved',
  dismiss: 'dismissed',
  reopen: 'reopened',
  clear: 'cleared',
  retract: 'retracted',
  merge: 'merged',
  move: 'moved',
};

function allowedSteps(from: AlertState): string {
  const steps = (['acknowledge', 'resolve', 'dismiss'] as const).filter((step) => alertLifecycle[from][step]);
  return steps.join(', ') || 'nothing; it reopens by itself when it fires again';
}
