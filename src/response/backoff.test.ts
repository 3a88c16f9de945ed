import { SystemEntropy, type Entropy } from '../runtime';
import { backoffMilliseconds } from './backoff';

const drawing = (byte: number): Entropy => ({ uuid: () => '', bytes: (count) => Buffer.alloc(count, byte) });

it('waits longer with every attempt and stays at 30 minutes', () => {
  const seconds = [1, 2, 3, 4, 5, 6, 7, 50].map((attempt) => Math.floor(backoffMilliseconds(attempt, drawing(0x80)) / 1000));
  expect(seconds).toEqual([1, 5, 30, 120, 600, 1801, 1801, 1801]);
});

it('spreads a wait by a fifth to both sides', () => {
  expect(backoffMilliseconds(3, drawing(0))).toBe(24_000);
  expect(backoffMilliseconds(3, drawing(0xff))).toBeCloseTo(36_000, -1);
  const entropy = new SystemEntropy();
  const drawn = new Set(Array.from({ length: 20 }, () => backoffMilliseconds(3, entropy)));
  expect(drawn.size).toBeGreaterThan(10);
});
