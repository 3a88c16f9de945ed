/** The decision's arithmetic against values worked out by hand. */
import { betaBinomialTail, upperTail } from './binomial';
import { decide, type CellCount } from './decide';
import { benjaminiHochberg } from './false-discovery';
import type { OwnDays } from './own-usual';

describe('the binomial tail', () => {
  it('is exact where it can be counted by hand', () => {
    expect(upperTail(3, 2, 0.5)).toBeCloseTo(0.5, 14);
    expect(upperTail(10, 10, 0.1)).toBeCloseTo(1e-10, 22);
    expect(upperTail(10, 1, 0.05)).toBeCloseTo(1 - 0.95 ** 10, 14);
    // 4 of 5 at 1/4: 5 · (1/4)^4 · 3/4 + (1/4)^5 = 16 / 1024
    expect(upperTail(5, 4, 0.25)).toBeCloseTo(16 / 1024, 14);
  });
  it('is 1 for none and 0 for more than all', () => {
    expect([upperTail(10, 0, 0.05), upperTail(10, 11, 0.05), upperTail(10, 3, 0), upperTail(10, 3, 1)]).toEqual([1, 0, 0, 1]);
  });
  it('keeps its digits in a far tail and over a million devices', () => {
    expect(upperTail(200, 200, 0.05) / 0.05 ** 200).toBeCloseTo(1, 9);
    // the median of a symmetric distribution: half, and half of the middle term
    expect(upperTail(1_000_000, 500_000, 0.5)).toBeCloseTo(0.5 + 0.5 / Math.sqrt(Math.PI * 500_000), 8);
  });
  it('falls with the hits and rises with the rate', () => {
    for (let hits = 1; hits <= 60; hits++) {
      expect(upperTail(60, hits, 0.3)).toBeLessThan(upperTail(60, hits - 1, 0.3));
      expect(upperTail(60, hits, 0.3)).toBeLessThan(upperTail(60, hits, 0.35));
    }
  });
});

describe('the beta-binomial tail', () => {
  it('is exact where it can be counted by hand', () => {
    // with one hit and one miss behind it every count is as likely as any other
    expect(betaBinomialTail(9, 7, 1, 1)).toBeCloseTo(3 / 10, 9);
    expect(betaBinomialTail(4, 4, 2, 3)).toBeCloseTo((2 * 3 * 4 * 5) / (5 * 6 * 7 * 8), 9);
    expect([betaBinomialTail(10, 0, 1, 1), betaBinomialTail(10, 11, 1, 1)]).toEqual([1, 0]);
  });
  it('becomes the binomial tail as more is known of the rate, and is wider before', () => {
    expect(betaBinomialTail(200, 20, 5e7, 95e7) / upperTail(200, 20, 0.05)).toBeCloseTo(1, 4);
    expect(betaBinomialTail(200, 20, 5, 95)).toBeGreaterThan(10 * upperTail(200, 20, 0.05));
  });
});

test('Benjamini and Hochberg correct as in the worked example of their paper', () => {
  // their table 1, fifteen tests of which the first four are significant at 0.05
  const pValues = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1];
  const corrected = benjaminiHochberg(pValues);
  expect(corrected.filter((p) => p <= 0.05)).toHaveLength(4);
  expect(corrected[3]).toBeCloseTo((0.0095 * 15) / 4, 12);
  expect(benjaminiHochberg([0.04, 0.01, 0.03])).toEqual([0.04, 0.03, 0.04]);
  expect(benjaminiHochberg([])).toEqual([]);
});

