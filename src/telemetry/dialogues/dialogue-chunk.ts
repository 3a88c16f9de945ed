/** A chunk of dialogues: its bytes as they came, and one typed array per column. Made for reuse, so that a body of any size needs two of them. */
import { createHash } from 'node:crypto';
import type { LedgerChunk } from '../chunk';
import { CANCELLATION_TYPES, ORIGINS, OUTCOMES, plmnCode, plmnText, PROCEDURES, PROTOCOLS } from '../dialogue-codes';
import type { RowError } from '../parsing/column';
import type { Row } from '../parsing/rows';
import type { DialogueValues } from './dialogue-kind';
import { DialoguePatterns, UNKNOWN, widened } from './dialogue-patterns';
import { LineTails } from './line-tails';
import { NameTable } from './name-table';
import { PatternCopies } from './pattern-copy';

const LINE_BREAK = Buffer.from('\n');
const LEAST_ROWS = 1024;
const FIRST_CHUNK_ROWS = 25_000;
const LEAST_BYTES = 1 << 17;
/** Bytes behind the last, so that several may be read at once wherever a line stands. */
const SPARE_BYTES = 32;

/** What becomes of a row. SETTLED: another call stored it. */
export const Fate = { STORED: 0, REJECTED: 1, DUPLICATE: 2, SETTLED: 3 } as const;

/** Why a row isn't stored, and what was given. */
export interface BadRow {
  readonly error: RowError;
  readonly given: Readonly<Record<string, string>>;
}

export class DialogueChunk implements LedgerChunk {
  number = 0;
  rowCount = 0;
  settledRows = 0;
  preamble = '';

  /** The bytes of the rows, and after them what was read ahead. */
  bytes: Buffer = Buffer.allocUnsafeSlow(LEAST_BYTES);
  byteCount = 0;
  view = new DataView(this.bytes.buffer);

  /** It is full with this many rows. The first chunks of a body are smaller, so that the database soon has something to do. */
  fullAt = 0;
  /** Rows that have room. */
  capacity = 0;
  /** First byte of each row, and the first after its line break. */
  rowStart = new Uint32Array(0);
  rowEnd = new Uint32Array(0);
  line = new Float64Array(0);
  /** `imsiKey` of each row. */
  imsi = new Float64Array(0);
  /** Epoch milliseconds. */
  startedAt = new Float64Array(0);
  durationMs = new Int32Array(0);
  /** What else it says, in `patterns`. */
  pattern = new Uint32Array(0);
  /** Set when the chunk is stored: what becomes of each row, and whose it is. */
  fate = new Uint8Array(0);
  clientId = new Int32Array(0);
  simIdHigh = new Int32Array(0);
  simIdLow = new Int32Array(0);

  readonly patterns = new DialoguePatterns();
  readonly tails: LineTails;
  readonly nodes: NameTable;
  /** Encoded when the chunk is stored. */
  readonly copies = new PatternCopies();
  private encoded: Buffer = Buffer.alloc(0);
  private hashed: { readonly rows: number; readonly digest: Buffer } | null = null;
  readonly bad = new Map<number, BadRow>();

  constructor(
    readonly mostRows: number,
    seed: number,
  ) {
    this.tails = new LineTails(seed);
    this.nodes = new NameTable(seed);
    this.grow(Math.min(LEAST_ROWS, mostRows));
  }

  begin(number: number, preamble: string): void {
    this.number = number;
    this.fullAt = Math.min(FIRST_CHUNK_ROWS * 2 ** number, this.mostRows);
    this.preamble = preamble;
    this.rowCount = 0;
    this.settledRows = 0;
    this.byteCount = 0;
    this.hashed = null;
    this.patterns.clear();
    this.tails.clear();
    this.nodes.clear();
    this.bad.clear();
  }

  /** Makes room for one more row. */
  reserveRow(): void {
    if (this.rowCount === this.capacity) this.grow(this.capacity * 2);
  }

