import { toGlobalId } from '../graphql/global-id';
import type { LoggedEvent } from '../graphql/live';
import { AlertSeverity } from './alert';
import { alertEventMatches } from './alert-filter';
import { AlertState } from './lifecycle';

const fleet = '00000000-0000-4000-8000-000000000001';
const event: LoggedEvent = {
  position: '1',
  clientId: 7,
  type: 'ALERT_CHANGED',
  subjectId: '00000000-0000-4000-8000-000000000002',
  sequence: 1,
  fields: ['state'],
  fromState: null,
  toState: 'OPEN',
  occurredAt: new Date('2026-11-01T00:00:00Z'),
  attributes: { simId: '42', fleetId: fleet, severity: 'WARNING', state: 'OPEN', kind: 'DAILY_LIMIT', detector: 'threshold', late: false },
};

test.each([
  [{}],
  [{ client: toGlobalId('Client', 7, 7) }],
  [{ sim: toGlobalId('Sim', 7, 42), fleet: toGlobalId('Fleet', 7, fleet) }],
  [{ state: [AlertState.OPEN, AlertState.RESOLVED], severity: [AlertSeverity.WARNING] }],
  [{ detector: 'threshold', kind: 'DAILY_LIMIT', late: false }],
])('a subscriber to %j hears of it', (filter) => {
  expect(alertEventMatches(event, filter)).toBe(true);
});

test.each([
  [{ client: toGlobalId('Client', 8, 8) }],
  [{ sim: toGlobalId('Sim', 8, 42) }],
  [{ sim: toGlobalId('Sim', 7, 43) }],
  [{ sim: 'nonsense' }],
  [{ fleet: toGlobalId('Fleet', 7, '00000000-0000-4000-8000-000000000009') }],
  [{ incident: toGlobalId('Incident', 7, fleet) }],
  [{ state: [AlertState.RESOLVED] }],
  [{ severity: [] }],
  [{ detector: 'zero-usage' }],
  [{ kind: 'MONTHLY_LIMIT' }],
  [{ late: true }],
])('a subscriber to %j does not', (filter) => {
  expect(alertEventMatches(event, filter)).toBe(false);
});
