/** Models as bytes: named arrays behind a small JSON head, little-endian, the same bytes for the same model on every machine. */

type ArrayKind = 'f32' | 'f64' | 'i32';
type NumberArray = Float32Array | Float64Array | Int32Array;

/** What a model holds beside its arrays: plain JSON. */
export type ModelFacts = Readonly<Record<string, unknown>>;

export interface ModelContent {
  readonly facts: ModelFacts;
  readonly arrays: Readonly<Record<string, NumberArray>>;
}

const MAGIC = 0x31_4d_57_53; // "SWM1"
const HEAD_BYTES = 8;

/** `format` names the detector and the version of its layout, such as `isolation-forest/1`; `unpackModel` refuses any other. */
export function packModel(format: string, { facts, arrays }: ModelContent): Uint8Array {
  const entries = Object.entries(arrays);
  const head = new TextEncoder().encode(
    JSON.stringify({ format, facts, arrays: entries.map(([name, values]) => [name, kindOf(values), values.length]) }),
  );
  const start = padded(HEAD_BYTES + head.length);
  const bytes = new Uint8Array(entries.reduce((end, [, values]) => end + padded(values.byteLength), start));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, head.length, true);
  bytes.set(head, HEAD_BYTES);
  let at = start;
  for (const [, values] of entries) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += padded(values.byteLength);
  }
  return bytes;
}

/** Throws where the bytes are not a whole model of this format. The arrays are copies. */
export function unpackModel(format: string, bytes: Uint8Array): ModelContent {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  if (copy.length < HEAD_BYTES || view.getUint32(0, true) !== MAGIC) throw new Error(`expected a model of ${format}, got other bytes`);
  const headBytes = view.getUint32(4, true);
  if (HEAD_BYTES + headBytes > copy.length) throw new Error(`the model of ${format} is cut short`);
  const head = headOf(new TextDecoder().decode(copy.subarray(HEAD_BYTES, HEAD_BYTES + headBytes)), format);
  let at = padded(HEAD_BYTES + headBytes);
  const arrays: Record<string, NumberArray> = {};
  for (const [name, kind, length] of head.arrays) {
    const Kind = kinds[kind];
    if (Kind === undefined || !Number.isSafeInteger(length) || length < 0 || at + length * Kind.BYTES_PER_ELEMENT > copy.length)
      throw new Error(`the model of ${format} is cut short at ${name}`);
    arrays[name] = new Kind(copy.buffer, at, length);
    at += padded(length * Kind.BYTES_PER_ELEMENT);
  }
  return { facts: head.facts, arrays };
}

/**
 * `read`, with what it answered kept as long as the bytes live, which must not change: a run asks for the same model bucket after bucket. What it
 * throws is thrown again by reading again.
 */
export function readOnce<Model extends object>(read: (bytes: Uint8Array) => Model): (bytes: Uint8Array) => Model {
  const known = new WeakMap<Uint8Array, Model>();
  return (bytes) => {
    const before = known.get(bytes);
    if (before !== undefined) return before;
    const model = read(bytes);
    known.set(bytes, model);
    return model;
  };
}

interface Head {
  readonly format: string;
  readonly facts: ModelFacts;
  readonly arrays: readonly (readonly [string, ArrayKind, number])[];
}

function headOf(text: string, format: string): Head {
  let head: Partial<Head>;
  try {
    head = JSON.parse(text) as Partial<Head>;
  } catch {
    throw new Error(`expected a model of ${format}, got bytes with a broken head`);
  }
  if (head.format !== format) throw new Error(`expected a model of ${format}, got one of ${String(head.format)}`);
  if (typeof head.facts !== 'object' || !Array.isArray(head.arrays)) throw new Error(`the head of the model of ${format} is incomplete`);
  return head as Head;
}

const kinds = { f32: Float32Array, f64: Float64Array, i32: Int32Array } as const;

function kindOf(values: NumberArray): ArrayKind {
  return values instanceof Float32Array ? 'f32' : values instanceof Float64Array ? 'f64' : 'i32';
}

/** Arrays start at multiples of 8, where every kind may lie. */
function padded(length: number): number {
  return (length + 7) & ~7;
}
