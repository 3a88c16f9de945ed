import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietServiceHour, syntheticServices, testDetector, tryDetector, type ServiceRow } from 'simwarden/detector/testing';
import criticalService from '.';

const dataDown: ServiceRow = {
  ...quietServiceHour,
  serviceName: 'DATA',
  serviceHour: 13,
  serviceSimsFailed: 12,
  serviceSimsProvisioned: 90,
};
const mapDown: ServiceRow = {
  ...quietServiceHour,
  serviceName: 'MAP',
  serviceHour: 2,
  serviceDialogues: 4_100,
  serviceSuccesses: 330,
  serviceSimsTried: NaN,
  serviceSimsFailed: NaN,
  serviceSimsProvisioned: NaN,
};

testDetector(criticalService, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [{ name: 'a country where services work', rows: syntheticServices({ sims: 400, seed: 81 }) }],
  anomalous: [
    { name: 'data down', kind: 'DATA_HIT', planted: [1], rows: [quietServiceHour, dataDown] },
    { name: 'voice down', kind: 'VOICE_SMS_HIT', planted: [0], rows: [{ ...dataDown, serviceName: 'VOICE_SMS' }] },
    { name: 'register down', kind: 'MAP_SUCCESS_LOW', planted: [0], rows: [mapDown] },
    { name: 'platform: data', kind: 'PLATFORM_DATA_HIT', planted: [0], rows: [{ ...dataDown, servicePlatformWide: 1 }] },
    {
      name: 'platform: voice',
      kind: 'PLATFORM_VOICE_SMS_HIT',
      planted: [0],
      rows: [{ ...dataDown, serviceName: 'VOICE_SMS', servicePlatformWide: 1 }],
    },
    { name: 'platform: register', kind: 'PLATFORM_MAP_SUCCESS_LOW', planted: [0], rows: [{ ...mapDown, servicePlatformWide: 1 }] },
  ],
});

describe('critical services', () => {
  const textsOf = async (row: ServiceRow) => (await tryDetector(criticalService, [row])).alarms.flatMap(({ texts }) => texts);

  it('says how many of how many, which service, and when', async () => {
    expect(await textsOf(dataDown)).toEqual(['12 of 90 SIMs (13 %, limit 5 %) tried and got no data service between 13:00 and 14:00 UTC']);
    expect(await textsOf(mapDown)).toEqual(['8 % of 4,100 MAP dialogues succeeded between 02:00 and 03:00 UTC, at least 25 % should']);
  });

  it.each([
    [5, 99, true], // just over 5 %
    [5, 100, false], // exactly 5 %
    [4, 10, false], // 40 %, but too few
  ])('with %i of %i SIMs hit it fires: %p', async (serviceSimsFailed, serviceSimsProvisioned, fires) => {
    expect(await textsOf({ ...dataDown, serviceSimsFailed, serviceSimsProvisioned })).toHaveLength(fires ? 1 : 0);
  });

  it.each([
    [400, 99, true],
    [400, 100, false], // exactly a quarter
    [49, 0, false], // too few dialogues to tell
  ])('of %i MAP dialogues with %i successes it fires: %p', async (serviceDialogues, serviceSuccesses, fires) => {
    expect(await textsOf({ ...mapDown, serviceDialogues, serviceSuccesses })).toHaveLength(fires ? 1 : 0);
  });
});
