/** COPY … FROM STDIN over the PostgreSQL driver: sends without waiting to be asked, and waits only where the socket is full. */
import type { ClientBase, Connection, Submittable } from 'pg';

/** Type byte and length, which counts itself. */
const HEAD_BYTES = 5;
const COPY_DATA = 'd'.charCodeAt(0);

/** Two more of its methods than its declaration tells. */
interface CopyConnection extends Connection {
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

/** Answers the rows that were stored. A piece may be written over once the next is asked for. */
export async function copyIn(connection: ClientBase, statement: string, pieces: Iterable<Uint8Array>): Promise<number> {
  const copy = new CopyIn(statement);
  connection.query(copy);
  copy.rows.catch(() => undefined); // awaited below
  try {
    await copy.submitted;
    for (const piece of pieces) {
      if (copy.hasEnded) break;
      await copy.send(piece);
    }
  } catch (error) {
    copy.fail(error instanceof Error ? error.message : String(error)); // the pieces ended early: so must the statement
    await copy.rows.catch(() => undefined);
    throw error;
  }
  copy.finish();
  return copy.rows;
}

/** One statement in the driver's queue. After an error the database ignores what was sent for it. */
class CopyIn implements Submittable {
  readonly submitted: Promise<void>;
  readonly rows: Promise<number>;
  hasEnded = false;
  private connection: CopyConnection | null = null;
  private rowCount = 0;
  private begin!: () => void;
  private end!: (outcome: number | Promise<never>) => void;
  /** Lets a sender go on that waits for the socket. */
  private wake: (() => void) | null = null;

  constructor(private readonly statement: string) {
    this.submitted = new Promise((resolve) => (this.begin = resolve));
    this.rows = new Promise((resolve) => (this.end = resolve));
  }

  /** Resolves when the socket has taken the piece, or bytes of its own where it is a small one. */
  async send(piece: Uint8Array): Promise<void> {
    const stream = this.connection!.stream;
    const head = Buffer.alloc(HEAD_BYTES, COPY_DATA);
    head.writeInt32BE(HEAD_BYTES - 1 + piece.length, 1);
    stream.cork();
    stream.write(head);
    // The socket says that it is full, and later that it has room, of every piece that is as large as its own store.
    const taken = stream.write(piece.length < stream.writableHighWaterMark ? Uint8Array.from(piece) : piece);
    stream.uncork();
    if (taken || this.hasEnded) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      stream.once('drain', resolve);
    });
    stream.off('drain', this.wake!);
    this.wake = null;
  }

  finish(): void {
    if (!this.hasEnded) this.connection!.endCopyFrom();
  }

  fail(message: string): void {
    if (!this.hasEnded) this.connection!.sendCopyFail(message);
  }

  submit(connection: Connection): void {
    this.connection = connection as CopyConnection;
    connection.query(this.statement);
    this.begin();
  }

  handleCopyInResponse(): void {
    // It is being sent already.
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.rowCount = Number(/^COPY (\d+)$/.exec(text)?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    this.close(this.rowCount);
  }

  /** From the database, or because the connection was lost. */
  handleError(error: Error): void {
    this.close(Promise.reject(error));
  }

  private close(outcome: number | Promise<never>): void {
    this.hasEnded = true;
    this.end(outcome);
    this.begin();
    this.wake?.();
  }
}
