/** Seeded random numbers, so that a detector's answer can be had again. */

const TO_UNIT = 1 / 4_294_967_296;

/** Uniform numbers in [0, 1) from a 32-bit seed (Mulberry32). Not for secrets. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) * TO_UNIT;
  };
}

/**
 * Stream number `index` of a seed: uniform numbers in [0, 1) in steps of 2⁻³² (xoshiro128**, Blackman and Vigna, 2018), its state of 128 bits
 * hashed from (seed, index). One stream per tree, start or sample makes work independent of how it is shared out.
 */
export function randomStream(seed: number, index: number): () => number {
  let hashed = (Math.imul(seed >>> 0, 0x9e3779b1) ^ Math.imul((index >>> 0) + 0x7f4a7c15, 0x85ebca6b)) >>> 0;
  const word = (salt: number) => {
    hashed = mixed((hashed + Math.imul(salt, 0x9e3779b9)) ^ (index >>> 0)) ^ mixed((seed >>> 0) + salt);
    return hashed | 0;
  };
  let a = word(1);
  let b = word(2);
  let c = word(3);
  let d = word(4) | 1;
  return () => {
    const fives = Math.imul(b, 5);
    const result = Math.imul((fives << 7) | (fives >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result * TO_UNIT;
  };
}

/** `count` different whole numbers of [0, total), in the order drawn; all of them where there are no more. */
export function sampleWithoutReplacement(total: number, count: number, random: () => number): Int32Array {
  const drawn = new Int32Array(Math.min(count, total));
  // a partial Fisher–Yates that remembers only what it moved: nothing is left behind for the next sample
  const moved = new Map<number, number>();
  for (let place = 0; place < drawn.length; place++) {
    const other = place + Math.floor(random() * (total - place));
    drawn[place] = moved.get(other) ?? other;
    moved.set(other, moved.get(place) ?? place);
  }
  return drawn;
}

/** The finaliser of MurmurHash3: every bit of the input moves every bit of the output. */
function mixed(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
