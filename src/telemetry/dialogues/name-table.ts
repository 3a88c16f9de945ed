/** Names by their bytes: each gets an ordinal when it is first seen, without a string being made for it. */

const LEAST_SLOTS = 1024;

/** One step of FNV-1a, begun with a table's seed. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

export class NameTable {
  /** `seed`: nobody outside knows which names meet in one slot. */
  constructor(readonly seed: number) {}

  /** Names that are in it; ordinals go from 1 to this. */
  count = 0;
  private slots = new Int32Array(LEAST_SLOTS);
  private hashes = new Int32Array(LEAST_SLOTS >> 1);
  private ends = new Int32Array(LEAST_SLOTS >> 1);
  private bytes = Buffer.alloc(1 << 14);

  clear(): void {
    if (this.count === 0) return;
    this.slots.fill(0);
    this.count = 0;
  }

  ordinalOf(name: Buffer): number {
    let hash = this.seed;
    for (const byte of name) hash = hashByte(hash, byte);
    return this.ordinal(name, 0, name.length, hash);
  }

  /** The ordinal of the name in `source` from `start` to `end`, whose hash the caller has made while reading. */
  ordinal(source: Buffer, start: number, end: number, hash: number): number {
    const mask = this.slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (let found = this.slots[slot]!; found !== 0; found = this.slots[(slot = (slot + 1) & mask)]!) {
      if (this.hashes[found] === hash && this.equals(found, source, start, end)) return found;
    }
    return this.add(source, start, end, hash, slot);
  }

  nameOf(ordinal: number): string {
    return this.bytes.toString('utf8', this.startOf(ordinal), this.ends[ordinal]);
  }

  /** All names, in the order of their ordinals. */
  names(): string[] {
    return Array.from({ length: this.count }, (_, i) => this.nameOf(i + 1));
  }

  private startOf(ordinal: number): number {
    return ordinal === 1 ? 0 : this.ends[ordinal - 1]!;
  }

  private equals(ordinal: number, source: Buffer, start: number, end: number): boolean {
    const from = this.startOf(ordinal);
    if (this.ends[ordinal]! - from !== end - start) return false;
    for (let i = start; i < end; i++) if (source[i] !== this.bytes[from + i - start]) return false;
    return true;
  }

  private add(source: Buffer, start: number, end: number, hash: number, slot: number): number {
    const ordinal = ++this.count;
    const from = this.startOf(ordinal);
    if (from + end - start > this.bytes.length) this.bytes = Buffer.concat([this.bytes, Buffer.alloc(this.bytes.length + end - start)]);
    source.copy(this.bytes, from, start, end);
    this.ends[ordinal] = from + end - start;
    this.hashes[ordinal] = hash;
    this.slots[slot] = ordinal;
    if (ordinal + 1 >= this.hashes.length) this.widen();
    return ordinal;
  }

  private widen(): void {
    const hashes = new Int32Array(this.hashes.length * 2);
    hashes.set(this.hashes);
    const ends = new Int32Array(hashes.length);
    ends.set(this.ends);
    this.hashes = hashes;
    this.ends = ends;
    this.slots = new Int32Array(this.slots.length * 2);
    const mask = this.slots.length - 1;
    for (let ordinal = 1; ordinal <= this.count; ordinal++) {
      const hash = hashes[ordinal]!;
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = ordinal;
    }
  }
}
