/** What PostgreSQL's binary COPY format puts around rows: a header before the first, a field count before each, a trailer at the end. */

const HEADER_BYTES = 19;
const COUNT_BYTES = 2;
const TRAILER = -1;

export class CopyFrame {
  private entered = false;
  private ended = false;

  /** Where the fields of the row begin; −1: there is none, the rows have ended. */
  enter(bytes: Buffer, from: number): number {
    const at = this.entered ? from : from + HEADER_BYTES;
    this.entered = true;
    if (bytes.readInt16BE(at) !== TRAILER) return at + COUNT_BYTES;
    this.ended = true;
    return -1;
  }

  /** Throws where the server ended before its rows did. */
  demandEnd(): void {
    if (!this.ended) throw new Error('the COPY ended in the middle; expected its trailer');
  }
}
