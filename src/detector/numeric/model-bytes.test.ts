import fc from 'fast-check';
import { packModel, readOnce, unpackModel } from '.';

const content = {
  facts: { names: ['n_sai', 'größe'], depth: 8 },
  arrays: { nodes: Int32Array.of(1, -2, 3), thresholds: Float32Array.of(0.5, Infinity), means: Float64Array.of(Math.PI) },
};

describe('a model as bytes', () => {
  const bytes = packModel('forest/1', content);

  it('comes back as it was, from any place in a larger buffer', () => {
    const stored = new Uint8Array(bytes.length + 5);
    stored.set(bytes, 5);
    expect(unpackModel('forest/1', stored.subarray(5))).toEqual(content);
  });

  it('is refused under another format, cut, or with any other bytes, always in words', () => {
    expect(() => unpackModel('forest/2', bytes)).toThrow('expected a model of forest/2, got one of forest/1');
    for (let length = 0; length < bytes.length - 8; length++)
      expect(() => unpackModel('forest/1', bytes.slice(0, length))).toThrow(/forest\/1/);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (other) => {
        expect(() => unpackModel('forest/1', other)).toThrow(/forest\/1/);
      }),
    );
  });
});

describe('a model that is read once', () => {
  it('is the same object for the same bytes, another for others, and read again where reading failed', () => {
    let reads = 0;
    const known = readOnce((bytes) => {
      reads += 1;
      if (bytes.length === 0) throw new Error('expected a model, got nothing');
      return { first: bytes[0]! };
    });
    const bytes = Uint8Array.of(7);
    expect(known(bytes)).toBe(known(bytes));
    expect(known(Uint8Array.of(8))).toEqual({ first: 8 });
    expect(reads).toBe(2);
    const none = new Uint8Array(0);
    expect(() => known(none)).toThrow('expected a model');
    expect(() => known(none)).toThrow('expected a model');
  });
});
