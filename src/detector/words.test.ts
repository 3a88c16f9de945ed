import { bytesInWords, countInWords, durationInWords, multipleInWords, percentInWords } from '.';

describe('amounts in words', () => {
  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1000, '1 kB'],
    [412e6, '412 MB'],
    [1_234_567, '1.23 MB'],
    [12_345_678, '12.3 MB'],
    [999_600, '1 MB'],
    [2e9, '2 GB'],
    [7.5e18, '7500 PB'],
    [-5000, '-5 kB'],
    [NaN, 'unknown'],
  ])('%d bytes read "%s"', (bytes, words) => {
    expect(bytesInWords(bytes)).toBe(words);
  });

  it('say multiples, percents, counts and durations', () => {
    expect([multipleInWords(3.24), multipleInWords(3), multipleInWords(1234.5)]).toEqual(['3.2 ×', '3 ×', '1,235 ×']);
    expect([percentInWords(85.7), percentInWords(NaN)]).toEqual(['86 %', 'unknown']);
    expect([countInWords(1, 'SIM'), countInWords(12_000, 'SIM'), countInWords(2, 'retry', 'retries')]).toEqual([
      '1 SIM',
      '12,000 SIMs',
      '2 retries',
    ]);
    expect([durationInWords(90), durationInWords(5400), durationInWords(93_600), durationInWords(864_000)]).toEqual([
      '90 s',
      '90 min',
      '26 h',
      '10 days',
    ]);
  });
});
