/** A chunk of dialogues: its bytes as they came, and one typed array per column. Made for reuse, so that a body of any size needs two of them. */
import { createHash } from 'node:crypto';
import type { LedgerChunk } from '../chunk';
import { CANCELLATION_TYPES, ORIGINS, OUTCOMES, plmnCode, plmnText, PROCEDURES, PROTOCOLS } from '../dialogue-codes';
import type { RowError } from '../parsing/column';
import type { Row } from '../parsing/rows';
import type { DialogueValues } from './dialogue-kind';
import { NameTable } from './name-table';

/** Stands for "unknown" where 0 means something. */
export const UNKNOWN = -1;
const LINE_BREAK = Buffer.from('\n');
const LEAST_ROWS = 1024;
const LEAST_BYTES = 1 << 17;

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
  protocol = new Uint8Array(0);
  procedure = new Uint8Array(0);
  origin = new Uint8Array(0);
  outcome = new Uint8Array(0);
  resultCode = new Int32Array(0);
  plmn = new Int32Array(0);
  /** Ordinal in `nodes`, from 1; 0: unknown. */
  node = new Uint32Array(0);
  /** 0: none. */
  cancellationType = new Uint8Array(0);
  formatViolation = new Uint8Array(0);
  /** Set when the chunk is stored: what becomes of each row, and whose it is. */
  fate = new Uint8Array(0);
  clientId = new Int32Array(0);
  simIdHigh = new Int32Array(0);
  simIdLow = new Int32Array(0);

  readonly nodes: NameTable;
  private encoded: Buffer = Buffer.alloc(0);
  private hashed: { readonly rows: number; readonly digest: Buffer } | null = null;
  readonly bad = new Map<number, BadRow>();

  constructor(
    readonly mostRows: number,
    seed: number,
  ) {
    this.nodes = new NameTable(seed);
    this.grow(Math.min(LEAST_ROWS, mostRows));
  }

  begin(number: number, preamble: string): void {
    this.number = number;
    this.preamble = preamble;
    this.rowCount = 0;
    this.settledRows = 0;
    this.byteCount = 0;
    this.hashed = null;
    this.nodes.clear();
    this.bad.clear();
  }

  /** Makes room for one more row. */
  reserveRow(): void {
    if (this.rowCount === this.capacity) this.grow(this.capacity * 2);
  }

  append(piece: Uint8Array): void {
    const needed = this.byteCount + piece.length;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.byteCount));
      this.bytes = larger;
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
    this.protocol[row] = PROTOCOLS.indexOf(values.protocol) + 1;
    this.procedure[row] = PROCEDURES.indexOf(values.procedure) + 1;
    this.origin[row] = ORIGINS.indexOf(values.origin) + 1;
    this.outcome[row] = OUTCOMES.indexOf(values.outcome) + 1;
    this.resultCode[row] = values.result_code ?? UNKNOWN;
    this.plmn[row] = values.visited_plmn === null ? UNKNOWN : plmnCode(values.visited_plmn);
    this.node[row] = values.node === null ? 0 : this.nodes.ordinalOf(Buffer.from(values.node));
    this.cancellationType[row] = values.cancellation_type === null ? 0 : CANCELLATION_TYPES.indexOf(values.cancellation_type) + 1;
    this.formatViolation[row] = values.format_violation === true ? 1 : 0;
  }

  /** The dialogue as its row gave it; only where the row isn't bad. */
  values(row: number): DialogueValues {
    const plmn = this.plmn[row]!;
    return {
      imsi: imsiText(this.imsi[row]!),
      started_at: this.startedAt[row]!,
      duration_ms: known(this.durationMs[row]!),
      protocol: PROTOCOLS[this.protocol[row]! - 1]!,
      procedure: PROCEDURES[this.procedure[row]! - 1]!,
      origin: ORIGINS[this.origin[row]! - 1]!,
      outcome: OUTCOMES[this.outcome[row]! - 1]!,
      result_code: known(this.resultCode[row]!),
      visited_plmn: plmn === UNKNOWN ? null : plmnText(plmn),
      node: this.node[row] === 0 ? null : this.nodes.nameOf(this.node[row]!),
      cancellation_type: CANCELLATION_TYPES[this.cancellationType[row]! - 1] ?? null,
      format_violation: this.formatViolation[row] === 1,
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
    this.rowStart = grown(this.rowStart, new Uint32Array(capacity));
    this.rowEnd = grown(this.rowEnd, new Uint32Array(capacity));
    this.line = grown(this.line, new Float64Array(capacity));
    this.imsi = grown(this.imsi, new Float64Array(capacity));
    this.startedAt = grown(this.startedAt, new Float64Array(capacity));
    this.durationMs = grown(this.durationMs, new Int32Array(capacity));
    this.protocol = grown(this.protocol, new Uint8Array(capacity));
    this.procedure = grown(this.procedure, new Uint8Array(capacity));
    this.origin = grown(this.origin, new Uint8Array(capacity));
    this.outcome = grown(this.outcome, new Uint8Array(capacity));
    this.resultCode = grown(this.resultCode, new Int32Array(capacity));
    this.plmn = grown(this.plmn, new Int32Array(capacity));
    this.node = grown(this.node, new Uint32Array(capacity));
    this.cancellationType = grown(this.cancellationType, new Uint8Array(capacity));
    this.formatViolation = grown(this.formatViolation, new Uint8Array(capacity));
    this.fate = grown(this.fate, new Uint8Array(capacity));
    this.clientId = grown(this.clientId, new Int32Array(capacity));
    this.simIdHigh = grown(this.simIdHigh, new Int32Array(capacity));
    this.simIdLow = grown(this.simIdLow, new Int32Array(capacity));
  }
}

function known(value: number): number | null {
  return value === UNKNOWN ? null : value;
}

interface Settable<Values> {
  set(values: Values): void;
}
function grown<Values extends Settable<Values>>(from: Values, to: Values): Values {
  to.set(from);
  return to;
}

/** An IMSI as a number that keeps its leading zeros: its digits behind a 1. At most 1,999,999,999,999,999, so exact. */
export function imsiKey(digits: string): number {
  return Number(`1${digits}`);
}

export function imsiText(key: number): string {
  return String(key).slice(1);
}
