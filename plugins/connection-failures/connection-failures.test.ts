import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietEvent, quietUsageEvent, syntheticEvents, testDetector, tryDetector, type EventRow } from 'simwarden/detector/testing';
import connectionFailures from '.';

const refused: EventRow = {
  ...quietEvent,
  eventType: 'ATTACHMENT_REJECTED',
  network: '748-10',
  networkSimsTried: 40,
  networkSimsFailed: 2,
};
const sixTimes = Array.from({ length: 6 }, (_, attempt): EventRow => ({ ...refused, secondOfDay: 1000 * (attempt + 1) }));

testDetector(connectionFailures, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [{ name: 'SIMs that get in, some at the second attempt', rows: syntheticEvents({ sims: 1000, seed: 61 }) }],
  anomalous: [
    { name: 'refused all day', kind: 'SIM_CANNOT_ATTACH', planted: [0], rows: sixTimes },
    {
      name: 'roaming agreement broken',
      kind: 'NETWORK_ROAMING_FAILURE',
      planted: [0],
      rows: [{ ...refused, networkSimsTried: 40, networkSimsFailed: 36 }],
    },
  ],
});

describe('attachment failures', () => {
  it('says how often, where, and that nothing was accepted', async () => {
    const { alarms } = await tryDetector(connectionFailures, sixTimes);
    expect(alarms.map(({ row, severity, texts }) => [row, severity, texts[0]])).toEqual([
      [5, 'WARNING', '6 attachments rejected or failed and none accepted on the day, last in 748-10'],
    ]);
  });

  it('is critical for a critical device', async () => {
    expect(
      (
        await tryDetector(
          connectionFailures,
          sixTimes.map((row) => ({ ...row, eventCritical: 1 })),
        )
      ).alarms.map(({ severity }) => severity),
    ).toEqual(['CRITICAL']);
  });

  it('is content once the SIM got in, or sends data after its failures', async () => {
    expect((await tryDetector(connectionFailures, [...sixTimes, quietEvent])).alarms).toEqual([]);
    expect((await tryDetector(connectionFailures, [...sixTimes, quietUsageEvent])).alarms).toEqual([]);
    expect((await tryDetector(connectionFailures, [quietUsageEvent, ...sixTimes])).alarms).toHaveLength(1);
  });

  it('does not complain about failures that our own block causes', async () => {
    const { alarms, abstained } = await tryDetector(
      connectionFailures,
      sixTimes.map((row) => ({ ...row, eventBlockedByUs: 1, networkSimsFailed: 40 })),
    );
    expect(alarms).toEqual([]);
    expect(abstained).toContain('SIM_CANNOT_ATTACH: we blocked the SIM: its failures are ours');
  });

  it.each([
    [12, 14, true], // 86 %
    [7, 14, true], // exactly half
    [6, 14, false], // below half
    [4, 4, false], // all of them, but too few
  ])('with %i of %i SIMs failed, a roaming failure is %p', async (failed, tried, fires) => {
    const { alarms } = await tryDetector(connectionFailures, [{ ...refused, networkSimsFailed: failed, networkSimsTried: tried }]);
    expect(alarms.map(({ kind, severity }) => `${kind} ${severity}`)).toEqual(fires ? ['NETWORK_ROAMING_FAILURE CRITICAL'] : []);
  });

  it('says the share of SIMs that failed in the network', async () => {
    const { alarms } = await tryDetector(connectionFailures, [{ ...refused, networkSimsFailed: 12, networkSimsTried: 14 }]);
    expect(alarms[0]!.texts).toEqual(['12 of 14 SIMs that tried to attach in 748-10 never got in (86 %, limit 50 %)']);
  });
});
