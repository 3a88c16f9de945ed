/** What an operator does to an alert: acknowledge, resolve, dismiss. Each remembers what he saw, so that only something new or worse brings it back. */
import type { AlertRecord } from './alert-record';
import { AlertResolution, nextAlertState } from './lifecycle';

export type OperatorAction =
  | { readonly step: 'acknowledge'; readonly note: string | null }
  | { readonly step: 'resolve'; readonly reason: string }
  | { readonly step: 'dismiss'; readonly reason: string; readonly until: Date | null };

export interface Actor {
  readonly name: string;
  readonly at: Date;
}

/** Changes the record; throws ILLEGAL_TRANSITION where its state doesn't allow the step. */
export function takeAction(record: AlertRecord, action: OperatorAction, by: Actor): void {
  record.state = nextAlertState(record.state, action.step);
  record.handledSeverity = record.severity;
  record.handledThrough = record.lastWindowStart;
  record.dismissedUntil = null;
  switch (action.step) {
    case 'acknowledge':
      Object.assign(record, { acknowledgedAt: by.at, acknowledgedBy: by.name, note: action.note ?? record.note });
      break;
    case 'resolve':
      Object.assign(record, {
        resolvedAt: by.at,
        resolvedBy: by.name,
        resolution: AlertResolution.OPERATOR,
        resolutionReason: action.reason,
      });
      break;
    case 'dismiss':
      Object.assign(record, { dismissedAt: by.at, dismissedBy: by.name, dismissedUntil: action.until, dismissedReason: action.reason });
  }
}
