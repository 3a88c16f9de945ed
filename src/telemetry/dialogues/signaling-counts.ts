/** Dialogues per quarter of an hour and per day, counted over a chunk in typed arrays. The quarters are appended as they are; a worker adds them up. */
import type { Transaction } from '../../database/database';
import { partitionName } from '../../database/partitions';
import { plainArray } from '../array-literal';
import { COPY_END_BYTES, COPY_SIGNATURE, FIRST_DAY } from './copy-format';
import { dayText } from './dialogue-copy';
import { Fate, type DialogueChunk } from './dialogue-chunk';
import { UNKNOWN } from './dialogue-patterns';

const QUARTER_MILLISECONDS = 900_000;
const QUARTERS_PER_DAY = 96;
const LEAST_SLOTS = 1 << 10;
/** Stands for an unknown network in a key. */
export const NO_PLMN = 0;
const PART_COLUMNS = ['client_id', 'day', 'quarter', 'plmn', 'procedure', 'origin', 'outcome', 'protocol', 'dialogues'] as const;
/** Field count, a length before each field, and the fields. */
const PART_BYTES = 2 + PART_COLUMNS.length * 4 + 4 + 4 + 8 + 4 + 4 * 2 + 4;
const PIECE_PARTS = 2048;

/** To be used again and again: its arrays keep their size. */
export class SignalingCounts {
  private count = 0;
  /** Slot → 1 + entry; 0: free. Twice as many as entries have room. */
  private slots = new Int32Array(LEAST_SLOTS);
  private clientIds = new Int32Array(LEAST_SLOTS >> 1);
  /** Quarter (since 1970) and, in its low byte, procedure, origin, outcome and protocol. */
  private quarters = new Int32Array(LEAST_SLOTS >> 1);
  private plmns = new Int32Array(LEAST_SLOTS >> 1);
  private dialogues = new Int32Array(LEAST_SLOTS >> 1);
  private latest = new Float64Array(LEAST_SLOTS >> 1);
  private readonly piece = Buffer.allocUnsafeSlow(COPY_SIGNATURE.length + PIECE_PARTS * PART_BYTES + COPY_END_BYTES);

  /** The rows of the chunk that are stored, and none from before. */
  take(chunk: DialogueChunk): void {
    this.clear();
    for (let row = 0; row < chunk.rowCount; row++) if (chunk.fate[row] === Fate.STORED) this.add(chunk, row);
  }

  /** Client → latest event. */
  latestByClient(): Map<number, number> {
    const latest = new Map<number, number>();
    for (let entry = 0; entry < this.count; entry++) {
      const clientId = this.clientIds[entry]!;
      latest.set(clientId, Math.max(latest.get(clientId) ?? 0, this.latest[entry]!));
    }
    return latest;
  }

  async write(tx: Transaction, now: Date): Promise<void> {
    if (this.count === 0) return;
    await this.appendParts(tx);
    await this.writeDays(tx, now);
  }

  private add(chunk: DialogueChunk, row: number): void {
    const clientId = chunk.clientId[row]!;
    const startedAt = chunk.startedAt[row]!;
    const pattern = chunk.pattern[row]!;
    const { procedure, origin, outcome, protocol, plmn: plmns } = chunk.patterns;
    const plmn = plmns[pattern] === UNKNOWN ? NO_PLMN : plmns[pattern]!;
    // 3 + 2 + 2 + 1 bits
    const codes =
      (((procedure[pattern]! - 1) << 5) | ((origin[pattern]! - 1) << 3) | ((outcome[pattern]! - 1) << 1)) + protocol[pattern]! - 1;
    const quarter = (Math.floor(startedAt / QUARTER_MILLISECONDS) << 8) | codes;
    const entry = this.entryOf(clientId, quarter, plmn);
    this.dialogues[entry]!++;
    if (startedAt > this.latest[entry]!) this.latest[entry] = startedAt;
  }

  private entryOf(clientId: number, quarter: number, plmn: number): number {
    const mask = this.slots.length - 1;
    let hash = Math.imul(quarter ^ Math.imul(plmn, 0x85ebca6b) ^ Math.imul(clientId, 0xc2b2ae35), 0x9e3779b1);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    for (let found = this.slots[slot]!; found !== 0; found = this.slots[(slot = (slot + 1) & mask)]!) {
      const entry = found - 1;
      if (this.quarters[entry] === quarter && this.plmns[entry] === plmn && this.clientIds[entry] === clientId) return entry;
    }
    if (this.count === this.plmns.length) {
      this.widen();
      return this.entryOf(clientId, quarter, plmn);
    }
    const entry = this.count++;
    this.slots[slot] = entry + 1;
    this.clientIds[entry] = clientId;
    this.quarters[entry] = quarter;
    this.plmns[entry] = plmn;
    return entry;
  }

  private clear(): void {
    this.count = 0;
    this.slots.fill(0);
    this.dialogues.fill(0);
    this.latest.fill(0);
  }

