/** A bare graphql-transport-ws peer: says exactly what a test tells it to, and keeps all that it hears. */
import { once } from 'node:events';
import { WebSocket } from 'ws';

interface HeardError {
  readonly message: string;
  readonly extensions: { readonly code: string };
}

export interface Heard {
  readonly type: string;
  readonly id?: string;
  /** Of `next`: a result; of `error`: a list of errors; of `connection_ack`: `{ cursor }`. */
  readonly payload?: {
    readonly data?: Record<string, unknown>;
    readonly errors?: readonly HeardError[];
    readonly extensions?: { readonly cursor?: string; readonly cost?: number };
    readonly cursor?: string;
  };
}

/** The code of an `error` message's first error. */
export function codeIn(message: Heard): string | undefined {
  return (message.payload as unknown as readonly HeardError[])[0]?.extensions.code;
}

export class SocketPeer {
  readonly heard: Heard[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  private static readonly all = new Set<SocketPeer>();
  private arrived: (() => void)[] = [];
  private read = 0;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => {
      this.heard.push(JSON.parse((data as Buffer).toString('utf8')) as Heard);
      for (const wake of this.arrived.splice(0)) wake();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) =>
      socket.on('close', (code, reason) => {
        resolve({ code, reason: String(reason) });
        for (const wake of this.arrived.splice(0)) wake();
      }),
    );
  }

  static async open(url: string, protocols: string[] = ['graphql-transport-ws']): Promise<SocketPeer> {
    const peer = new SocketPeer(new WebSocket(url, protocols));
    SocketPeer.all.add(peer);
    await once(peer.socket, 'open');
    return peer;
  }

  static async closeAll(): Promise<void> {
    for (const peer of SocketPeer.all) peer.socket.terminate();
    await Promise.all([...SocketPeer.all].map((peer) => peer.closed));
    SocketPeer.all.clear();
  }

  /** Opened and acknowledged. */
  static async greeted(url: string, key: string): Promise<SocketPeer> {
    const peer = await SocketPeer.open(url);
    peer.say({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
    await peer.next('connection_ack');
    return peer;
  }

  say(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  subscribe(id: string, query: string, variables?: unknown): void {
    this.say({ id, type: 'subscribe', payload: { query, variables } });
  }

  /** The next message that was not read yet; must be of this type. */
  async next(type?: string): Promise<Heard> {
    while (this.heard.length <= this.read) {
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`the socket closed instead of saying ${type}`);
      await new Promise<void>((resolve) => this.arrived.push(resolve));
    }
    const message = this.heard[this.read++]!;
    if (type && message.type !== type) throw new Error(`expected ${type}, heard ${JSON.stringify(message)}`);
    return message;
  }
}
