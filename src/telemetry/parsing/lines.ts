/** Cuts a stream of bytes into lines without ever holding more than one of bounded length. */
import { createHash, type Hash } from 'node:crypto';

/** Longest line that is taken for a record. */
export const MOST_LINE_BYTES = 65_536;

export interface Line {
  /** 1 for the first line of the body. */
  readonly number: number;
  /** Without its line break; of a line that is too long only the first bytes. */
  readonly bytes: Buffer;
  /** False for a last line without a line break: the body may have been cut there. */
  readonly terminated: boolean;
  /** SHA-256 of the whole line where it is too long. */
  readonly tooLong: Buffer | null;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const KEPT_OF_LONG_LINE = 256;

export class LineSplitter {
  private number = 1;
  private pieces: Buffer[] = [];
  private length = 0;
  private overlong: { readonly start: Buffer; readonly hash: Hash } | null = null;

  constructor(private readonly mostBytes = MOST_LINE_BYTES) {}

  /** The lines that end in these bytes. */
  push(bytes: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      this.keep(bytes.subarray(start, end));
      lines.push(this.take(true));
      start = end + 1;
    }
    if (start < bytes.length) this.keep(bytes.subarray(start));
    return lines;
  }

  /** The last line, where the body doesn't end with a line break. */
  end(): Line[] {
    return this.length > 0 ? [this.take(false)] : [];
  }

  private keep(piece: Buffer): void {
    this.length += piece.length;
    if (!this.overlong && this.length > this.mostBytes) {
      const held = Buffer.concat(this.pieces);
      // Copied, so that the few bytes shown don't keep whole network buffers alive.
      this.overlong = {
        start: Buffer.from(Buffer.concat([held, piece]).subarray(0, KEPT_OF_LONG_LINE)),
        hash: createHash('sha256').update(held),
      };
      this.pieces = [];
    }
    if (this.overlong) this.overlong.hash.update(piece);
    else this.pieces.push(piece);
  }

  private take(terminated: boolean): Line {
    const number = this.number++;
    const line = this.overlong
      ? { number, bytes: this.overlong.start, terminated, tooLong: this.overlong.hash.digest() }
      : {
          number,
          bytes: withoutCarriageReturn(this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces)),
          terminated,
          tooLong: null,
        };
    this.pieces = [];
    this.length = 0;
    this.overlong = null;
    return line;
  }
}

function withoutCarriageReturn(bytes: Buffer): Buffer {
  return bytes.length > 0 && bytes[bytes.length - 1] === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
}
