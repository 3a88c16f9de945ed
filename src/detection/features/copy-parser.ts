/** Reads dialogues out of PostgreSQL's binary COPY format straight into packed rows: no object, string or Date per dialogue. */
import { CopyFrame } from './copy-frame';
import { firstWord, secondWord, UNKNOWN, type PackedDialogues } from './packed-dialogues';

/**
 * In the order that the parser reads them. The codes that are never NULL come in one number, three bits for each and one for the violation: each column
 * of a row costs the server as much as reading it. Duration, result code, network, node and cancellation type may be NULL.
 */
export const COPIED_COLUMNS =
  'client_id, sim_id, started_at, (((protocol * 8 + procedure) * 8 + origin) * 8 + outcome) * 2 + format_violation::int4, duration_ms, result_code, plmn, node_id, cancellation_type';

/** 2000-01-01 in milliseconds since the epoch: where PostgreSQL's timestamps begin. */
const POSTGRESQL_EPOCH = 946_684_800_000;
const WORD = 4_294_967_296;
/** From one int4 to the next where neither is NULL: a length and the value. */
const INT4 = 8;

export class CopyParser {
  private readonly frame = new CopyFrame();
  private bytes: Buffer | null = null;
  private view: DataView = new DataView(new ArrayBuffer(0));

  /** `into`: by client, all whose rows come. `startOfDay`: first millisecond of the day, since the epoch. */
  constructor(
    private readonly into: ReadonlyMap<number, PackedDialogues>,
    private readonly startOfDay: number,
  ) {}

  readonly take = (bytes: Buffer, from: number, to: number): void => {
    const first = this.frame.enter(bytes, from);
    if (first < 0) return;
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    if (this.row(this.view, first) !== to) throw new Error('expected a dialogue in every row of a COPY, got something else');
  };

  /** Throws where the server ended before its rows did. */
  end(): void {
    this.frame.demandEnd();
  }

  /** `first`: where the row's fields begin. Answers where they end. */
  private row(data: DataView, first: number): number {
    const into = this.into.get(data.getInt32(first + 4))!;
    const simId = data.getInt32(first + 12) * WORD + data.getUint32(first + 16);
    const microseconds = data.getInt32(first + 24) * WORD + data.getUint32(first + 28);
    const millisecond = Math.floor(microseconds / 1000) + POSTGRESQL_EPOCH - this.startOfDay;
    const codes = data.getInt32(first + 36);
    let at = first + 40;
    let duration = UNKNOWN;
    if (data.getInt32(at) > 0) {
      duration = data.getInt32(at + 4);
      at += INT4;
    } else at += 4;
    let result = UNKNOWN;
    if (data.getInt32(at) > 0) {
      result = data.getInt32(at + 4);
      at += INT4;
    } else at += 4;
    let plmn = UNKNOWN;
    if (data.getInt32(at) > 0) {
      plmn = data.getInt32(at + 4);
      at += INT4;
    } else at += 4;
    let node = 0;
    if (data.getInt32(at) > 0) {
      node = data.getInt32(at + 4);
      at += INT4;
    } else at += 4;
    let cancellation = 0;
    if (data.getInt32(at) > 0) {
      cancellation = data.getInt16(at + 4);
      at += 2;
    }
    into.addPacked(
      into.simOrdinal(simId),
      firstWord(millisecond, (codes >> 4) & 7, (codes >> 1) & 7),
      secondWord(plmn, codes >> 10, (codes >> 7) & 7, cancellation, codes & 1),
      node,
      into.lastWord(duration, result),
    );
    return at + 4;
  }
}
