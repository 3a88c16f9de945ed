import { proposeRootCause, rootCauseRules } from './root-cause';

const propose = (...kinds: string[]) => proposeRootCause(kinds.map((kind) => ({ alertId: kind, kind, title: `title of ${kind}` })));

test.each([
  ['STOLEN_SIM', ['TAC_CHANGED']],
  ['STOLEN_SIM', ['DAILY_OUTLIER', 'IMEI_CHANGED', 'UNUSUAL_DESTINATION']],
  ['STOLEN_SIM', ['UNUSUAL_NETWORK', 'DAILY_LIMIT']],
  ['MALWARE', ['UNUSUAL_DESTINATION', 'PERSISTENT_OUTLIER']],
  ['FIRMWARE_BUG', ['DEVICE_EVENT_STORM', 'DAILY_OUTLIER']],
  ['FIRMWARE_BUG', ['SOFTWARE_VERSION_CHANGED', 'WEEKLY_OUTLIER']],
  ['ROAMING_AGREEMENT', ['NETWORK_ROAMING_FAILURE']],
  ['CONFIGURATION', ['NETWORK_NOT_ALLOWED']],
  ['NETWORK_ISSUE', ['SIM_CANNOT_ATTACH', 'SILENT_SIM']],
  ['COVERAGE', ['SIM_DETACHED', 'SILENT_SIM']],
  ['UNKNOWN', ['SILENT_SIM']],
  ['UNKNOWN', ['PERSISTENT_OUTLIER']],
  ['UNKNOWN', ['SOFTWARE_VERSION_CHANGED']],
  ['UNKNOWN', []],
])('%s for %j', (cause, kinds) => {
  expect(propose(...kinds)).toMatchObject({ cause });
});

test('the reason comes first, then the alerts that speak for it, and no others', () => {
  const { evidence } = propose('DAILY_OUTLIER', 'IMEI_CHANGED', 'SILENT_SIM');
  expect(evidence.map(({ kind }) => kind)).toEqual([null, 'DAILY_OUTLIER', 'IMEI_CHANGED']);
  expect(evidence[0]!.text).toBe('The SIM is in another device than the one it is bound to.');
});

test('every rule can speak', () => {
  for (const rule of rootCauseRules) {
    const kinds = [rule.anyOf[0]!, ...(rule.andAnyOf?.slice(0, 1) ?? [])];
    expect(propose(...kinds).evidence[0]!.text).toBe(rule.because);
  }
});
