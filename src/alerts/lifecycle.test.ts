import { SimwardenError } from '../errors';
import { alertLifecycle, AlertState, isLive, nextAlertState, type AlertStep } from './lifecycle';

const steps: AlertStep[] = ['acknowledge', 'resolve', 'dismiss', 'reopen', 'clear', 'retract', 'merge', 'move'];

test('every step is either in the table or refused with what is allowed', () => {
  for (const from of Object.values(AlertState)) {
    for (const step of steps) {
      const to = alertLifecycle[from][step];
      if (to) expect(nextAlertState(from, step)).toBe(to);
      else expect(() => nextAlertState(from, step)).toThrow(SimwardenError);
    }
  }
});

test('a resolved alert can only fire again: an operator is told so', () => {
  expect(() => nextAlertState(AlertState.RESOLVED, 'acknowledge')).toThrow(
    "The alert is in state RESOLVED and can't be acknowledged. Allowed now: nothing; it reopens by itself when it fires again.",
  );
});

test('every live alert has a way to end', () => {
  for (const from of Object.values(AlertState).filter(isLive)) expect(Object.values(alertLifecycle[from])).toContain(AlertState.RESOLVED);
});
