/** The state of an alert once its windows are known: a function of its windows, of how far days are closed, and of what an operator decided. */
import { CLEAR_AFTER_MS, type Episode } from './episodes';
import type { AlertRecord } from './alert-record';
import { AlertResolution, AlertState, nextAlertState, type AlertStep } from './lifecycle';
import { isWorse } from './severity';

export interface Moment {
  /** Event time through which the client's days are closed; null before the first close. */
  readonly closedThrough: Date | null;
  /** Wall clock: a dismissal runs out by it. */
  readonly now: Date;
}

/** `superseded`: the same fingerprint has an alert with later windows, so event time has moved on past this one. */
export function settle(episode: Episode, moment: Moment, superseded: boolean): void {
  const { record } = episode;
  if (episode.mergedInto) return end(record, 'merge', AlertResolution.MERGED, record.lastWindowEnd);
  // The SIM is another client's now: what comes late for its time here is kept, and troubles nobody.
  if (record.resolution === AlertResolution.MOVED) return;
  if (record.occurrenceCount === 0) return settleEmpty(record, moment.closedThrough);
  const cleared = superseded || isCleared(record, moment.closedThrough);
  for (const step of stepsOf(episode, moment, cleared)) {
    if (step === 'clear') end(record, step, AlertResolution.AUTO, new Date(record.lastWindowEnd.getTime() + CLEAR_AFTER_MS));
    else reopen(record, step);
  }
}

/** Every hit was taken back. What an operator decided stands all the same, should it fire again. */
function settleEmpty(record: AlertRecord, closedThrough: Date | null): void {
  if (record.resolution === AlertResolution.OPERATOR) return;
  if (record.state === AlertState.DISMISSED && !isCleared({ lastWindowEnd: record.dismissedUntil }, closedThrough)) return;
  end(record, 'retract', AlertResolution.RETRACTED, record.lastWindowEnd);
}

function stepsOf(episode: Episode, moment: Moment, cleared: boolean): ('reopen' | 'clear')[] {
  const { record, raisedTo, struck } = episode;
  const worse = record.handledSeverity !== null && isWorse(raisedTo, record.handledSeverity);
  const clear = cleared ? (['clear'] as const) : [];
  switch (record.state) {
    case AlertState.OPEN:
      return [...clear];
    case AlertState.ACKNOWLEDGED:
      return worse ? ['reopen', ...clear] : [...clear];
    case AlertState.DISMISSED:
      if (worse || (struck && ranOut(record, moment.now))) return ['reopen', ...clear];
      return isCleared({ lastWindowEnd: record.dismissedUntil }, moment.closedThrough) ? [...clear] : [];
    case AlertState.RESOLVED: {
      const again =
        record.resolution === AlertResolution.OPERATOR
          ? worse || (record.handledThrough !== null && record.lastWindowStart > record.handledThrough)
          : !cleared;
      return again ? ['reopen', ...clear] : staleEnd(record, cleared);
    }
  }
}

/** An alert that had cleared and got a late window clears at another moment; one whose windows came back is no longer retracted. */
function staleEnd(record: AlertRecord, cleared: boolean): ('reopen' | 'clear')[] {
  return cleared && record.resolution !== AlertResolution.OPERATOR ? ['clear'] : [];
}

function isCleared(record: { readonly lastWindowEnd: Date | null }, closedThrough: Date | null): boolean {
  return (
    closedThrough !== null && record.lastWindowEnd !== null && record.lastWindowEnd.getTime() + CLEAR_AFTER_MS <= closedThrough.getTime()
  );
}

/** The dismissal's date has passed, and the trouble lasts beyond it. */
function ranOut(record: AlertRecord, now: Date): boolean {
  return record.dismissedUntil !== null && record.dismissedUntil <= now && record.dismissedUntil < record.lastWindowEnd;
}

/**
 * Who had acknowledged it still has: an alert that had cleared by itself comes back acknowledged. Where it got worse than what the operator saw,
 * or fires again after he resolved or dismissed it, his decision is void and it is OPEN; his note and name stay on it.
 */
function reopen(record: AlertRecord, step: AlertStep): void {
  const stillAcknowledged =
    record.state === AlertState.RESOLVED &&
    record.resolution !== AlertResolution.OPERATOR &&
    record.acknowledgedAt !== null &&
    record.handledSeverity !== null &&
    !isWorse(record.severity, record.handledSeverity);
  record.state = nextAlertState(record.state, step);
  if (stillAcknowledged) {
    record.state = nextAlertState(record.state, 'acknowledge');
  } else {
    record.handledSeverity = null;
    record.handledThrough = null;
  }
  Object.assign(record, { resolvedAt: null, resolvedBy: null, resolution: null, resolutionReason: null, dismissedUntil: null });
}

function end(record: AlertRecord, step: AlertStep, resolution: AlertResolution, resolvedAt: Date): void {
  if (record.state === AlertState.RESOLVED && record.resolution === resolution && record.resolvedAt?.getTime() === resolvedAt.getTime())
    return;
  record.state = nextAlertState(record.state, step);
  Object.assign(record, { resolution, resolvedAt, resolvedBy: null, dismissedUntil: null });
}
