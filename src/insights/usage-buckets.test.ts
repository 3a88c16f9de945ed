import { bucketsBetween, daysThrough, Granularity, rangeParts } from './usage-buckets';

const at = (text: string): Date => new Date(text);
const shown = (from: string, to: string, granularity: Granularity): string[] =>
  bucketsBetween(at(from), at(to), granularity).map(
    (bucket) => `${bucket.from.toISOString().slice(0, 13)} ${bucket.to.toISOString().slice(0, 13)}`,
  );

it('cuts UTC hours, days, ISO weeks and months that follow each other without a hole', () => {
  expect(shown('2026-11-01T22:15:00Z', '2026-11-02T00:00:00Z', Granularity.HOUR)).toEqual([
    '2026-11-01T22 2026-11-01T23',
    '2026-11-01T23 2026-11-02T00',
  ]);
  expect(shown('2026-11-01T22:15:00Z', '2026-11-02T00:00:01Z', Granularity.DAY)).toEqual([
    '2026-11-01T00 2026-11-02T00',
    '2026-11-02T00 2026-11-03T00',
  ]);
  expect(shown('2026-12-31T00:00:00Z', '2027-01-05T00:00:00Z', Granularity.WEEK)).toEqual([
    '2026-12-28T00 2027-01-04T00',
    '2027-01-04T00 2027-01-11T00',
  ]);
  expect(shown('2028-01-31T00:00:00Z', '2028-03-01T00:00:00Z', Granularity.MONTH)).toEqual([
    '2028-01-01T00 2028-02-01T00',
    '2028-02-01T00 2028-03-01T00',
  ]);
});

it('has 24 hours on the days when clocks change in Europe and America', () => {
  for (const day of ['2026-03-29', '2026-10-25', '2026-03-08', '2026-11-01']) {
    expect(bucketsBetween(at(`${day}T00:00:00Z`), new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000), Granularity.HOUR)).toHaveLength(
      24,
    );
  }
});

it('refuses ranges that are empty or have too many buckets', () => {
  expect(() => bucketsBetween(at('2026-11-02T00:00:00Z'), at('2026-11-02T00:00:00Z'), Granularity.DAY)).toThrow(/range is empty/);
  expect(() => bucketsBetween(at('1970-01-01T00:00:00Z'), at('2100-01-01T00:00:00Z'), Granularity.HOUR)).toThrow(
    /more than 2200 buckets of one hour/,
  );
  expect(
    bucketsBetween(at('2026-01-01T00:00:00Z'), new Date(Date.parse('2026-01-01T00:00:00Z') + 2_200 * 3_600_000), Granularity.HOUR),
  ).toHaveLength(2_200);
});

it('splits a range into whole days and the hours around them', () => {
  const day = '2026-11-0';
  expect(rangeParts(at(`${day}1T00:00:00Z`), at(`${day}3T00:00:00Z`))).toEqual({
    days: { from: '2026-11-01', to: '2026-11-03' },
    hours: [],
  });
  expect(rangeParts(at(`${day}1T05:00:00Z`), at(`${day}1T06:00:00Z`))).toEqual({
    days: null,
    hours: [{ day: '2026-11-01', from: at(`${day}1T05:00:00Z`), to: at(`${day}1T06:00:00Z`) }],
  });
  expect(rangeParts(at(`${day}1T22:30:00Z`), at(`${day}3T00:10:00Z`))).toEqual({
    days: { from: '2026-11-02', to: '2026-11-03' },
    hours: [
      { day: '2026-11-01', from: at(`${day}1T22:00:00Z`), to: at(`${day}2T00:00:00Z`) },
      { day: '2026-11-03', from: at(`${day}3T00:00:00Z`), to: at(`${day}3T01:00:00Z`) },
    ],
  });
  expect(rangeParts(at(`${day}1T22:00:00Z`), at(`${day}2T01:00:00Z`))).toMatchObject({
    days: null,
    hours: [{ day: '2026-11-01' }, { day: '2026-11-02' }],
  });
});

it('names the days of a list', () => {
  expect(daysThrough('2026-03-01', 3)).toEqual(['2026-02-27', '2026-02-28', '2026-03-01']);
});
