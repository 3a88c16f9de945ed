import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { quietEvent, quietUsageEvent, syntheticEvents, testDetector, tryDetector, type EventRow } from 'simwarden/detector/testing';
import imeiMismatch from '.';

const sighting = (imeiMatch: string | null, imeiChange: string | null = null): EventRow => ({ ...quietUsageEvent, imeiMatch, imeiChange });
const detached: EventRow = { ...quietEvent, eventType: 'DETACHED', secondOfDay: 50_000, secondsSincePrevious: 3600, secondsUntilNext: NaN };
const kindsOf = async (rows: readonly EventRow[], options = {}) =>
  (await tryDetector(imeiMismatch, rows, { options })).alarms.map(({ kind, severity }) => `${kind} ${severity}`);

testDetector(imeiMismatch, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [{ name: 'SIMs in their devices', rows: syntheticEvents({ sims: 1000, seed: 41 }) }],
  anomalous: [
    { name: 'stolen SIM in a tablet', kind: 'TAC_CHANGED', planted: [1], rows: [sighting('MATCH'), sighting('TAC', 'TAC')] },
    { name: 'device of the same model', kind: 'IMEI_CHANGED', planted: [0], rows: [sighting('SERIAL')] },
    { name: 'firmware update', kind: 'SOFTWARE_VERSION_CHANGED', planted: [0], rows: [sighting('SOFTWARE_VERSION')] },
    { name: 'pulled out', kind: 'SIM_DETACHED', planted: [1], rows: [{ ...quietEvent, secondsSincePrevious: 3600 }, detached] },
  ],
});

describe('the SIM and its device', () => {
  it('is critical against a bound IMEI and a warning against the one seen before', async () => {
    expect(await kindsOf([sighting('TAC')])).toEqual(['TAC_CHANGED CRITICAL']);
    expect(await kindsOf([sighting(null, 'TAC')])).toEqual(['TAC_CHANGED WARNING']);
    expect(await kindsOf([sighting(null, 'SERIAL')])).toEqual(['IMEI_CHANGED WARNING']);
    expect(await kindsOf([sighting(null, 'SERIAL')], { withoutBinding: false })).toEqual([]);
  });

  it('trusts the binding over the history: a move between two bound devices is no swap', async () => {
    expect(await kindsOf([sighting('MATCH', 'TAC')])).toEqual([]);
  });

  it('takes an unknown IMEI as neither match nor mismatch', async () => {
    const { alarms, abstained } = await tryDetector(imeiMismatch, [sighting(null)], { wasFiring: ['TAC_CHANGED'] });
    expect(alarms).toEqual([]);
    expect(abstained).toContain('TAC_CHANGED: no IMEI is known to compare');
  });

  it('does not take a SIM for detached that came back, that we blocked, or whose day is still open', async () => {
    expect(await kindsOf([detached])).toEqual(['SIM_DETACHED WARNING']);
    expect(await kindsOf([{ ...detached, secondsUntilNext: 80_000 }])).toEqual([]);
    expect(await kindsOf([{ ...detached, eventBlockedByUs: 1 }])).toEqual([]);
    expect(await kindsOf([{ ...detached, eventDayClosed: 0 }])).toEqual([]);
    expect(await kindsOf([detached, { ...quietUsageEvent, secondOfDay: 60_000, secondsUntilNext: NaN }])).toEqual([]);
  });

  it('knows devices that wake once a day by the pause before', async () => {
    expect(
      await kindsOf([
        { ...quietEvent, secondOfDay: 49_900, secondsSincePrevious: 86_300 },
        { ...detached, secondsSincePrevious: 100 },
      ]),
    ).toEqual([]);
  });

  it('raises exactly what the IMEIs of the day say, whatever their order and number', async () => {
    const names = fc.constantFrom('MATCH', 'SOFTWARE_VERSION', 'SERIAL', 'TAC', null);
    const changes = fc.constantFrom('SAME', 'SOFTWARE_VERSION', 'SERIAL', 'TAC', null);
    const kindOf: Record<string, string> = { SERIAL: 'IMEI_CHANGED', TAC: 'TAC_CHANGED', SOFTWARE_VERSION: 'SOFTWARE_VERSION_CHANGED' };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(names, changes), { minLength: 1, maxLength: 12 }), async (seen) => {
        const { alarms, abstained } = await tryDetector(
          imeiMismatch,
          seen.map(([match, change]) => sighting(match, change)),
        );
        const expected = seen.flatMap(([match, change], row) => {
          const kind = kindOf[match ?? change ?? ''];
          return kind === undefined
            ? []
            : [{ row, kind, severity: kind === 'SOFTWARE_VERSION_CHANGED' ? 'INFO' : match === null ? 'WARNING' : 'CRITICAL' }];
        });
        expect(alarms.map(({ row, kind, severity }) => ({ row, kind, severity }))).toEqual(expected);
        expect(abstained.length > 0).toBe(seen.every(([match, change]) => match === null && change === null));
      }),
    );
  });
});
