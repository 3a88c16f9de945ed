/** A portal that follows live changes, loses its connection, and comes back with the cursor of the last change it received. */
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { liveCursor } from '../../src/graphql/live-cursor';

/** What happened, as subscribers of alerts and of incidents see it. */
export interface Change {
  readonly cursor: string;
  readonly gap: object | null;
  readonly subjectId: string;
  readonly fromState: string | null;
  readonly toState: string | null;
  readonly sequence: number;
  readonly iccid: string | null;
  /** When the frame came, milliseconds of a clock that only rises. */
  readonly receivedAt: number;
}

const documents = {
  alertChanged: `subscription Alerts($after: String) {
    alertChanged(after: $after) { cursor gap { missedFrom } subjectId: alertId fromState toState sequence subject: alert { sim { iccid } } }
  }`,
  incidentChanged: `subscription Incidents($after: String) {
    incidentChanged(after: $after) { cursor gap { missedFrom } subjectId: incidentId fromState toState sequence subject: incident { sim { iccid } } }
  }`,
};

type Frame = Omit<Change, 'iccid' | 'receivedAt'> & { readonly subject: { readonly sim: { readonly iccid: string } | null } | null };

export class Subscriber {
  /** Everything that ever came, over all connections. */
  readonly changes: Change[] = [];
  /** What the server refused. A lost connection (1006) or a server that stops (1012) is none: for these there is the cursor. */
  readonly errors: string[] = [];
  /** Called when a connection ended that nobody here had hung up. */
  onLost: () => void = () => undefined;
  private client: Client | null = null;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly field: keyof typeof documents,
    private readonly key: string,
  ) {}

  /** Follows from the last change it received; at first from the beginning of the log. */
  connect(url: string): void {
    const client = createClient({
      url: new URL('/graphql', url.replace(/^http/, 'ws')).href,
      connectionParams: { authorization: `Bearer ${this.key}` },
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      onNonLazyError: () => undefined,
    });
    this.client = client;
    const after = this.changes.at(-1)?.cursor ?? liveCursor(0n);
    client.subscribe<Record<string, Frame>>(
      { query: documents[this.field], variables: { after } },
      {
        next: ({ data, errors }) => {
          if (client !== this.client) return;
          if (!data?.[this.field]) this.errors.push(JSON.stringify(errors));
          else this.received(data[this.field]!);
        },
        error: (error) => client === this.client && this.failed(error),
        complete: () => undefined,
      },
    );
  }

  /** Hangs up; what was sent already may be lost on the way, as with any broken connection. */
  disconnect(): void {
    const client = this.client;
    this.client = null;
    client?.terminate();
  }

  /** The first change that fits, as soon as it came. */
  async change(wanted: (change: Change) => boolean): Promise<Change> {
    for (let next = 0; ;) {
      for (; next < this.changes.length; next++) if (wanted(this.changes[next]!)) return this.changes[next]!;
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  private failed(error: unknown): void {
    const { code } = error as { code?: number };
    if (code !== 1006 && code !== 1012) this.errors.push(code === undefined ? JSON.stringify(error) : `closed with ${code}`);
    this.onLost();
  }

  private received({ subject, ...frame }: Frame): void {
    this.changes.push({ ...frame, iccid: subject?.sim?.iccid ?? null, receivedAt: performance.now() });
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const wake of waiting) wake();
  }
}
