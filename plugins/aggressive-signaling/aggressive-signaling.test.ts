import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietFeatureDay, syntheticFeatures, testDetector, tryDetector, type FeatureRow } from 'simwarden/detector/testing';
import aggressiveSignaling from '.';

const hammering: FeatureRow = { ...quietFeatureDay, n: 7_200, active_minutes: 1_311 };
const refused: FeatureRow = { ...quietFeatureDay, n: 900, n_map_rejects: 800, n_diam_errors: 40 };

testDetector(aggressiveSignaling, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [{ name: 'stationary meters', rows: syntheticFeatures({ sims: 1000, seed: 71 }) }],
  anomalous: [
    { name: 'no coverage, no end', kind: 'AGGRESSIVE_DEVICE', planted: [0], rows: [hammering, quietFeatureDay] },
    { name: 'refused all day', kind: 'RETRY_STORM', planted: [1], rows: [quietFeatureDay, refused] },
    { name: 'blocked by a temporary reject', kind: 'BLOCK_CAUSES_STORM', planted: [0], rows: [{ ...refused, blockedByUs: 1 }] },
  ],
});

describe('aggressive signaling', () => {
  it('says how much, in how many minutes, against which limit', async () => {
    const { alarms } = await tryDetector(aggressiveSignaling, [hammering]);
    expect(alarms.map(({ kind, severity, texts }) => [kind, severity, texts[0]])).toEqual([
      ['AGGRESSIVE_DEVICE', 'WARNING', '7,200 dialogues on the day in 1,311 minutes, limit 5,000 dialogues'],
    ]);
  });

  it.each([
    [5_000, null],
    [5_001, 'WARNING'],
    [20_001, 'CRITICAL'],
  ])('%i dialogues: %p', async (n, severity) => {
    const { alarms } = await tryDetector(aggressiveSignaling, [{ ...quietFeatureDay, n }]);
    expect(alarms.map((alarm) => alarm.severity)).toEqual(severity === null ? [] : [severity]);
  });

  it('needs both the number and the share of failures for a storm', async () => {
    const kindsOf = async (row: Partial<FeatureRow>) =>
      (await tryDetector(aggressiveSignaling, [{ ...quietFeatureDay, ...row }])).alarms.map(({ kind, severity }) => `${kind} ${severity}`);
    expect(await kindsOf({ n: 400, n_map_rejects: 299 })).toEqual([]);
    expect(await kindsOf({ n: 400, n_map_rejects: 300 })).toEqual(['RETRY_STORM WARNING']);
    expect(await kindsOf({ n: 501, n_map_rejects: 300 })).toEqual([]);
    expect(await kindsOf({ n: 1_300, n_map_rejects: 1_200 })).toEqual(['RETRY_STORM CRITICAL']);
  });

  it('blames the block, not the device, where we blocked the SIM', async () => {
    const { alarms, abstained } = await tryDetector(aggressiveSignaling, [{ ...refused, n: 9_000, n_map_rejects: 8_500, blockedByUs: 1 }]);
    expect(alarms.map(({ kind, texts }) => [kind, texts[0]])).toEqual([
      ['BLOCK_CAUSES_STORM', "8,540 dialogues rejected or failed, 95 % of the day's; a permanent reject makes a modem stop"],
    ]);
    expect(abstained).toContain('AGGRESSIVE_DEVICE: we blocked the SIM: its signaling is our doing');
  });
});
