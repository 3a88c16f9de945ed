import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietSimDay, syntheticUsage, testDetector, tryDetector, type UsageRow } from 'simwarden/detector/testing';
import zeroUsage from '.';

const dead: UsageRow = { ...quietSimDay, dayBytes: 0, silentDays: 2, activeDaysOf28: 27 };
const neverSeen: UsageRow = { ...quietSimDay, dayBytes: 0, silentDays: NaN, activeDaysOf28: 0, daysSinceRegistered: 10 };

testDetector(zeroUsage, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [{ name: 'fleet with a silent day now and then', rows: syntheticUsage({ sims: 3000, seed: 31 }) }],
  anomalous: [
    { name: 'dead meter', kind: 'SILENT_SIM', planted: [1], rows: [quietSimDay, dead] },
    { name: 'never installed', kind: 'NEVER_SEEN', planted: [0], rows: [neverSeen, quietSimDay] },
    {
      name: 'silent for longer than the history',
      kind: 'SILENT_SIM',
      planted: [0],
      rows: [{ ...dead, silentDays: 40, activeDaysOf28: 0 }],
    },
  ],
});

describe('silence', () => {
  it('names a daily SIM after two silent days, with its habit', async () => {
    const { alarms } = await tryDetector(zeroUsage, [dead, { ...dead, silentDays: 1, activeDaysOf28: 28 }]);
    expect(alarms).toEqual([
      { row: 0, kind: 'SILENT_SIM', severity: 'WARNING', score: 1, texts: ['no usage for 2 days', 'usage on 27 days of the 28 before'] },
    ]);
  });

  it.each<[string, Partial<UsageRow>]>([
    ['a usage source is late', { sourceLatenessSeconds: 1 }],
    ['no usage source ever delivered', { sourceLatenessSeconds: NaN }],
    ['the day is not closed', { dayClosed: 0 }],
    ['the day was closed although a source was late', { dayIncomplete: 1 }],
    ['we blocked the SIM', { blockedByUs: 1 }],
    ['the SIM is expected to be silent on this day', { expectedSilence: 1 }],
    ['the subscription is not active', { lifecycleActive: 0 }],
    ['the SIM was registered only just', { daysSinceRegistered: 2, activeDaysOf28: 0 }],
  ])('never calls a SIM silent where %s', async (reason, circumstance) => {
    const { alarms, abstained } = await tryDetector(zeroUsage, [{ ...dead, ...circumstance }], { wasFiring: ['SILENT_SIM'] });
    expect(alarms).toEqual([]);
    expect(abstained).toEqual([`SILENT_SIM: ${reason}`, `NEVER_SEEN: ${reason}`]);
  });

  it('gives SIMs with pauses of their own longer: weekday devices survive the weekend, weekly ones are not judged', async () => {
    const weekdays = { ...dead, activeDaysOf28: 20 };
    expect(
      (await tryDetector(zeroUsage, [weekdays, { ...weekdays, silentDays: 3 }, { ...dead, activeDaysOf28: 4, silentDays: 6 }])).alarms,
    ).toEqual([]);
    expect((await tryDetector(zeroUsage, [{ ...weekdays, silentDays: 5, activeDaysOf28: 19 }])).alarms).toHaveLength(1);
  });

  it('judges a young SIM by the days since it was registered, and a history imported with the SIM by itself', async () => {
    const young = { ...dead, daysSinceRegistered: 9, activeDaysOf28: 7 };
    const imported = { ...dead, daysSinceRegistered: 1, activeDaysOf28: 7 };
    expect((await tryDetector(zeroUsage, [young, imported])).alarms.map(({ row }) => row)).toEqual([0, 1]);
  });

  it('keeps naming a SIM whose habit has left the window', async () => {
    const longDead = { ...dead, silentDays: 26, activeDaysOf28: 3 };
    expect((await tryDetector(zeroUsage, [longDead])).alarms).toEqual([]);
    expect((await tryDetector(zeroUsage, [longDead], { wasFiring: ['SILENT_SIM'] })).alarms).toHaveLength(1);
  });
});
