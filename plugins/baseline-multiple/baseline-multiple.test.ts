import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietSimDay, syntheticUsage, testDetector, tryDetector } from 'simwarden/detector/testing';
import baselineMultiple from '.';

const MB = 1_000_000;
const heavy = { ...quietSimDay, dayBytes: 35 * MB };
const topForDays = { ...quietSimDay, dayBytes: 22 * MB, topRank: 2, topRatioDay0: 2.2, topRatioDay2: 2.4, topRatioDay3: 2.1 };

testDetector(baselineMultiple, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [
    { name: 'fleet with natural spread', rows: syntheticUsage({ sims: 3000, seed: 21 }) },
    { name: 'small fleet, all on the list', rows: syntheticUsage({ sims: 20, seed: 22 }) },
    {
      name: 'fleet with natural spread, drops judged',
      rows: syntheticUsage({ sims: 3000, seed: 23, spread: 0.2 }).filter((row) => row.dayBytes > 0),
      options: { dropDivisor: 3 },
    },
  ],
  anomalous: [
    { name: 'a shift to 3.5 times', kind: 'DAILY_OUTLIER', planted: [1], rows: [quietSimDay, heavy] },
    { name: 'a week at four times', kind: 'WEEKLY_OUTLIER', planted: [0], rows: [{ ...quietSimDay, weekBytes: 280 * MB }] },
    { name: 'top consumer day after day', kind: 'PERSISTENT_OUTLIER', planted: [0], rows: [topForDays, quietSimDay] },
    { name: 'a drop to a tenth', kind: 'DAILY_DROP', planted: [0], rows: [{ ...quietSimDay, dayBytes: MB }], options: { dropDivisor: 3 } },
  ],
});

describe('multiples of the baseline', () => {
  it('warns above three times, is critical above ten times, and says the multiple', async () => {
    const { alarms } = await tryDetector(baselineMultiple, [heavy, { ...heavy, dayBytes: 2000 * MB }, { ...heavy, dayBytes: 30 * MB }]);
    expect(alarms.map(({ row, kind, severity, texts }) => [row, kind, severity, texts[0]])).toEqual([
      [0, 'DAILY_OUTLIER', 'WARNING', "35 MB today, 3.5 × the family's usual 10 MB a day"],
      [1, 'DAILY_OUTLIER', 'CRITICAL', "2 GB today, 200 × the family's usual 10 MB a day"],
    ]);
  });

  it('judges the running total of the open day upward, but no drop before the day is closed', async () => {
    const open = { ...quietSimDay, dayClosed: 0 };
    const { alarms, abstained } = await tryDetector(
      baselineMultiple,
      [
        { ...open, dayBytes: 90 * MB },
        { ...open, dayBytes: 1 },
      ],
      { options: { dropDivisor: 3 } },
    );
    expect(alarms.map(({ row, kind }) => [row, kind])).toEqual([[0, 'DAILY_OUTLIER']]);
    expect(abstained).toEqual(['DAILY_DROP: the day is not complete']);
  });

  it('abstains while the family has no baseline', async () => {
    const { alarms, abstained } = await tryDetector(baselineMultiple, [
      { ...quietSimDay, baselineDayBytes: NaN, baselineWeekBytes: NaN, dayBytes: 1e12 },
    ]);
    expect(alarms).toEqual([]);
    expect(abstained).toEqual([
      'DAILY_OUTLIER: the family has no baseline yet (it takes 5 SIMs and 7 days)',
      'WEEKLY_OUTLIER: the family has no baseline yet (it takes 5 SIMs and 7 days)',
    ]);
  });

  it('does not alarm about a hundred bytes over a baseline of ten', async () => {
    const tiny = { ...quietSimDay, dayBytes: 100, baselineDayBytes: 10 };
    expect((await tryDetector(baselineMultiple, [tiny])).alarms).toEqual([]);
    expect((await tryDetector(baselineMultiple, [tiny], { options: { minimumBytes: 0 } })).alarms).toHaveLength(1);
  });

  it('needs three of the last five days on the list for a persistent outlier', async () => {
    const two = { ...topForDays, topRatioDay3: NaN };
    const { alarms } = await tryDetector(baselineMultiple, [topForDays, two]);
    expect(alarms.map(({ row }) => row)).toEqual([0]);
    expect(alarms[0]!.texts).toEqual([
      "among the top 20 with 2.2 × the family's daily baseline on the day judged",
      "among the top 20 with 2.4 × the family's daily baseline 2 days before",
      "among the top 20 with 2.1 × the family's daily baseline 3 days before",
    ]);
  });
});
