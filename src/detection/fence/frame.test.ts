/** Frames survive any way of being cut up on a pipe, and bytes from a stranger are an error at worst. */
import fc from 'fast-check';
import { encodeFrame, FrameReader, type Frame, type Numbers } from './frame';

const numbers: fc.Arbitrary<Numbers> = fc.oneof(
  fc.array(fc.double(), { maxLength: 20 }).map((values) => Float64Array.from(values)),
  fc.array(fc.integer(), { maxLength: 20 }).map((values) => Int32Array.from(values)),
  fc.uint8Array({ maxLength: 20 }).map((values) => Uint8Array.from(values)),
);
const frames: fc.Arbitrary<Frame> = fc.record({ words: fc.jsonValue(), numbers: fc.array(numbers, { maxLength: 5 }) });

function readInPieces(bytes: Uint8Array, cuts: readonly number[], mostBytes = 1e6): Frame | null {
  const reader = new FrameReader(mostBytes);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((one, other) => one - other);
  let frame: Frame | null = null;
  for (const [index, from] of [0, ...places].entries()) frame = reader.push(bytes.subarray(from, places[index] ?? bytes.length)) ?? frame;
  return frame;
}

it('arrives as it was sent, however the pipe cuts it, NaN and infinities included', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(), { maxLength: 6 }), (frame, cuts) => {
      // JSON knows no negative zero
      const expected = { words: JSON.parse(JSON.stringify(frame.words)) as unknown, numbers: frame.numbers };
      expect(readInPieces(Buffer.concat(encodeFrame(frame)), cuts)).toEqual(expected);
    }),
  );
});

it('is an error at worst, whatever bytes come', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 4 }), (bytes, cuts) => {
      try {
        readInPieces(bytes, cuts, 1000);
      } catch (error) {
        expect((error as Error).message).toEqual(expect.any(String));
      }
    }),
  );
});

it('is refused before memory is taken for it, where it is longer than it may be, and where something follows', () => {
  const frame = Buffer.concat(encodeFrame({ words: 'x', numbers: [new Float64Array(100)] }));
  expect(() => new FrameReader(100).push(frame.subarray(0, 8))).toThrow(/more than the 100 that it may have/);
  expect(() => new FrameReader(10_000).push(Buffer.concat([frame, frame]))).toThrow('more than one answer to one question');
});