describe('the decision per client and country', () => {
  const cell = (clientId: number, country: string, cluster: number, devices: number, flagged: number): CellCount => ({
    clientId,
    country,
    cluster,
    devices,
    flagged,
  });

  it("gives the paper's worked example: 80 flagged where 50 were expected is z = 4.24", () => {
    const [pair] = decide([cell(1, 'ES', 0, 1000, 80), cell(2, 'ES', 0, 4000, 200)]);
    expect(pair).toMatchObject({ devices: 1000, flagged: 80, verdict: 'ANOMALOUS' });
    expect(pair!.expected).toBeCloseTo(50, 10);
    expect(pair!.zScore).toBeCloseTo(4.2426, 4);
    expect(pair!.pValue).toBeCloseTo(upperTail(1000, 80, 0.05), 12);
  });

  it('expects of each cluster what it shows at the other clients', () => {
    const [pair] = decide(
      [
        cell(1, 'ES', 0, 100, 4),
        cell(1, 'ES', 1, 50, 10),
        cell(2, 'FR', 0, 500, 20),
        cell(2, 'FR', 1, 400, 80),
        cell(1, 'AR', 1, 100, 99),
      ].filter(({ country }) => country !== 'AR'),
    );
    // 100 × 20/500 + 50 × 80/400 = 4 + 10
    expect(pair!.expected).toBeCloseTo(14, 10);
    expect(pair!.verdict).toBe('NORMAL');
  });

  it("leaves the client's own devices in other countries out of what it expects", () => {
    const pairs = decide([cell(1, 'AR', 0, 300, 300), cell(1, 'ES', 0, 100, 5), cell(2, 'ES', 0, 1000, 50)]);
    expect(pairs.map(({ country, expected }) => [country, expected])).toEqual([
      ['AR', 15],
      ['ES', 5],
      // what client 2 is measured by are client 1's 400 devices, 305 of them flagged
      ['ES', 762.5],
    ]);
  });

  it('takes the contamination for the others that are missing, and never less than 1 %', () => {
    const [few] = decide([cell(1, 'ES', 0, 100, 5), cell(2, 'ES', 0, 50, 20)]);
    // (20 + 150 × 0.05) / 200
    expect(few!.expected).toBeCloseTo(100 * 0.1375, 10);
    const [calm] = decide([cell(1, 'ES', 0, 100, 1), cell(2, 'ES', 0, 1000, 0)]);
    expect(calm!.expected).toBeCloseTo(1, 10);
    const [alone] = decide([cell(1, 'ES', 0, 100, 5)]);
    expect(alone!.expected).toBeCloseTo(5, 10);
  });

  it("does not let one client's incident hide another's of the same day", () => {
    const hidden = [cell(1, 'ES', 0, 100, 80), cell(2, 'AR', 0, 100, 20), cell(3, 'DE', 0, 300, 12), cell(4, 'US', 0, 300, 14)];
    const [worst, unmasked, calm] = decide(hidden);
    expect(worst!.verdict).toBe('ANOMALOUS');
    // by the other two: (12 + 14) / 600 is less than the contamination, of which 100 devices show 5
    expect(unmasked).toMatchObject({ expected: 5, verdict: 'ANOMALOUS' });
    // what stays normal keeps its expectation from all others: 300 × (80 + 20 + 14) / 500
    expect(calm!.expected).toBeCloseTo(68.4, 10);
    expect(calm!.verdict).toBe('NORMAL');
  });

  it('takes no calm client for anomalous because the others are calmer once the incidents are set aside', () => {
    const cells = [cell(1, 'ES', 0, 200, 120), cell(2, 'AR', 0, 300, 22), cell(3, 'DE', 0, 400, 2), cell(4, 'US', 0, 400, 2)];
    expect(decide(cells).map(({ verdict }) => verdict)).toEqual(['ANOMALOUS', 'NORMAL', 'NORMAL', 'NORMAL']);
  });

  it('abstains on fewer than ten devices and does not count them among the tests', () => {
    const pairs = decide([cell(1, 'ES', 0, 9, 9), cell(1, 'FR', 0, 10, 10), cell(2, 'ES', 0, 1000, 50)]);
    expect(pairs.map(({ verdict }) => verdict)).toEqual(['ABSTAINED', 'ANOMALOUS', 'NORMAL']);
    expect(pairs[1]!.correctedPValue).toBeCloseTo(pairs[1]!.pValue * 2, 20);
  });

  it('does not cry wolf among thousands of pairs, each slightly lucky', () => {
    const cells = Array.from({ length: 2000 }, (_, index) => cell(index + 1, 'ES', 0, 100, index % 100 === 0 ? 12 : 5));
    const pairs = decide(cells);
    expect(pairs.filter(({ zScore }) => zScore > 2.576).length).toBeGreaterThan(10);
    expect(pairs.filter(({ verdict }) => verdict === 'ANOMALOUS')).toEqual([]);
  });

  describe('of a client whose devices differ from everybody’s', () => {
    const others = [cell(2, 'ES', 0, 1000, 50), cell(3, 'FR', 0, 1000, 50)];
    const days = (...rates: number[]): OwnDays => {
      return (clientId, country) =>
        clientId === 1 && country === 'ES' ? rates.map((rate) => ({ devices: 200, flagged: 200 * rate })) : [];
    };
    const verdictOf = (cells: readonly CellCount[], otherDays?: OwnDays) =>
      decide([...cells, ...others], otherDays).find(({ clientId, country }) => clientId === 1 && country === 'ES')!;

    it('is not alarmed about what it does on every other day', () => {
      const heavy = [cell(1, 'ES', 0, 200, 60)];
      expect(verdictOf(heavy)).toMatchObject({ verdict: 'ANOMALOUS', own: { expected: null, by: null } });
      expect(verdictOf(heavy, days(0.3, 0.28, 0.31)).verdict).toBe('NORMAL');
    });
    it('is alarmed on the day it changes, whether or not an incident of two days is among the others', () => {
      const changed = [cell(1, 'ES', 0, 200, 60)];
      expect(verdictOf(changed, days(0.05, 0.06, 0.04)).verdict).toBe('ANOMALOUS');
      expect(verdictOf(changed, days(0.05, 0.31, 0.3, 0.05)).verdict).toBe('ANOMALOUS');
    });
    it('is not alarmed in one country about what it does in all of them', () => {
      expect(verdictOf([cell(1, 'ES', 0, 200, 60), cell(1, 'PT', 0, 150, 44)]).verdict).toBe('NORMAL');
    });
    it('is alarmed on every day of an incident that keeps to one country', () => {
      const pair = verdictOf([cell(1, 'ES', 0, 200, 60), cell(1, 'PT', 0, 150, 8)], days(0.3, 0.3));
      expect(pair).toMatchObject({ verdict: 'ANOMALOUS', own: { by: 'OTHER_COUNTRIES' } });
      // eight of 150, and a quarter of a device of five others
      expect(pair.own!.expected).toBeCloseTo((200 * 8.25) / 155, 6);
    });
    it('is not alarmed where few devices are flagged more often in one country than in others, as on every other day', () => {
      // a courier's vans, more than half of them flagged in one country on all days, a third elsewhere
      const vans = [cell(1, 'ES', 0, 31, 18), cell(1, 'PT', 0, 77, 22)];
      expect(verdictOf(vans, days(0.61, 0.5, 0.52, 0.58)).verdict).toBe('NORMAL');
    });
    it('knows from many days what one day leaves open', () => {
      const [once, often] = [[0.1], [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]].map((rates) => {
        const few: OwnDays = () => rates.map((rate) => ({ devices: 20, flagged: 20 * rate }));
        return verdictOf([cell(1, 'ES', 0, 200, 60)], few).own!.expected!;
      });
      // beside the other clients' 5 %, of which five devices count
      expect(once).toBeCloseTo((200 * 2.25) / 25, 6);
      expect(often).toBeCloseTo((200 * 14.25) / 145, 6);
    });
    it('is not alarmed where all devices are flagged on this day and nearly all on the others', () => {
      expect(
        verdictOf([cell(1, 'ES', 0, 44, 44)], () => [0.93, 0.95, 0.91].map((rate) => ({ devices: 43, flagged: Math.round(43 * rate) })))
          .verdict,
      ).toBe('NORMAL');
    });
    it('never is alarmed about less than the others show', () => {
      expect(verdictOf([cell(1, 'ES', 0, 200, 10)], days(0, 0)).verdict).toBe('NORMAL');
    });
  });

  it('answers the same in whatever order the counts come', () => {
    const cells = [cell(3, 'ES', 1, 30, 3), cell(1, 'ES', 0, 100, 9), cell(2, 'AR', 1, 70, 2), cell(1, 'AR', 1, 40, 4)];
    expect(decide([...cells].reverse())).toEqual(decide(cells));
    expect(decide([])).toEqual([]);
  });
});
