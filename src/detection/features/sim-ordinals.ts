/** Numbers the SIMs of dialogues in the order in which they first come. A hash table in two arrays: it is asked once per dialogue, in no order. */

const FIRST_SLOTS = 1 << 12;
/** 2^32 / golden ratio: neighbouring ids, as one sequence gives them, lie far apart. */
const SPREAD = 0x9e3779b1;
const FREE = -1;

export class SimOrdinals {
  private slots = FIRST_SLOTS;
  private keys = new Float64Array(FIRST_SLOTS);
  private ordinals = new Int32Array(FIRST_SLOTS).fill(FREE);
  private readonly ids: number[] = [];

  get count(): number {
    return this.ids.length;
  }

  /** By ordinal. */
  get simIds(): readonly number[] {
    return this.ids;
  }

  of(simId: number): number {
    const slot = this.slotOf(simId);
    const known = this.ordinals[slot]!;
    return known === FREE ? this.add(simId, slot) : known;
  }

  private add(simId: number, slot: number): number {
    const ordinal = this.ids.push(simId) - 1;
    this.keys[slot] = simId;
    this.ordinals[slot] = ordinal;
    if (this.ids.length * 2 > this.slots) this.grow();
    return ordinal;
  }

  /** Where the SIM stands, or would. */
  private slotOf(simId: number): number {
    const mask = this.slots - 1;
    let slot = (Math.imul(simId | 0, SPREAD) >>> 7) & mask;
    while (this.ordinals[slot] !== FREE && this.keys[slot] !== simId) slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    this.slots *= 2;
    this.keys = new Float64Array(this.slots);
    this.ordinals = new Int32Array(this.slots).fill(FREE);
    this.ids.forEach((simId, ordinal) => {
      const slot = this.slotOf(simId);
      this.keys[slot] = simId;
      this.ordinals[slot] = ordinal;
    });
  }
}
