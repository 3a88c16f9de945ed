/** The life of an incident as one table; everything else is ILLEGAL_TRANSITION. */
import { SimwardenError } from '../errors';

export enum IncidentState {
  OPEN = 'OPEN',
  CLOSED = 'CLOSED',
}

/** join: an alert attaches. edit: title, assignee, root cause. merge: it becomes part of another. withdraw: later data took back all that it was about. A note may always be added: what is learned afterwards matters too. */
export type IncidentStep = 'join' | 'edit' | 'note' | 'setRootCause' | 'merge' | 'close' | 'withdraw';

const { OPEN, CLOSED } = IncidentState;

/** A closed incident is never opened again: the next alert opens a new one. Its root cause may be corrected. */
export const incidentLifecycle: Readonly<Record<IncidentState, Readonly<Partial<Record<IncidentStep, IncidentState>>>>> = {
  OPEN: { join: OPEN, edit: OPEN, note: OPEN, setRootCause: OPEN, merge: CLOSED, close: CLOSED, withdraw: CLOSED },
  CLOSED: { note: CLOSED, setRootCause: CLOSED },
};

const past: Readonly<Record<IncidentStep, string>> = {
  join: 'joined',
  edit: 'changed',
  note: 'annotated',
  setRootCause: 'given a root cause',
  merge: 'merged',
  close: 'closed',
  withdraw: 'withdrawn',
};

export function nextIncidentState(from: IncidentState, step: IncidentStep): IncidentState {
  const to = incidentLifecycle[from][step];
  if (!to)
    throw new SimwardenError('ILLEGAL_TRANSITION', {
      what: 'incident',
      from,
      action: past[step],
      allowed: Object.keys(incidentLifecycle[from]).join(', '),
    });
  return to;
}
