/** Dialogues per quarter of an hour and per day, counted over a chunk in typed arrays. The quarters are appended as they are; a worker adds them up. */
import type { Transaction } from '../../database/database';
import { partitionName } from '../../database/partitions';
import { plainArray } from '../array-literal';
import { COPY_END_BYTES, COPY_SIGNATURE, FIRST_DAY } from './copy-format';
import { dayText } from './dialogue-copy';
import { Fate, UNKNOWN, type DialogueChunk } from './dialogue-chunk';

const QUARTER_MILLISECONDS = 900_000;
const QUARTERS_PER_DAY = 96;
const LEAST_SLOTS = 1 << 10;
/** Stands for an unknown network in a key. */
export const NO_PLMN = 0;
const PART_COLUMNS = ['client_id', 'day', 'quarter', 'plmn', 'procedure', 'origin', 'outcome', 'protocol', 'dialogues'] as const;
/** Field count, a length before each field, and the fields. */
const PART_BYTES = 2 + PART_COLUMNS.length * 4 + 4 + 4 + 8 + 4 + 4 * 2 + 4;

export class SignalingCounts {
  private count = 0;
  /** Slot → 1 + entry; 0: free. */
  private slots = new Int32Array(LEAST_SLOTS);
  private clientIds = new Int32Array(LEAST_SLOTS);
  /** Quarter (since 1970) and, in its low byte, procedure, origin, outcome and protocol. */
  private quarters = new Int32Array(LEAST_SLOTS);
  private plmns = new Int32Array(LEAST_SLOTS);
  private dialogues = new Float64Array(LEAST_SLOTS);
  private latest = new Float64Array(LEAST_SLOTS);

  /** The rows of the chunk that are stored. */
  static of(chunk: DialogueChunk): SignalingCounts {
    const counts = new SignalingCounts();
    for (let row = 0; row < chunk.rowCount; row++) if (chunk.fate[row] === Fate.STORED) counts.add(chunk, row);
    return counts;
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
    const plmn = chunk.plmn[row] === UNKNOWN ? NO_PLMN : chunk.plmn[row]!;
    // 3 + 2 + 2 + 1 bits
    const codes =
      (((chunk.procedure[row]! - 1) << 5) | ((chunk.origin[row]! - 1) << 3) | ((chunk.outcome[row]! - 1) << 1)) + chunk.protocol[row]! - 1;
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
    if ((this.count + 1) * 2 > this.slots.length) {
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

  private widen(): void {
    const { count, clientIds, quarters, plmns, dialogues, latest } = this;
    const size = this.slots.length * 2;
    this.slots = new Int32Array(size);
    this.clientIds = new Int32Array(size);
    this.quarters = new Int32Array(size);
    this.plmns = new Int32Array(size);
    this.dialogues = new Float64Array(size);
    this.latest = new Float64Array(size);
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

  private encodeParts(day: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(COPY_SIGNATURE.length + this.count * PART_BYTES + COPY_END_BYTES);
    let at = COPY_SIGNATURE.copy(bytes);
    const int2 = (value: number): void => {
      at = bytes.writeInt16BE(value, bytes.writeInt32BE(2, at));
    };
    const int4 = (value: number): void => {
      at = bytes.writeInt32BE(value, bytes.writeInt32BE(4, at));
    };
    for (let entry = 0; entry < this.count; entry++) {
      if (this.dayOf(entry) !== day) continue;
      const quarter = this.quarters[entry]!;
      at = bytes.writeInt16BE(PART_COLUMNS.length, at);
      int4(this.clientIds[entry]!);
      int4(day - FIRST_DAY);
      const microseconds = ((quarter >> 8) - FIRST_DAY * QUARTERS_PER_DAY) * QUARTER_MILLISECONDS * 1000;
      const high = Math.floor(microseconds / 4_294_967_296);
      at = bytes.writeInt32BE(high, bytes.writeInt32BE(8, at));
      at = bytes.writeUInt32BE(microseconds - high * 4_294_967_296, at);
      int4(this.plmns[entry]!);
      int2(((quarter >> 5) & 7) + 1);
      int2(((quarter >> 3) & 3) + 1);
      int2(((quarter >> 1) & 3) + 1);
      int2((quarter & 1) + 1);
      int4(this.dialogues[entry]!);
    }
    return bytes.subarray(0, bytes.writeInt16BE(-1, at));
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
