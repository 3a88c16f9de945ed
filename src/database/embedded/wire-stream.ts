/**
 * What the pg client takes for its socket: it hands PostgreSQL's wire protocol to the embedded session and back. So both databases share one client,
 * with its pool, its queue of waiters, its parameters, types and errors, and one connection is an exclusive lease on the one session.
 */
import { Duplex } from 'node:stream';
import type { EmbeddedSession } from './session';

const PIECE_BYTES = 1 << 20;
const message = { query: 0x51, sync: 0x53, flush: 0x48, terminate: 0x58 };

/** AuthenticationOk, BackendKeyData (there is nothing to cancel with) and ReadyForQuery: the session is open already. */
const greeting = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x4b, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 1, 0x5a, 0, 0, 0, 5, 0x49]);

export class WireStream extends Duplex {
  private unread: Buffer = Buffer.alloc(0);
  private greeted = false;
  private tail: Promise<void> = Promise.resolve();

  constructor(private readonly session: EmbeddedSession) {
    super();
  }

  connect(): this {
    this.session.reset().then(
      () => this.emit('connect'),
      (error: Error) => this.destroy(error),
    );
    return this;
  }

  // A socket's settings, which have no meaning between threads.
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  override _read(): void {
    // Answers are pushed when they arrive.
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.accept(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.accept(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    void this.tail.then(() => {
      this.push(null);
      done();
    });
  }

  /** Statements go over whole: everything up to the message that asks for an answer is one exchange. */
  private accept(chunk: Buffer, done: () => void): void {
    this.unread = this.unread.length === 0 ? chunk : Buffer.concat([this.unread, chunk]);
    let position = 0;
    let sent = 0;
    for (;;) {
      const header = this.greeted ? 1 : 0;
      if (this.unread.length < position + header + 4) break;
      const end = position + header + this.unread.readUInt32BE(position + header);
      if (this.unread.length < end) break;
      const kind = this.unread[position];
      position = end;
      if (header === 0) {
        this.greeted = true;
        this.push(greeting);
        sent = end;
      } else if (kind === message.query || kind === message.sync || kind === message.flush) {
        this.exchange(this.unread.subarray(sent, end));
        sent = end;
      } else if (kind === message.terminate) {
        sent = end;
      }
    }
    this.unread = this.unread.subarray(sent);
    done();
  }

  private exchange(bytes: Uint8Array): void {
    this.tail = this.tail
      .then(() => this.session.exchange(bytes))
      .then((answer) => this.deliver(Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength)))
      .catch((error: Error) => void this.destroy(error));
  }

  /** A long answer piece by piece, as a socket would bring it: between two of them others are served. */
  private async deliver(answer: Buffer): Promise<void> {
    for (let at = 0; at < answer.length && !this.destroyed; at += PIECE_BYTES) {
      if (at > 0) await new Promise((next) => setImmediate(next));
      this.push(answer.subarray(at, at + PIECE_BYTES));
    }
  }
}
