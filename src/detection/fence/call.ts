/** What the host asks of a fenced detector and what it gets, as frames: written by one side, read by the other. */
import type { CategoryColumn, ColumnName, ColumnsOf, Detection, DetectorInput, DetectorMeta } from '../../detector';
import type { Frame, Numbers } from './frame';
import type { Link } from './partner-package';

export interface Asked {
  readonly row: number;
  readonly kind: string;
}

/** A call of the detector but for its input and model. */
export interface CallWords {
  readonly call: 'fit' | 'detect' | 'explain';
  readonly options: unknown;
  /** Of `context.random`: a function does not travel. */
  readonly seed: number;
  readonly now: number;
  /** For `explain`. */
  readonly asked?: readonly Asked[];
}

interface WrittenCall extends CallWords {
  readonly rows: number;
  /** In the order of their numbers; `names` of a category. */
  readonly columns: readonly { readonly name: string; readonly names?: readonly string[] }[];
  readonly hasModel: boolean;
}

export interface LoadWords {
  readonly call: 'load';
  readonly entry: string;
  readonly links: readonly Link[];
}

/** What a loaded detector says of itself. */
export interface Loaded {
  readonly meta: DetectorMeta<ColumnName>;
  readonly can: readonly ('fit' | 'explain')[];
}

type Columns = [string, Float64Array | CategoryColumn][];

export function writeCall(words: CallWords, input: DetectorInput<ColumnName>, model: Uint8Array | undefined): Frame {
  const columns = Object.entries(input.columns) as Columns;
  const written: WrittenCall = {
    ...words,
    rows: input.rows,
    columns: columns.map(([name, column]) => (column instanceof Float64Array ? { name } : { name, names: column.names })),
    hasModel: model !== undefined,
  };
  const numbers: Numbers[] = [input.wasFiring, input.consecutiveWindows, input.previousState];
  numbers.push(...columns.map(([, column]) => (column instanceof Float64Array ? column : column.codes)));
  if (model !== undefined) numbers.push(model);
  return { words: written, numbers };
}

export function readCall({ words, numbers }: Frame): { words: CallWords; input: DetectorInput<ColumnName>; model?: Uint8Array } {
  const { rows, columns, hasModel, ...call } = words as WrittenCall;
  const [wasFiring, consecutiveWindows, previousState, ...values] = numbers;
  const named = columns.map(({ name, names }, index): Columns[number] => [
    name,
    names === undefined ? (values[index] as Float64Array) : { codes: values[index] as Int32Array, names },
  ]);
  const input: DetectorInput<ColumnName> = {
    rows,
    columns: Object.fromEntries(named) as unknown as ColumnsOf<ColumnName>,
    wasFiring: wasFiring as Uint8Array,
    consecutiveWindows: consecutiveWindows as Int32Array,
    previousState: previousState as Float64Array,
  };
  return { words: call, input, ...(hasModel ? { model: values.at(-1) as Uint8Array } : {}) };
}

interface DetectionWords {
  /** Of the abstentions, each once. */
  readonly reasons: readonly string[];
  readonly kinds: readonly string[];
  readonly has: readonly ('fires' | 'state')[];
}

const LONGEST_REASON = 200;

/** Throws where the detector answered something else than numbers. */
export function writeDetection(detection: Detection): Frame {
  const { scores, fires, state, abstained = [] } = detection;
  if (!(scores instanceof Float64Array)) throw new TypeError(`expected scores as a Float64Array, got ${shapeOf(scores)}`);
  if (fires !== undefined && !(fires instanceof Uint8Array)) throw new TypeError(`expected fires as a Uint8Array, got ${shapeOf(fires)}`);
  if (state !== undefined && !(state instanceof Float64Array))
    throw new TypeError(`expected state as a Float64Array, got ${shapeOf(state)}`);
  const reasons = new Map<string, number>();
  const kinds = new Map<string, number>();
  const numberOf = (known: Map<string, number>, text: unknown): number => {
    const key = String(text).slice(0, LONGEST_REASON);
    if (!known.has(key)) known.set(key, known.size);
    return known.get(key)!;
  };
  const list = [...abstained];
  const words: DetectionWords = {
    reasons: [],
    kinds: [],
    has: [...(fires ? (['fires'] as const) : []), ...(state ? (['state'] as const) : [])],
  };
  const numbers: Numbers[] = [
    scores,
    Float64Array.from(list, ({ row }) => row),
    Int32Array.from(list, ({ kind }) => (kind === undefined ? -1 : numberOf(kinds, kind))),
    Int32Array.from(list, ({ reason }) => numberOf(reasons, reason)),
  ];
  if (fires) numbers.push(fires);
  if (state) numbers.push(state);
  return { words: { ...words, reasons: [...reasons.keys()], kinds: [...kinds.keys()] }, numbers };
}

/** The detection as it was written: its shape is right, its content still to be checked. */
export function readDetection({ words, numbers }: Frame): Detection {
  const { reasons, kinds, has } = words as DetectionWords;
  const [scores, rows, kindOf, reasonOf, ...rest] = numbers;
  const fires = has.includes('fires') ? (rest.shift() as Uint8Array) : undefined;
  const state = has.includes('state') ? (rest.shift() as Float64Array) : undefined;
  const abstained = Array.from(rows!, (row, index) => {
    const kind = kinds[kindOf![index]!];
    return { row, ...(kind === undefined ? {} : { kind }), reason: reasons[reasonOf![index]!] ?? '' };
  });
  return { scores: scores as Float64Array, abstained, ...(fires ? { fires } : {}), ...(state ? { state } : {}) };
}

export function shapeOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const { length } = value as { length?: unknown };
  return `${value.constructor?.name ?? 'an object'}${typeof length === 'number' ? ` of ${length}` : ''}`;
}
