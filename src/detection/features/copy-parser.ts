/** Reads dialogues out of PostgreSQL's binary COPY format straight into packed rows: no object, string or Date per dialogue. */
import { firstWord, secondWord, UNKNOWN, type PackedDialogues } from './packed-dialogues';

/** In the order that the parser reads them. All but the duration, result code, network, node and cancellation type are NOT NULL. */
export const COPIED_COLUMNS =
  'client_id, sim_id, started_at, protocol, procedure, origin, outcome, duration_ms, result_code, plmn, node_id, cancellation_type, format_violation';

const HEADER_BYTES = 19;
/** A row without NULLs: field count, seven fixed fields, and the six that may be missing. */
const LONGEST_ROW_BYTES = 2 + 8 + 12 + 12 + 4 * 6 + 4 * 8 + 6 + 5;
/** 2000-01-01 in milliseconds since the epoch: where PostgreSQL's timestamps begin. */
const POSTGRESQL_EPOCH = 946_684_800_000;
const WORD = 4_294_967_296;

export class CopyParser {
  private rest: Buffer = Buffer.alloc(0);
  private headerRead = false;
  private ended = false;

  /** `into`: by client, all whose rows come. `startOfDay`: first millisecond of the day, since the epoch. */
  constructor(
    private readonly into: ReadonlyMap<number, PackedDialogues>,
    private readonly startOfDay: number,
  ) {}

  take(bytes: Buffer): void {
    const data = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    let at = 0;
    if (!this.headerRead) {
      if (data.length < HEADER_BYTES) {
        this.rest = data;
        return;
      }
      at = HEADER_BYTES;
      this.headerRead = true;
    }
    while (!this.ended && data.length - at >= 2) {
      if (data.readInt16BE(at) === -1) this.ended = true;
      // Near the end of the piece a row may be cut: whether it is shows only field by field.
      else if (data.length - at < LONGEST_ROW_BYTES && !isWhole(data, at)) break;
      else at = this.row(data, at + 2);
    }
    // A copy: what is left of a network buffer would keep all of it.
    this.rest = Buffer.from(data.subarray(at));
  }

  /** Throws where the server ended before its rows did. */
  end(): void {
    if (!this.ended) throw new Error('the COPY of dialogues ended in the middle; expected its trailer');
  }

  private row(data: Buffer, first: number): number {
    const into = this.into.get(data.readInt32BE(first + 4))!;
    const start = first + 8;
    const simId = data.readInt32BE(start + 4) * WORD + data.readUInt32BE(start + 8);
    const microseconds = data.readInt32BE(start + 16) * WORD + data.readUInt32BE(start + 20);
    const millisecond = Math.floor(microseconds / 1000) + POSTGRESQL_EPOCH - this.startOfDay;
    const protocol = data[start + 29]!;
    const procedure = data[start + 35]!;
    const origin = data[start + 41]!;
    const outcome = data[start + 47]!;
    let at = start + 48;
    let duration = UNKNOWN;
    if (data[at] === 0) {
      duration = data.readInt32BE(at + 4);
      at += 4;
    }
    at += 4;
    let result = UNKNOWN;
    if (data[at] === 0) {
      result = data.readInt32BE(at + 4);
      at += 4;
    }
    at += 4;
    let plmn = UNKNOWN;
    if (data[at] === 0) {
      plmn = data.readInt32BE(at + 4);
      at += 4;
    }
    at += 4;
    let node = 0;
    if (data[at] === 0) {
      node = data.readInt32BE(at + 4);
      at += 4;
    }
    at += 4;
    let cancellation = 0;
    if (data[at] === 0) {
      cancellation = data[at + 5]!;
      at += 2;
    }
    at += 4;
    into.addPacked(
      into.simOrdinal(simId),
      firstWord(millisecond, origin, outcome),
      secondWord(plmn, protocol, procedure, cancellation, data[at + 4]!),
      node,
      into.lastWord(duration, result),
    );
    return at + 5;
  }
}

/** Whether the row at `start` lies in the data to its last byte. */
function isWhole(data: Buffer, start: number): boolean {
  let at = start + 2;
  for (let field = data.readInt16BE(start); field > 0; field--) {
    if (at + 4 > data.length) return false;
    at += 4 + Math.max(0, data.readInt32BE(at));
  }
  return at <= data.length;
}
