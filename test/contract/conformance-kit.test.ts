/** The kit itself: a healthy detector passes, and each broken one is caught by exactly the check that is made for it. */
import {
  checkDeclaration,
  checkDetector,
  contractChecks,
  contractClauses,
  syntheticEvents,
  syntheticUsage,
  testDetector,
} from 'simwarden/detector/testing';
import { fleets, healthy, specimens } from './broken-detectors';

const failed = async (...given: Parameters<typeof checkDetector>) =>
  (await checkDetector(...given)).filter(({ outcome }) => outcome === 'failed');

describe('the conformance kit', () => {
  it('passes a healthy detector', async () => {
    const results = await checkDetector(healthy, fleets);
    expect(results.filter(({ outcome }) => outcome !== 'passed').map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
      'model-survives-bytes skipped',
    ]);
    expect(await checkDeclaration(healthy)).toEqual([]);
  });

  it.each(specimens.map((specimen) => [specimen.wrong, specimen.caughtBy, specimen] as const))(
    'catches %s by %s alone',
    async (_, caughtBy, specimen) => {
      const failures = await failed(specimen.detector, { ...fleets, ...specimen.fleets });
      expect(failures.map(({ id }) => id)).toEqual([caughtBy]);
      expect(failures[0]!.messages.join('').length).toBeGreaterThan(15);
    },
  );

  it('has a specimen for every MUST, but for the one that needs a process', () => {
    const musts = contractClauses.filter(({ check }) => check !== undefined && check !== 'fenced').map(({ id }) => id);
    expect(musts.filter((id) => !specimens.some(({ clause }) => clause === id))).toEqual([]);
  });

  it('says of an error once, with its place, and of the other checks that they wait', async () => {
    const { detector } = specimens.find(({ wrong }) => wrong === 'an error on every input')!;
    const results = await checkDetector(detector, fleets);
    expect(results.find(({ id }) => id === 'output-shape')!.messages).toEqual([
      expect.stringMatching(/^threw RangeError: no luck \(at contract\/broken-detectors\.ts:\d+\)$/),
    ]);
    expect(results.find(({ id }) => id === 'seeded')).toMatchObject({
      outcome: 'skipped',
      messages: [expect.stringContaining('output-shape')],
    });
  });

  it('has a specimen for every check', () => {
    expect(contractChecks.filter(({ id }) => !specimens.some(({ caughtBy }) => caughtBy === id)).map(({ id }) => id)).toEqual([]);
  });

  it('takes an expected failure with its reason, and calls one that passes a failure', async () => {
    const deaf = specimens.find(({ caughtBy }) => caughtBy === 'finds-anomalies')!.detector as never;
    const results = await checkDetector(deaf, {
      ...fleets,
      expectedFailures: { 'finds-anomalies': 'not written yet', 'quiet-fleet': 'noisy' },
    });
    expect(results.find(({ id }) => id === 'finds-anomalies')).toMatchObject({ outcome: 'failed as expected' });
    expect(results.find(({ id }) => id === 'quiet-fleet')).toMatchObject({
      outcome: 'failed',
      messages: [expect.stringContaining('take it off expectedFailures')],
    });
  });

  it('demands both quiet and anomalous fleets, and only checks that exist', async () => {
    await expect(checkDetector(healthy, { ...fleets, quiet: [] })).rejects.toThrow('quiet: expected at least one case');
    await expect(checkDetector(healthy, { ...fleets, anomalous: [] })).rejects.toThrow('anomalous: expected at least one case');
    await expect(checkDetector(healthy, { ...fleets, expectedFailures: { speed: 'slow' } })).rejects.toThrow('there is no check speed');
  });

  it('leaves the clock and Math.random as they were', async () => {
    const before = [Date, Math.random];
    await checkDetector(healthy, fleets);
    expect([Date, Math.random]).toEqual(before);
  });

  it('binds to any runner: one test per check, a failing one says what to change', async () => {
    const tests: { name: string; test: () => Promise<void> }[] = [];
    const deaf = specimens.find(({ caughtBy }) => caughtBy === 'finds-anomalies')!.detector as never;
    testDetector(deaf, { ...fleets, describe: (_, define) => define(), it: (name, test) => tests.push({ name, test }) });
    expect(tests).toHaveLength(contractChecks.length);
    await expect(tests.find(({ name }) => name.startsWith('finds-anomalies'))!.test()).rejects.toThrow(
      '1 of 1 planted anomalies not found as TOO_MUCH',
    );
    await expect(tests.find(({ name }) => name.startsWith('pure'))!.test()).resolves.toBeUndefined();
  });
});

describe('synthetic SIMs', () => {
  it('are the same again for the same seed, and others for another', () => {
    expect(syntheticUsage({ sims: 50, seed: 1 })).toEqual(syntheticUsage({ sims: 50, seed: 1 }));
    expect(syntheticUsage({ sims: 50, seed: 1 })).not.toEqual(syntheticUsage({ sims: 50, seed: 2 }));
    expect(syntheticEvents({ sims: 50, seed: 1 })).toEqual(syntheticEvents({ sims: 50, seed: 1 }));
  });

  it('come SIM by SIM in time order, within the day', () => {
    const rows = syntheticEvents({ sims: 200, seed: 3 });
    rows.slice(1).forEach((row, index) => {
      const before = rows[index]!;
      expect(row.subject > before.subject || (row.subject === before.subject && row.secondOfDay >= before.secondOfDay)).toBe(true);
      expect(row.secondOfDay).toBeLessThan(86_400);
    });
  });
});