  append(piece: Uint8Array): void {
    const needed = this.byteCount + piece.length;
    if (needed + SPARE_BYTES > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed + SPARE_BYTES, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.byteCount));
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    this.bytes.set(piece, this.byteCount);
    this.byteCount = needed;
  }

  /** Room for rows in COPY format, kept for the chunk's next use. */
  reserveEncoded(bytes: number): Buffer {
    if (this.encoded.length < bytes) this.encoded = Buffer.allocUnsafeSlow(bytes);
    return this.encoded;
  }

  /** A row that was read outside of the fast path, whose bytes are in the chunk already. */
  takeRow({ line, content, error, given }: Omit<Row<DialogueValues>, 'bytes'>, start: number, end: number): void {
    this.reserveRow();
    const row = this.rowCount;
    this.rowStart[row] = start;
    this.rowEnd[row] = end;
    this.line[row] = line;
    if (content) this.setValues(content);
    else this.bad.set(row, { error: error!, given });
    this.rowCount++;
  }

  /** A row with its bytes. */
  appendRow(row: Row<DialogueValues>): void {
    const start = this.byteCount;
    this.append(row.bytes);
    this.append(LINE_BREAK);
    this.takeRow(row, start, this.byteCount);
  }

  private setValues(values: DialogueValues): void {
    const row = this.rowCount;
    this.imsi[row] = imsiKey(values.imsi);
    this.startedAt[row] = values.started_at;
    this.durationMs[row] = values.duration_ms ?? UNKNOWN;
    const { patterns } = this;
    const pattern = patterns.begin();
    patterns.protocol[pattern] = PROTOCOLS.indexOf(values.protocol) + 1;
    patterns.procedure[pattern] = PROCEDURES.indexOf(values.procedure) + 1;
    patterns.origin[pattern] = ORIGINS.indexOf(values.origin) + 1;
    patterns.outcome[pattern] = OUTCOMES.indexOf(values.outcome) + 1;
    patterns.resultCode[pattern] = values.result_code ?? UNKNOWN;
    patterns.plmn[pattern] = values.visited_plmn === null ? UNKNOWN : plmnCode(values.visited_plmn);
    patterns.node[pattern] = values.node === null ? 0 : this.nodes.ordinalOf(Buffer.from(values.node));
    patterns.cancellationType[pattern] = values.cancellation_type === null ? 0 : CANCELLATION_TYPES.indexOf(values.cancellation_type) + 1;
    patterns.formatViolation[pattern] = values.format_violation === true ? 1 : 0;
    this.pattern[row] = patterns.add();
  }

  /** The dialogue as its row gave it; only where the row isn't bad. */
  values(row: number): DialogueValues {
    const { patterns } = this;
    const pattern = this.pattern[row]!;
    const plmn = patterns.plmn[pattern]!;
    const node = patterns.node[pattern]!;
    return {
      imsi: imsiText(this.imsi[row]!),
      started_at: this.startedAt[row]!,
      duration_ms: known(this.durationMs[row]!),
      protocol: PROTOCOLS[patterns.protocol[pattern]! - 1]!,
      procedure: PROCEDURES[patterns.procedure[pattern]! - 1]!,
      origin: ORIGINS[patterns.origin[pattern]! - 1]!,
      outcome: OUTCOMES[patterns.outcome[pattern]! - 1]!,
      result_code: known(patterns.resultCode[pattern]!),
      visited_plmn: plmn === UNKNOWN ? null : plmnText(plmn),
      node: node === 0 ? null : this.nodes.nameOf(node),
      cancellation_type: CANCELLATION_TYPES[patterns.cancellationType[pattern]! - 1] ?? null,
      format_violation: patterns.formatViolation[pattern] === 1,
    };
  }

  hash(rows = this.settledRows): Buffer {
    if (this.hashed?.rows !== rows) {
      const end = rows === 0 ? 0 : this.rowEnd[rows - 1]!;
      this.hashed = { rows, digest: createHash('sha256').update(`${this.preamble}\n`).update(this.bytes.subarray(0, end)).digest() };
    }
    return this.hashed.digest;
  }

  /** A row's bytes, without its line break. */
  rowContent(row: number): Buffer {
    return this.bytes.subarray(this.rowStart[row], this.rowStart[row]! + this.rowBytes(row));
  }

  rowHash(row: number, bytes: number): string | null {
    if (row >= this.rowCount || this.rowBytes(row) < bytes) return null;
    return createHash('sha256').update(this.rowContent(row).subarray(0, bytes)).digest('hex');
  }

  rowBytes(row: number): number {
    let end = this.rowEnd[row]!;
    const start = this.rowStart[row]!;
    if (end > start && this.bytes[end - 1] === 10) end--;
    if (end > start && this.bytes[end - 1] === 13) end--;
    return end - start;
  }

  private grow(rows: number): void {
    const capacity = Math.min(rows, this.mostRows);
    this.capacity = capacity;
    this.rowStart = widened(this.rowStart, new Uint32Array(capacity));
    this.rowEnd = widened(this.rowEnd, new Uint32Array(capacity));
    this.line = widened(this.line, new Float64Array(capacity));
    this.imsi = widened(this.imsi, new Float64Array(capacity));
    this.startedAt = widened(this.startedAt, new Float64Array(capacity));
    this.durationMs = widened(this.durationMs, new Int32Array(capacity));
    this.pattern = widened(this.pattern, new Uint32Array(capacity));
    this.fate = widened(this.fate, new Uint8Array(capacity));
    this.clientId = widened(this.clientId, new Int32Array(capacity));
    this.simIdHigh = widened(this.simIdHigh, new Int32Array(capacity));
    this.simIdLow = widened(this.simIdLow, new Int32Array(capacity));
  }
}

function known(value: number): number | null {
  return value === UNKNOWN ? null : value;
}

/** An IMSI as a number that keeps its leading zeros: its digits behind a 1. At most 1,999,999,999,999,999, so exact. */
export function imsiKey(digits: string): number {
  return Number(`1${digits}`);
}

export function imsiText(key: number): string {
  return String(key).slice(1);
}
