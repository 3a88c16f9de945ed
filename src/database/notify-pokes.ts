/** Pokes between processes: LISTEN and NOTIFY on one connection of their own, which comes back by itself after a database restart. */
import { Client, type ClientConfig, type Notification } from 'pg';
import type { Log } from '../runtime';
import type { PokeChannel } from './database';
import { LocalPokes, type Pokes } from './pokes';

const channels: readonly PokeChannel[] = ['evaluation', 'event_pending', 'event_log', 'outbox', 'access', 'backtest'];
const notifyName = 'simwarden_poke';
/** NOTIFY takes a lock that all committing notifiers share, so a burst of commits is one NOTIFY. */
const debounceMilliseconds = 10;
const longestReconnectMilliseconds = 5_000;

export class NotifyPokes implements Pokes {
  private readonly local = new LocalPokes();
  private readonly unsent = new Set<PokeChannel>();
  private client: Client | null = null;
  private sendTimer: NodeJS.Timeout | null = null;
  private reconnectTimer: NodeJS.Timeout | null = null;
  private sending: Promise<void> = Promise.resolve();
  private failures = 0;
  private closed = false;

  constructor(
    private readonly configuration: ClientConfig,
    private readonly log: Log,
  ) {}

  /** Resolves when the first connection listens. */
  async start(): Promise<void> {
    await this.connect();
  }

  on(channel: PokeChannel, listener: () => void): () => void {
    return this.local.on(channel, listener);
  }

  send(channel: PokeChannel): void {
    this.local.send(channel);
    this.unsent.add(channel);
    this.sendTimer ??= setTimeout(() => {
      this.sendTimer = null;
      this.sending = this.sending.then(() => this.sendNow());
    }, debounceMilliseconds).unref();
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.sendTimer) clearTimeout(this.sendTimer);
    if (this.reconnectTimer) clearTimeout(this.reconnectTimer);
    await this.sending;
    await this.sendNow();
    await this.local.close();
    const client = this.client;
    this.client = null;
    await client?.end();
  }

  private async sendNow(): Promise<void> {
    const client = this.client;
    if (!client || this.unsent.size === 0) return;
    const names = [...this.unsent];
    this.unsent.clear();
    try {
      await client.query(`SELECT pg_notify('${notifyName}', name) FROM unnest($1::text[]) AS name`, [names]);
    } catch (error) {
      this.log.logger.warn({ err: error }, 'pokes to other processes were not sent; they find the work by polling');
    }
  }

  private async connect(): Promise<void> {
    const client = new Client(this.configuration);
    // Without a listener an 'error' of this connection would end the process.
    client.on('error', (error) => this.log.logger.warn({ err: error }, 'the connection that listens for pokes was lost'));
    client.on('end', () => this.reconnect(client));
    client.on('notification', (message) => this.receive(client, message));
    try {
      await client.connect();
      await client.query(`LISTEN ${notifyName}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    if (this.closed) return client.end();
    this.client = client;
    this.failures = 0;
  }

  private receive(client: Client, message: Notification): void {
    const ownProcess = (client as Client & { processID?: number }).processID;
    const channel = channels.find((name) => name === message.payload);
    // Our own pokes were delivered when they were sent.
    if (channel && message.processId !== ownProcess) this.local.send(channel);
  }

  private reconnect(lost: Client | null): void {
    if (this.closed || this.client !== lost) return;
    this.client = null;
    const delay = Math.min(longestReconnectMilliseconds, 50 * 2 ** this.failures++);
    this.reconnectTimer = setTimeout(() => {
      this.connect().then(
        // What was poked meanwhile went unheard.
        () => channels.forEach((channel) => this.local.send(channel)),
        (error: unknown) => {
          this.log.logger.warn({ err: error }, "the connection that listens for pokes can't be opened again yet");
          this.reconnect(null);
        },
      );
    }, delay).unref();
  }
}
