/** Dialogues packed to eight words each, and a set of them to compare others with: two are equal exactly where all their columns are. */
import type { DialogueChunk } from './dialogue-chunk';
import { UNKNOWN } from './dialogue-patterns';
import type { StoredDialogue } from './stored-tail';

/** Words of an identity: SIM (2), millisecond of the day, day and codes, duration, result, network, node. */
export const WORDS = 8;
const DAY_MILLISECONDS = 86_400_000;
const CODES_WORD = 3;
/** In the word of the codes: the dialogue was taken back. */
const TAKEN_BACK = 1 << 15;

/** Node ids by the chunk's ordinals of names. */
function writeRow(into: Int32Array, at: number, chunk: DialogueChunk, row: number, nodeIds: Int32Array): void {
  const { patterns } = chunk;
  const pattern = chunk.pattern[row]!;
  const startedAt = chunk.startedAt[row]!;
  const day = Math.floor(startedAt / DAY_MILLISECONDS);
  into[at] = chunk.simIdHigh[row]!;
  into[at + 1] = chunk.simIdLow[row]!;
  into[at + 2] = startedAt - day * DAY_MILLISECONDS;
  into[at + 3] =
    (day << 16) |
    (patterns.protocol[pattern]! << 12) |
    (patterns.procedure[pattern]! << 9) |
    (patterns.origin[pattern]! << 6) |
    (patterns.outcome[pattern]! << 3) |
    (patterns.cancellationType[pattern]! << 1) |
    patterns.formatViolation[pattern]!;
  into[at + 4] = chunk.durationMs[row]!;
  into[at + 5] = patterns.resultCode[pattern]!;
  into[at + 6] = patterns.plmn[pattern]!;
  into[at + 7] = nodeIds[patterns.node[pattern]!]!;
}

/** The identity that says that this dialogue was taken back. */
export function takenBackIdentity(dialogue: StoredDialogue): Int32Array {
  const simId = BigInt(dialogue.simId);
  const day = Math.floor(dialogue.startedAt / DAY_MILLISECONDS);
  const { protocol, procedure, origin, outcome, cancellationType, formatViolation } = dialogue;
  const codes =
    (protocol << 12) | (procedure << 9) | (origin << 6) | (outcome << 3) | ((cancellationType ?? 0) << 1) | (formatViolation ? 1 : 0);
  return Int32Array.of(
    Number(simId >> 32n),
    Number(BigInt.asIntN(32, simId)),
    dialogue.startedAt - day * DAY_MILLISECONDS,
    (day << 16) | TAKEN_BACK | codes,
    dialogue.durationMs ?? UNKNOWN,
    dialogue.resultCode ?? UNKNOWN,
    dialogue.plmn ?? UNKNOWN,
    dialogue.nodeId ?? UNKNOWN,
  );
}

export class IdentitySet {
  private readonly words: Int32Array;
  private readonly rows: Int32Array;
  /** 1 + entry; 0: free. */
  private readonly slots: Int32Array;
  private count = 0;

  /** `seed`: nobody outside knows which dialogues meet in one slot. */
  constructor(
    mostRows: number,
    private readonly seed: number,
  ) {
    this.words = new Int32Array(mostRows * WORDS);
    this.rows = new Int32Array(mostRows);
    this.slots = new Int32Array(1 << Math.ceil(Math.log2(Math.max(mostRows, 8) * 2)));
  }

  /** False where an equal one is in it. */
  add(chunk: DialogueChunk, row: number, nodeIds: Int32Array): boolean {
    const at = this.count * WORDS;
    writeRow(this.words, at, chunk, row, nodeIds);
    const slot = this.slotOf(this.words, at);
    if (this.slots[slot] !== 0) return false;
    this.rows[this.count++] = row;
    this.slots[slot] = this.count;
    return true;
  }

  /** Tells of each identity of the block that is in the set: its row, and whether it was stored or taken back. */
  compare(block: Int32Array, tell: (row: number, stored: boolean) => void): void {
    for (let at = 0; at < block.length; at += WORDS) {
      const found = this.slots[this.slotOf(block, at)]!;
      if (found !== 0) tell(this.rows[found - 1]!, (block[at + CODES_WORD]! & TAKEN_BACK) === 0);
    }
  }

  /** The packed identities of these rows, which are in the set in this order. */
  pack(rows: readonly number[], entryOf: Int32Array): Int32Array {
    const packed = new Int32Array(rows.length * WORDS);
    let at = 0;
    for (const row of rows) {
      const from = entryOf[row]! * WORDS;
      for (let word = 0; word < WORDS; word++) packed[at + word] = this.words[from + word]!;
      at += WORDS;
    }
    return packed;
  }

  /** Row → its entry, for `pack`. */
  entries(rowCount: number): Int32Array {
    const entryOf = new Int32Array(rowCount);
    for (let entry = 0; entry < this.count; entry++) entryOf[this.rows[entry]!] = entry;
    return entryOf;
  }

  /** The slot of an equal identity, or the free one where it would stand. */
  private slotOf(block: Int32Array, at: number): number {
    const codes = block[at + CODES_WORD]! & ~TAKEN_BACK;
    let hash = this.seed;
    hash = mixed(hash, block[at]!);
    hash = mixed(hash, block[at + 1]!);
    hash = mixed(hash, block[at + 2]!);
    hash = mixed(hash, codes);
    for (let word = 4; word < WORDS; word++) hash = mixed(hash, block[at + word]!);
    hash ^= hash >>> 16;
    hash = Math.imul(hash, 0x85ebca6b);
    hash ^= hash >>> 13;
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (let found = this.slots[slot]!; found !== 0; found = this.slots[(slot = (slot + 1) & mask)]!) {
      if (this.equals((found - 1) * WORDS, block, at, codes)) break;
    }
    return slot;
  }

  private equals(own: number, block: Int32Array, at: number, codes: number): boolean {
    const { words } = this;
    return (
      words[own + 1] === block[at + 1] &&
      words[own + 2] === block[at + 2] &&
      words[own + 3] === codes &&
      words[own + 4] === block[at + 4] &&
      words[own + 5] === block[at + 5] &&
      words[own + 6] === block[at + 6] &&
      words[own + 7] === block[at + 7] &&
      words[own] === block[at]
    );
  }
}

/** A round of MurmurHash3. */
function mixed(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const turned = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) | 0;
}
