/** Each shape of planted anomaly is found, above the kit's floor, by the built-in that claims it, and missed by one that is blind to it. */
import type { Detector } from 'simwarden/detector';
import {
  checkDetector,
  plantedEvents,
  plantedUsage,
  recallFloors,
  syntheticEvents,
  syntheticUsage,
  type AnomalyShape,
} from 'simwarden/detector/testing';
import baselineMultiple from '../../plugins/baseline-multiple';
import deviceEventStorm from '../../plugins/device-event-storm';
import imeiMismatch from '../../plugins/imei-mismatch';
import zeroUsage from '../../plugins/zero-usage';

const claims: readonly [AnomalyShape, Detector<never, never>, ReturnType<typeof plantedUsage>][] = [
  ['point', baselineMultiple as never, plantedUsage('point', { kind: 'DAILY_OUTLIER', seed: 1 })],
  ['shift', baselineMultiple as never, plantedUsage('shift', { kind: 'WEEKLY_OUTLIER', seed: 2 })],
  ['drop', zeroUsage as never, plantedUsage('drop', { kind: 'SILENT_SIM', seed: 3 })],
  ['swap', imeiMismatch as never, plantedEvents('swap', { kind: 'TAC_CHANGED', seed: 4, sims: 120, anomalies: 20 })],
  ['storm', deviceEventStorm as never, plantedEvents('storm', { kind: 'DEVICE_EVENT_STORM', seed: 5, sims: 60, anomalies: 6 })],
];

async function findsAnomalies(detector: Detector<never, never>, anomalous: ReturnType<typeof plantedUsage>) {
  const quiet = detector.meta.input === 'usage' ? syntheticUsage({ sims: 50, seed: 9 }) : syntheticEvents({ sims: 50, seed: 9 });
  const results = await checkDetector(detector, { quiet: [{ name: 'quiet', rows: quiet }], anomalous: [anomalous] });
  return results.find(({ id }) => id === 'finds-anomalies')!;
}

it.each(claims)('%s', async (_, detector, anomalous) => {
  expect(await findsAnomalies(detector, anomalous)).toMatchObject({ outcome: 'passed', messages: [] });
});

it('has a claim for every shape', () => {
  expect(claims.map(([shape]) => shape)).toEqual(Object.keys(recallFloors));
});

it('lets a detector miss as many as the floor says, no more', async () => {
  const anomalous = plantedUsage('point', { kind: 'DAILY_OUTLIER', seed: 6, anomalies: 40 });
  const missing = (count: number) => ({
    ...anomalous,
    rows: anomalous.rows.map((row, at) =>
      anomalous.planted.indexOf(at) < count && anomalous.planted.includes(at) ? { ...row, dayBytes: 1e7 } : row,
    ) as never,
  });
  expect(await findsAnomalies(baselineMultiple as never, missing(2))).toMatchObject({ outcome: 'passed' });
  expect(await findsAnomalies(baselineMultiple as never, missing(3))).toMatchObject({
    outcome: 'failed',
    messages: [expect.stringContaining('3 of 40 planted anomalies not found as DAILY_OUTLIER; the floor is 95 %')],
  });
});
