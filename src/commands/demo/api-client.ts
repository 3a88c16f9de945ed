/** The demo's only way to the server: the public endpoints, as a customer's program would use them. */
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';

export class ApiClient {
  private socket: Client | null = null;

  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  async graphql<Data extends object>(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
    const response = await fetch(new URL('/graphql', this.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.key}` },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await response.json()) as { data?: Data; errors?: { message: string }[] };
    if (answer.errors?.length || !answer.data)
      throw new Error(answer.errors?.map((error) => error.message).join('; ') ?? `HTTP ${response.status}`);
    const payloads = Object.values(answer.data as Record<string, { userErrors?: { message: string }[] } | null>);
    for (const payload of payloads) {
      if (payload?.userErrors?.length) throw new Error(payload.userErrors.map((error) => error.message).join('; '));
    }
    return answer.data;
  }

  /** Posts a CSV; throws when a row was rejected, since the simulator sends none that should be. */
  async ingest(kind: string, csv: string, idempotencyKey: string): Promise<number> {
    const response = await fetch(new URL(`/ingest/${kind}`, this.url), {
      method: 'POST',
      headers: { 'content-type': 'text/csv', authorization: `Bearer ${this.key}`, 'idempotency-key': idempotencyKey },
      body: csv,
    });
    const answer = (await response.json()) as {
      accepted?: number;
      rejected?: number;
      errors?: { message: string }[];
      error?: { message: string };
    };
    if (!response.ok || answer.rejected) throw new Error(answer.error?.message ?? answer.errors?.[0]?.message ?? `HTTP ${response.status}`);
    return answer.accepted ?? 0;
  }

  /** Listens to a subscription until the client is closed. */
  subscribe<Data extends object>(query: string, onData: (data: Data) => void, onError: (error: unknown) => void): void {
    this.socket ??= createClient({
      url: new URL('/graphql', this.url.replace(/^http/, 'ws')).href,
      connectionParams: { authorization: `Bearer ${this.key}` },
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazy: true,
    });
    this.socket.subscribe<Data>({ query }, { next: ({ data }) => data && onData(data), error: onError, complete: () => undefined });
  }

  async close(): Promise<void> {
    await this.socket?.dispose();
  }
}
