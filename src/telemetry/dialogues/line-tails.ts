/** Ends of lines that were read before in a chunk, found again four bytes at a time: what follows a dialogue's SIM, time and duration is mostly one of a few thousand. */
import { widened } from './dialogue-patterns';

const LEAST_SLOTS = 1 << 12;
/** A longer one is read field by field. */
const MOST_BYTES = 256;

export class LineTails {
  /** Of the tail that was looked for last: the place of its line feed; -1: it is too long to be kept. */
  end = -1;
  private start = 0;
  private hash = 0;
  private slot = 0;
  private count = 0;
  /** Slot → entry, from 1; 0: free. Twice as many as entries have room. */
  private slots = new Int32Array(LEAST_SLOTS);
  private hashes = new Int32Array(LEAST_SLOTS >> 1);
  /** Where its bytes stand in the chunk. */
  private starts = new Uint32Array(LEAST_SLOTS >> 1);
  private lengths = new Uint16Array(LEAST_SLOTS >> 1);
  private patterns = new Uint32Array(LEAST_SLOTS >> 1);

  /** `seed`: nobody outside knows which tails meet in one slot. */
  constructor(private readonly seed: number) {}

  clear(): void {
    if (this.count > 0) this.slots.fill(0);
    this.count = 0;
  }

  /** The pattern of the tail that begins here and ends with a line feed, which must be there; -1: it wasn't kept. */
  find(view: DataView, start: number): number {
    let hash = this.seed;
    let at = start;
    for (;;) {
      const word = view.getInt32(at, true);
      // The lowest bit that is set is that of the first line feed among the four bytes.
      const differences = word ^ 0x0a0a0a0a;
      const feeds = (differences - 0x01010101) & ~differences & 0x80808080;
      if (feeds !== 0) {
        const bits = 24 - Math.clz32(feeds & -feeds);
        hash = mixed(hash, word & ((1 << bits) - 1));
        at += bits >> 3;
        break;
      }
      hash = mixed(hash, word);
      at += 4;
      if (at - start > MOST_BYTES) {
        this.end = -1;
        return -1;
      }
    }
    hash ^= hash >>> 15;
    this.start = start;
    this.end = at;
    this.hash = hash;
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (let found = this.slots[slot]!; found !== 0; found = this.slots[(slot = (slot + 1) & mask)]!) {
      if (this.hashes[found] === hash && this.lengths[found] === at - start && isSame(view, this.starts[found]!, start, at - start))
        return this.patterns[found]!;
    }
    this.slot = slot;
    return -1;
  }

  /** Keeps the tail that was looked for last and not found. */
  keep(pattern: number): void {
    const entry = ++this.count;
    this.slots[this.slot] = entry;
    this.hashes[entry] = this.hash;
    this.starts[entry] = this.start;
    this.lengths[entry] = this.end - this.start;
    this.patterns[entry] = pattern;
    if (entry + 1 === this.hashes.length) this.widen();
  }

  private widen(): void {
    const most = this.slots.length;
    this.hashes = widened(this.hashes, new Int32Array(most));
    this.starts = widened(this.starts, new Uint32Array(most));
    this.lengths = widened(this.lengths, new Uint16Array(most));
    this.patterns = widened(this.patterns, new Uint32Array(most));
    this.slots = new Int32Array(most * 2);
    const mask = this.slots.length - 1;
    for (let entry = 1; entry <= this.count; entry++) {
      let slot = this.hashes[entry]! & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = entry;
    }
  }
}

function isSame(view: DataView, one: number, other: number, length: number): boolean {
  const words = length & ~3;
  for (let i = 0; i < words; i += 4) if (view.getInt32(one + i, true) !== view.getInt32(other + i, true)) return false;
  for (let i = words; i < length; i++) if (view.getUint8(one + i) !== view.getUint8(other + i)) return false;
  return true;
}

/** A round of MurmurHash3. */
function mixed(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const turned = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) | 0;
}
