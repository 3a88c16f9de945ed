/** One message between the host and a fenced detector: JSON for words, raw bytes for numbers, so that reading it costs no more than its length. */

/** A column or a list of scores; NaN and infinities travel as they are, which JSON alone would turn into null. */
export type Numbers = Float64Array | Int32Array | Uint8Array;

export interface Frame {
  readonly words: unknown;
  readonly numbers: readonly Numbers[];
}

const kinds = { f64: Float64Array, i32: Int32Array, u8: Uint8Array } as const;
type Kind = keyof typeof kinds;

/** Two little-endian 32-bit lengths: of what follows, and of the JSON in it. */
const HEADER_BYTES = 8;

interface Head {
  readonly words: unknown;
  readonly numbers: readonly (readonly [Kind, number])[];
}

/** The parts to write, in order; views on the numbers, not copies. */
export function encodeFrame({ words, numbers }: Frame): Uint8Array[] {
  const head: Head = { words, numbers: numbers.map((each) => [kindOf(each), each.length]) };
  const json = Buffer.from(JSON.stringify(head));
  const header = Buffer.alloc(HEADER_BYTES);
  const parts: Uint8Array[] = [header, json, padding(json.length)];
  for (const each of numbers) {
    const bytes = new Uint8Array(each.buffer, each.byteOffset, each.byteLength);
    parts.push(bytes, padding(bytes.length));
  }
  header.writeUInt32LE(parts.reduce((sum, part) => sum + part.length, 0) - HEADER_BYTES, 0);
  header.writeUInt32LE(json.length, 4);
  return parts;
}

/** Puts one frame together from what a pipe delivers; throws on the first byte that can't belong to one of at most `mostBytes`. */
export class FrameReader {
  private readonly header = Buffer.alloc(HEADER_BYTES);
  private body: Uint8Array | null = null;
  private received = 0;

  constructor(private readonly mostBytes: number) {}

  /** The frame, once it is whole. Nothing may follow it: one question has one answer. */
  push(chunk: Uint8Array): Frame | null {
    let rest = chunk;
    if (this.body === null) {
      const taken = rest.subarray(0, HEADER_BYTES - this.received);
      this.header.set(taken, this.received);
      this.received += taken.length;
      rest = rest.subarray(taken.length);
      if (this.received < HEADER_BYTES) return null;
      const length = this.header.readUInt32LE(0);
      if (length > this.mostBytes) throw new Error(`an answer of ${length} bytes, more than the ${this.mostBytes} that it may have`);
      this.body = new Uint8Array(length);
      this.received = 0;
    }
    if (this.received + rest.length > this.body.length) throw new Error('more than one answer to one question');
    this.body.set(rest, this.received);
    this.received += rest.length;
    return this.received === this.body.length ? decode(this.body, this.header.readUInt32LE(4)) : null;
  }
}

function decode(body: Uint8Array, jsonLength: number): Frame {
  const head = JSON.parse(Buffer.from(body.buffer, 0, Math.min(jsonLength, body.length)).toString()) as Partial<Head> | null;
  const numbers: Numbers[] = [];
  let at = padded(jsonLength);
  for (const [kind, length] of head?.numbers ?? []) {
    if (!Object.hasOwn(kinds, kind) || !Number.isSafeInteger(length) || length < 0) throw new Error('an answer that is no frame');
    const bytes = length * kinds[kind].BYTES_PER_ELEMENT;
    if (at + bytes > body.length) throw new Error('an answer that ends early');
    numbers.push(new kinds[kind](body.buffer as ArrayBuffer, at, length));
    at = padded(at + bytes);
  }
  return { words: head?.words, numbers };
}

function kindOf(numbers: Numbers): Kind {
  return numbers instanceof Float64Array ? 'f64' : numbers instanceof Int32Array ? 'i32' : 'u8';
}

/** Typed arrays begin at multiples of eight bytes. */
function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

function padding(length: number): Uint8Array {
  return new Uint8Array(padded(length) - length);
}
