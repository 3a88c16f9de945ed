/** Dialogues per quarter of an hour and per day: counted over a chunk in typed arrays first, then added to what is stored, in key order. */
import type { Transaction } from '../../database/database';
import { plainArray } from '../array-literal';
import { dayText } from './dialogue-copy';
import { Fate, UNKNOWN, type DialogueChunk } from './dialogue-chunk';

const QUARTER_MILLISECONDS = 900_000;
const QUARTERS_PER_DAY = 96;
const LEAST_SLOTS = 1 << 10;
/** Stands for an unknown network in a key. */
const NO_PLMN = 0;

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

  /** The rows of the chunk that are stored; `sign` −1 takes one away that was counted. */
  static of(chunk: DialogueChunk, sign: 1 | -1 = 1): SignalingCounts {
    const counts = new SignalingCounts();
    for (let row = 0; row < chunk.rowCount; row++) if (chunk.fate[row] === Fate.STORED) counts.add(chunk, row, sign);
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
    await this.writeQuarters(tx);
    await this.writeDays(tx, now);
  }

  private add(chunk: DialogueChunk, row: number, sign: number): void {
    const clientId = chunk.clientId[row]!;
    const startedAt = chunk.startedAt[row]!;
    const plmn = chunk.plmn[row] === UNKNOWN ? NO_PLMN : chunk.plmn[row]!;
    // 3 + 2 + 2 + 1 bits
    const codes =
      (((chunk.procedure[row]! - 1) << 5) | ((chunk.origin[row]! - 1) << 3) | ((chunk.outcome[row]! - 1) << 1)) + chunk.protocol[row]! - 1;
    const quarter = (Math.floor(startedAt / QUARTER_MILLISECONDS) << 8) | codes;
    const entry = this.entryOf(clientId, quarter, plmn);
    this.dialogues[entry]! += sign;
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

  private async writeQuarters(tx: Transaction): Promise<void> {
    const { clientIds, quarters, plmns, dialogues } = this;
    const order = Array.from({ length: this.count }, (_, entry) => entry).sort(
      (a, b) =>
        clientIds[a]! - clientIds[b]! || (quarters[a]! >> 8) - (quarters[b]! >> 8) || plmns[a]! - plmns[b]! || quarters[a]! - quarters[b]!,
    );
    const column = (of: (entry: number) => string | number): string => plainArray(order.map(of));
    await tx.query(
      `INSERT INTO signaling_quarter_hour AS kept (client_id, quarter, plmn, procedure, origin, outcome, protocol, dialogues)
       SELECT client_id, to_timestamp(quarter * 900.0), plmn, procedure, origin, outcome, protocol, dialogues
         FROM unnest($1::int4[], $2::int4[], $3::int4[], $4::int2[], $5::int2[], $6::int2[], $7::int2[], $8::int8[])
              AS given (client_id, quarter, plmn, procedure, origin, outcome, protocol, dialogues)
       ON CONFLICT (client_id, quarter, plmn, procedure, origin, outcome, protocol) DO UPDATE SET dialogues = kept.dialogues + EXCLUDED.dialogues
       RETURNING 1 AS written`,
      [
        column((entry) => clientIds[entry]!),
        column((entry) => quarters[entry]! >> 8),
        column((entry) => plmns[entry]!),
        column((entry) => ((quarters[entry]! >> 5) & 7) + 1),
        column((entry) => ((quarters[entry]! >> 3) & 3) + 1),
        column((entry) => ((quarters[entry]! >> 1) & 3) + 1),
        column((entry) => (quarters[entry]! & 1) + 1),
        column((entry) => dialogues[entry]!),
      ],
    );
  }

  private async writeDays(tx: Transaction, now: Date): Promise<void> {
    const days = new Map<string, { readonly clientId: number; readonly day: number; dialogues: number }>();
    for (let entry = 0; entry < this.count; entry++) {
      const clientId = this.clientIds[entry]!;
      const day = Math.floor((this.quarters[entry]! >> 8) / QUARTERS_PER_DAY);
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