  private widen(): void {
    const { count, clientIds, quarters, plmns, dialogues, latest } = this;
    const most = this.plmns.length * 2;
    this.slots = new Int32Array(most * 2);
    this.clientIds = new Int32Array(most);
    this.quarters = new Int32Array(most);
    this.plmns = new Int32Array(most);
    this.dialogues = new Int32Array(most);
    this.latest = new Float64Array(most);
    this.count = 0;
    for (let old = 0; old < count; old++) {
      const entry = this.entryOf(clientIds[old]!, quarters[old]!, plmns[old]!);
      this.dialogues[entry] = dialogues[old]!;
      this.latest[entry] = latest[old]!;
    }
  }

  private async appendParts(tx: Transaction): Promise<void> {
    const days = new Set<number>();
    for (let entry = 0; entry < this.count; entry++) days.add(this.dayOf(entry));
    for (const day of days) await tx.copyBinary(partitionName('signaling_part', dayText(day)), PART_COLUMNS, this.encodeParts(day));
  }

  /** A piece is good until the next is asked for. */
  private *encodeParts(day: number): Generator<Buffer> {
    const { piece } = this;
    let at = COPY_SIGNATURE.copy(piece);
    for (let first = 0; first < this.count; first += PIECE_PARTS) {
      at = this.encodePiece(day, first, Math.min(first + PIECE_PARTS, this.count), at);
      yield piece.subarray(0, at);
      at = 0;
    }
    yield piece.subarray(0, piece.writeInt16BE(-1, at));
  }

  private encodePiece(day: number, first: number, end: number, start: number): number {
    const { piece, quarters } = this;
    const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
    let at = start;
    for (let entry = first; entry < end; entry++) {
      const quarter = quarters[entry]!;
      if (this.dayOf(entry) !== day) continue;
      const microseconds = ((quarter >> 8) - FIRST_DAY * QUARTERS_PER_DAY) * QUARTER_MILLISECONDS * 1000;
      const high = Math.floor(microseconds / 4_294_967_296);
      view.setInt16(at, PART_COLUMNS.length);
      view.setInt32(at + 2, 4);
      view.setInt32(at + 6, this.clientIds[entry]!);
      view.setInt32(at + 10, 4);
      view.setInt32(at + 14, day - FIRST_DAY);
      view.setInt32(at + 18, 8);
      view.setInt32(at + 22, high);
      view.setUint32(at + 26, microseconds - high * 4_294_967_296);
      view.setInt32(at + 30, 4);
      view.setInt32(at + 34, this.plmns[entry]!);
      view.setInt32(at + 38, 2);
      view.setInt16(at + 42, ((quarter >> 5) & 7) + 1);
      view.setInt32(at + 44, 2);
      view.setInt16(at + 48, ((quarter >> 3) & 3) + 1);
      view.setInt32(at + 50, 2);
      view.setInt16(at + 54, ((quarter >> 1) & 3) + 1);
      view.setInt32(at + 56, 2);
      view.setInt16(at + 60, (quarter & 1) + 1);
      view.setInt32(at + 62, 4);
      view.setInt32(at + 66, this.dialogues[entry]!);
      at += PART_BYTES;
    }
    return at;
  }

  private dayOf(entry: number): number {
    return Math.floor((this.quarters[entry]! >> 8) / QUARTERS_PER_DAY);
  }

  private async writeDays(tx: Transaction, now: Date): Promise<void> {
    const days = new Map<string, { readonly clientId: number; readonly day: number; dialogues: number }>();
    for (let entry = 0; entry < this.count; entry++) {
      const clientId = this.clientIds[entry]!;
      const day = this.dayOf(entry);
      const name = `${clientId} ${day}`;
      const found = days.get(name);
      if (found) found.dialogues += this.dialogues[entry]!;
      else days.set(name, { clientId, day, dialogues: this.dialogues[entry]! });
    }
    const rows = [...days.values()].sort((a, b) => a.clientId - b.clientId || a.day - b.day);
    await tx.query(
      `INSERT INTO signaling_day AS kept (client_id, day, dialogues, changes, first_received_at, last_received_at)
       SELECT client_id, day, dialogues, 1, $4::timestamptz, $4::timestamptz
         FROM unnest($1::int4[], $2::date[], $3::int8[]) AS given (client_id, day, dialogues)
       ON CONFLICT (client_id, day) DO UPDATE SET
         dialogues = kept.dialogues + EXCLUDED.dialogues, changes = kept.changes + 1,
         last_received_at = GREATEST(kept.last_received_at, EXCLUDED.last_received_at)
       RETURNING 1 AS written`,
      [
        plainArray(rows.map((row) => row.clientId)),
        plainArray(rows.map((row) => dayText(row.day))),
        plainArray(rows.map((row) => row.dialogues)),
        now,
      ],
    );
  }
}
