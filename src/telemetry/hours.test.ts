/** No byte is lost or made when a record is spread over its hours. */
import fc from 'fast-check';
import { HOUR_MILLISECONDS, spreadOverHours } from './hours';

test('the shares are whole, none is negative, and they add up to the record', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4_000_000_000_000 }),
      fc.integer({ min: 0, max: 31 * 86_400_000 }),
      fc.maxSafeNat(),
      fc.maxSafeNat(),
      (start, lasting, up, down) => {
        const shares = spreadOverHours(start, start + lasting, BigInt(up), BigInt(down));
        expect(shares.reduce((sum, share) => sum + share.uplinkBytes, 0n)).toBe(BigInt(up));
        expect(shares.reduce((sum, share) => sum + share.downlinkBytes, 0n)).toBe(BigInt(down));
        expect(shares.filter((share) => share.uplinkBytes < 0n || share.downlinkBytes < 0n)).toEqual([]);
        expect(shares.filter((share, i) => share.hour !== shares[0]!.hour + i * HOUR_MILLISECONDS)).toEqual([]);
        expect(shares.slice(1).filter((share) => share.hour >= start + lasting)).toEqual([]);
      },
    ),
  );
});

test('a record is shared in proportion to time, the remainder to its last hour', () => {
  const nine = Date.UTC(2026, 10, 20, 9);
  const shares = spreadOverHours(nine + 1_800_000, nine + 9_000_000, 100n, 7n);
  expect(shares.map((share) => [Number(share.uplinkBytes), Number(share.downlinkBytes)])).toEqual([
    [25, 1],
    [50, 3],
    [25, 3],
  ]);
});

test("a record that ends on the hour doesn't touch the next", () => {
  const nine = Date.UTC(2026, 10, 20, 9);
  expect(spreadOverHours(nine, nine + HOUR_MILLISECONDS, 1n, 1n)).toHaveLength(1);
  expect(spreadOverHours(nine + HOUR_MILLISECONDS, nine + HOUR_MILLISECONDS, 1n, 1n)).toEqual([
    { hour: nine + HOUR_MILLISECONDS, uplinkBytes: 1n, downlinkBytes: 1n },
  ]);
});
