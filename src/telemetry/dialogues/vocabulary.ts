/** The few names that a column of dialogues may hold, laid out to be compared with bytes. */

/** Names one behind the other, each in a place of equal size and found by its first letter; most have theirs alone. */
export interface Vocabulary {
  /** First byte of a name → the name's code, the lowest where several begin with it; 0: none does. */
  readonly codeByByte: Uint8Array;
  /** Code → the next that begins with the same byte; 0: none. */
  readonly nextCode: Uint8Array;
  readonly lengths: Uint8Array;
  readonly letters: Uint8Array;
}

export const MOST_NAME_LETTERS = 32;

export function vocabulary(names: readonly string[]): Vocabulary {
  const codeByByte = new Uint8Array(256);
  const nextCode = new Uint8Array(names.length + 1);
  const lengths = new Uint8Array(names.length + 1);
  const letters = new Uint8Array((names.length + 1) * MOST_NAME_LETTERS);
  for (let code = names.length; code > 0; code--) {
    const name = Buffer.from(names[code - 1]!);
    nextCode[code] = codeByByte[name[0]!]!;
    codeByByte[name[0]!] = code;
    lengths[code] = name.length;
    letters.set(name, code * MOST_NAME_LETTERS);
  }
  return { codeByByte, nextCode, lengths, letters };
}
