import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { inputOf, quietSimDay, syntheticUsage, testDetector, tryDetector } from 'simwarden/detector/testing';
import threshold from '.';

const MB = 1_000_000;
const limited = { ...quietSimDay, dailyLimitBytes: 100 * MB, dailyWarnBytes: 80 * MB, dailyClearBytes: 75 * MB };

testDetector(threshold, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [{ name: 'fleet far below its limits', rows: syntheticUsage({ sims: 2000, seed: 11 }) }],
  anomalous: [
    { name: 'SIM over its daily limit', kind: 'DAILY_LIMIT', planted: [1], rows: [limited, { ...limited, dayBytes: 412 * MB }] },
    {
      name: 'SIM over its monthly limit',
      kind: 'MONTHLY_LIMIT',
      planted: [0],
      rows: [
        { ...quietSimDay, cycleBytes: 900 * MB, monthlyLimitBytes: 500 * MB, monthlyWarnBytes: 400 * MB, monthlyClearBytes: 380 * MB },
      ],
    },
    {
      name: 'fleet total of the day',
      kind: 'FLEET_DAILY_TOTAL',
      planted: [0],
      rows: [{ ...quietSimDay, fleetDailyLimitBytes: 900 * MB, fleetDailyWarnBytes: 800 * MB }],
    },
    {
      name: 'fleet total of the cycle',
      kind: 'FLEET_MONTHLY_TOTAL',
      planted: [0],
      rows: [{ ...quietSimDay, fleetMonthlyLimitBytes: 9000 * MB }],
    },
    {
      name: 'client total of the day',
      kind: 'CLIENT_DAILY_TOTAL',
      planted: [0],
      rows: [{ ...quietSimDay, clientDailyLimitBytes: 2000 * MB }],
    },
    {
      name: 'client total of the cycle',
      kind: 'CLIENT_MONTHLY_TOTAL',
      planted: [0],
      rows: [{ ...quietSimDay, clientMonthlyLimitBytes: 40_000 * MB }],
    },
  ],
});

describe('data limits', () => {
  it('warns near the limit and is critical over it, in words that can be checked', async () => {
    const { alarms } = await tryDetector(threshold, [{ ...limited, dayBytes: 85 * MB }, { ...limited, dayBytes: 412 * MB }, limited]);
    expect(alarms.map(({ row, severity, texts }) => [row, severity, texts[0]])).toEqual([
      [0, 'WARNING', '85 MB today, 85 % of the limit of 100 MB'],
      [1, 'CRITICAL', '412 MB today, limit 100 MB'],
    ]);
  });

  it('does not flap around the warning: what fired keeps firing down to the clear level', async () => {
    const rows = [
      { ...limited, dayBytes: 78 * MB },
      { ...limited, dayBytes: 74 * MB },
    ];
    expect((await tryDetector(threshold, rows)).alarms).toEqual([]);
    const { alarms } = await tryDetector(threshold, rows, { wasFiring: ['DAILY_LIMIT'] });
    expect(alarms.map(({ row, severity }) => [row, severity])).toEqual([[0, 'WARNING']]);
    expect(alarms[0]!.texts).toEqual(['78 MB today, limit 100 MB: it fired before and clears below 75 MB']);
  });

  it('allows exactly the limit and takes any traffic over a limit of nothing as a breach', async () => {
    const exact = { ...limited, dailyWarnBytes: NaN, dayBytes: 100 * MB };
    const nothing = { ...limited, dailyLimitBytes: 0, dailyWarnBytes: NaN };
    const { alarms } = await tryDetector(threshold, [exact, { ...nothing, dayBytes: 0 }, { ...nothing, dayBytes: 1 }]);
    expect(alarms.map(({ row, severity }) => [row, severity])).toEqual([[2, 'CRITICAL']]);
  });

  it('clears the alert of a limit that was taken away, and abstains where a limit stands but the total is unknown', async () => {
    const { alarms, abstained } = await tryDetector(threshold, [{ ...quietSimDay, dayBytes: 5e12 }], { wasFiring: ['DAILY_LIMIT'] });
    expect([alarms, abstained]).toEqual([[], []]);
    expect((await tryDetector(threshold, [{ ...limited, dayBytes: NaN }])).abstained).toEqual(['DAILY_LIMIT: the total is unknown']);
  });

  it('scores the share of the limit: over 1 exactly where the limit is breached, and more usage never weighs less', () => {
    const bytes = fc.double({ min: 0, max: 1e15, noNaN: true });
    fc.assert(
      fc.property(bytes, bytes, fc.double({ min: 1, max: 1e15, noNaN: true }), fc.boolean(), (one, other, limit, wasFiring) => {
        const rows = [Math.min(one, other), Math.max(one, other)].map((dayBytes) => ({
          ...quietSimDay,
          dayBytes,
          dailyLimitBytes: limit,
          dailyWarnBytes: 0.8 * limit,
          dailyClearBytes: 0.75 * limit,
        }));
        const { scores, fires } = detectNow(rows, wasFiring);
        const width = threshold.meta.kinds.length;
        expect(fires[0]!).toBeLessThanOrEqual(fires[width]!);
        expect(scores[0]!).toBeLessThanOrEqual(scores[width]!);
        rows.forEach(({ dayBytes }, row) => {
          expect(fires[row * width] === 2).toBe(dayBytes > limit);
          expect(fires[row * width]! > 0).toBe(dayBytes >= (wasFiring ? 0.75 : 0.8) * limit);
        });
      }),
    );
  });
});

function detectNow(rows: (typeof quietSimDay)[], wasFiring: boolean) {
  const input = inputOf(threshold.meta, rows, { wasFiring: wasFiring ? ['DAILY_LIMIT'] : [] });
  const context = { options: {}, random: () => 0, now: 0, signal: new AbortController().signal };
  const { scores, fires } = threshold.detect(input, context) as { scores: Float64Array; fires: Uint8Array };
  return { scores, fires };
}
