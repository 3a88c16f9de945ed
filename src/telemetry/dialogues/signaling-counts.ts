/** Dialogues per quarter of an hour and per day, counted over a chunk in typed arrays. The quarters are appended as they are; a worker adds them up. */
import type { Transaction } from '../../database/database';
import { partitionName } from '../../database/partitions';
import { plainArray } from '../array-literal';
import { dayText } from './dialogue-copy';
import type { DialogueChunk } from './dialogue-chunk';
import { UNKNOWN } from './dialogue-patterns';
import { encodeParts, PART_COLUMNS, partCodes, type Part } from './signaling-parts';

const QUARTER_MILLISECONDS = 900_000;
const QUARTERS_PER_DAY = 96;
const LEAST_SLOTS = 1 << 10;
/** Stands for an unknown network in a key. */
export const NO_PLMN = 0;

/** To be used again and again: its arrays keep their size. */
export class SignalingCounts {
  private count = 0;
  /** Slot → 1 + entry; 0: free. Twice as many as entries have room. */
  private slots = new Int32Array(LEAST_SLOTS);
  private clientIds = new Int32Array(LEAST_SLOTS >> 1);
  /** Quarter (since 1970) and, in its low byte, procedure, origin, outcome and protocol. */
  quarters: Int32Array = new Int32Array(LEAST_SLOTS >> 1);
  plmns: Int32Array = new Int32Array(LEAST_SLOTS >> 1);
  dialogues: Int32Array = new Int32Array(LEAST_SLOTS >> 1);
  private latest = new Float64Array(LEAST_SLOTS >> 1);

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
    const parts = this.parts();
    for (const day of new Set(parts.map((part) => part.day))) {
      const own = parts.filter((part) => part.day === day);
      await tx.copyBinary(partitionName('signaling_part', dayText(day)), PART_COLUMNS, encodeParts(own, this));
    }
    if (parts.length > 0) await this.writeDays(tx, parts, now);
  }

  /** By client and day. */
  private parts(): Part[] {
    const parts = new Map<number, { readonly clientId: number; readonly day: number; readonly entries: number[] }>();
    for (let entry = 0; entry < this.count; entry++) {
      const clientId = this.clientIds[entry]!;
      const day = this.dayOf(entry);
      // Days are fewer than 2^16.
      const name = clientId * 65_536 + day;
      const found = parts.get(name);
      if (found) found.entries.push(entry);
      else parts.set(name, { clientId, day, entries: [entry] });
    }
    return [...parts.values()].sort((a, b) => a.clientId - b.clientId || a.day - b.day);
  }

  /** A row that is stored. */
  add(chunk: DialogueChunk, row: number): void {
    const clientId = chunk.clientId[row]!;
    const startedAt = chunk.startedAt[row]!;
    const pattern = chunk.pattern[row]!;
    const { procedure, origin, outcome, protocol, plmn: plmns } = chunk.patterns;
    const plmn = plmns[pattern] === UNKNOWN ? NO_PLMN : plmns[pattern]!;
    const codes = partCodes(procedure[pattern]!, origin[pattern]!, outcome[pattern]!, protocol[pattern]!);
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

  /** Nothing is counted. */
  clear(): void {
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

  private dayOf(entry: number): number {
    return Math.floor((this.quarters[entry]! >> 8) / QUARTERS_PER_DAY);
  }

  private async writeDays(tx: Transaction, parts: readonly Part[], now: Date): Promise<void> {
    await tx.query(
      `INSERT INTO signaling_day AS kept (client_id, day, dialogues, changes, first_received_at, last_received_at)
       SELECT client_id, day, dialogues, 1, $4::timestamptz, $4::timestamptz
         FROM unnest($1::int4[], $2::date[], $3::int8[]) AS given (client_id, day, dialogues)
       ON CONFLICT (client_id, day) DO UPDATE SET
         dialogues = kept.dialogues + EXCLUDED.dialogues, changes = kept.changes + 1,
         last_received_at = GREATEST(kept.last_received_at, EXCLUDED.last_received_at)
       RETURNING 1 AS written`,
      [
        plainArray(parts.map(({ clientId }) => clientId)),
        plainArray(parts.map(({ day }) => dayText(day))),
        plainArray(parts.map(({ entries }) => entries.reduce((sum, entry) => sum + this.dialogues[entry]!, 0))),
        now,
      ],
    );
  }
}
