import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietUsageEvent, syntheticEvents, testDetector, tryDetector, type EventRow } from 'simwarden/detector/testing';
import unusualDestination from '.';

const strange: EventRow = {
  ...quietUsageEvent,
  destination: 'AS64500',
  destinationFamilySims: 0,
  uplinkBytes: 40_000_000,
  downlinkBytes: 2_000_000,
};

testDetector(unusualDestination, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [{ name: 'SIMs that talk to their back end', rows: syntheticEvents({ sims: 1000, seed: 81 }) }],
  anomalous: [
    { name: 'malware', kind: 'UNUSUAL_DESTINATION', planted: [1], rows: [quietUsageEvent, strange] },
    {
      name: 'off the list',
      kind: 'UNUSUAL_DESTINATION',
      planted: [0],
      rows: [{ ...strange, destinationAllowed: 0, destinationFamilySims: 50 }],
    },
  ],
});

describe('unusual destinations', () => {
  it('says where the traffic went and how much it was', async () => {
    const { alarms } = await tryDetector(unusualDestination, [strange]);
    expect(alarms.map(({ severity, texts }) => [severity, ...texts])).toEqual([
      ['WARNING', "traffic to AS64500, used by 0 SIMs of the family's 100 in the 28 days before", '42 MB up and down today'],
    ]);
  });

  it('is critical where a list forbids the destination, and silent where the list allows it', async () => {
    const severities = async (destinationAllowed: number) =>
      (await tryDetector(unusualDestination, [{ ...strange, destinationAllowed }])).alarms.map(({ severity }) => severity);
    expect([await severities(0), await severities(1)]).toEqual([['CRITICAL'], []]);
  });

  it('adds up the day: many small visits count, one small one does not', async () => {
    const small = { ...strange, uplinkBytes: 3000, downlinkBytes: NaN };
    expect((await tryDetector(unusualDestination, [small])).alarms).toEqual([]);
    expect((await tryDetector(unusualDestination, [small, small, small, small])).alarms.map(({ row }) => row)).toEqual([3]);
  });

  it('abstains where the family is too small or too new to have a habit', async () => {
    for (const unknown of [
      { ...strange, familySims: 4 },
      { ...strange, destinationFamilySims: NaN },
    ]) {
      const { alarms, abstained } = await tryDetector(unusualDestination, [unknown]);
      expect(alarms).toEqual([]);
      expect(abstained).toEqual(['UNUSUAL_DESTINATION: no destination is known, or the family has too little history to know its habit']);
    }
  });

  it('keeps firing on the second day, when the SIM itself is the one that went there', async () => {
    const secondDay = { ...strange, destinationFamilySims: 1 };
    expect((await tryDetector(unusualDestination, [secondDay])).alarms).toEqual([]);
    expect((await tryDetector(unusualDestination, [secondDay], { wasFiring: ['UNUSUAL_DESTINATION'] })).alarms).toHaveLength(1);
  });
});
