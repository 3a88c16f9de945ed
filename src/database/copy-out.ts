/** `COPY … TO STDOUT`, row by row out of the connection's own buffers: neither a stream nor an object nor a copy for each of millions of rows. */
import type { Connection, Submittable } from 'pg';

/** A row's bytes stand in `bytes` from `from` to before `to`, and only until the call returns. */
export type TakeRow = (bytes: Buffer, from: number, to: number) => void;

/** Kinds of messages: https://www.postgresql.org/docs/15/protocol-message-formats.html */
const COPY_OUT_RESPONSE = 0x48;
const COPY_DATA = 0x64;
const COPY_DONE = 0x63;
const ERROR_RESPONSE = 0x45;
/** Its kind, and its length without the kind. */
const MESSAGE_HEADER_BYTES = 5;

type Listener = (bytes: Buffer) => void;

export class CopyOut implements Submittable {
  /** The server is ready for the next statement. */
  readonly done: Promise<void>;
  private resolve!: () => void;
  private reject!: (error: Error) => void;
  private failure: Error | null = null;
  /** The beginning of a message whose end is still to come. */
  private rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly sql: string,
    private readonly take: TakeRow,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** The driver's turn to send it. What the server answers is read here until the rows end, then by the driver again. */
  submit(connection: Connection): void {
    const { stream } = connection;
    const [driver, ...others] = stream.listeners('data') as Listener[];
    if (!driver || others.length > 0) throw new Error(`expected one reader of the connection, got ${1 + others.length}`);
    stream.removeListener('data', driver);
    const listener: Listener = (bytes) => {
      const handed = this.read(bytes, driver);
      if (handed === null) return;
      stream.removeListener('data', listener);
      stream.on('data', driver);
      driver(handed);
    };
    stream.on('data', listener);
    connection.query(this.sql);
  }

  handleError(error: Error): void {
    this.reject(this.failure ?? error);
  }

  handleReadyForQuery(): void {
    if (this.failure) this.reject(this.failure);
    else this.resolve();
  }

  // The driver calls it with what it reads after the rows.
  handleCommandComplete(): void {}

  /** Answers what the driver must read, once the rows have ended or failed. */
  private read(chunk: Buffer, driver: Listener): Buffer | null {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    while (bytes.length - at >= MESSAGE_HEADER_BYTES) {
      const kind = bytes[at];
      const end = at + 1 + bytes.readUInt32BE(at + 1);
      if (kind === ERROR_RESPONSE) return bytes.subarray(at);
      if (end > bytes.length) break;
      if (kind === COPY_DATA) this.takeRow(bytes, at + MESSAGE_HEADER_BYTES, end);
      else if (kind === COPY_DONE) return bytes.subarray(end);
      else if (kind !== COPY_OUT_RESPONSE) driver(bytes.subarray(at, end)); // notices and the like
      at = end;
    }
    this.rest = bytes.subarray(at);
    return null;
  }

  /** After a failure of ours the server still sends the rest, which must be read before the connection is good for anything else. */
  private takeRow(bytes: Buffer, from: number, to: number): void {
    if (this.failure) return;
    try {
      this.take(bytes, from, to);
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    }
  }
}
