import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietEvent, quietUsageEvent, syntheticEvents, testDetector, tryDetector, type EventRow } from 'simwarden/detector/testing';
import unexpectedNetwork from '.';

const forbidden: EventRow = { ...quietUsageEvent, network: '724-05', networkAllowed: 0 };
const abroad: EventRow = { ...quietUsageEvent, network: '724-05', networkFamilySims: 0 };

testDetector(unexpectedNetwork, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [
    { name: 'SIMs where the others are', rows: syntheticEvents({ sims: 1000, seed: 51 }) },
    {
      name: 'SIMs in networks of their list',
      rows: syntheticEvents({ sims: 1000, seed: 52 }).map((row) => ({
        ...row,
        networkAllowed: row.network === null ? NaN : 1,
        networkFamilySims: 0,
      })),
    },
  ],
  history: ['networkFamilySims', 'network'],
  anomalous: [
    { name: 'off the list', kind: 'NETWORK_NOT_ALLOWED', planted: [1], rows: [quietEvent, forbidden] },
    { name: 'alone in a country', kind: 'UNUSUAL_NETWORK', planted: [0], rows: [abroad] },
  ],
});

describe('unexpected networks', () => {
  it('is critical where the SIM got service, a warning where it only tried', async () => {
    const tried = { ...forbidden, eventClass: 'CONNECTION', eventType: 'ATTACHMENT_REJECTED' };
    const { alarms } = await tryDetector(unexpectedNetwork, [forbidden, { ...tried, subject: 1 }]);
    expect(alarms.map(({ severity, texts }) => [severity, texts[0]])).toEqual([
      ['CRITICAL', 'seen in 724-05, which is not on the list of allowed networks'],
      ['WARNING', 'tried to attach in 724-05, which is not on the list of allowed networks'],
    ]);
  });

  it("says that none of the client's SIMs was in the country", async () => {
    const { alarms } = await tryDetector(unexpectedNetwork, [abroad]);
    expect(alarms.map(({ kind, severity, texts }) => [kind, severity, texts[0]])).toEqual([
      ['UNUSUAL_NETWORK', 'WARNING', 'seen in 724-05, in whose country 0 SIMs of the client were in the 28 days before'],
    ]);
  });

  it('keeps firing on the second day, when the SIM itself is the one that was there', async () => {
    const secondDay = { ...abroad, networkFamilySims: 1 };
    expect((await tryDetector(unexpectedNetwork, [secondDay])).alarms).toEqual([]);
    expect((await tryDetector(unexpectedNetwork, [secondDay], { wasFiring: ['UNUSUAL_NETWORK'] })).alarms).toHaveLength(1);
  });

  it('abstains without history, and clears what a list forbade once the list is gone', async () => {
    const unknown = { ...abroad, networkFamilySims: NaN };
    const { alarms, abstained } = await tryDetector(unexpectedNetwork, [unknown], { wasFiring: ['NETWORK_NOT_ALLOWED'] });
    expect(alarms).toEqual([]);
    expect(abstained).toEqual(['UNUSUAL_NETWORK: no network is known, or the client has less than 7 days of history']);
  });
});
