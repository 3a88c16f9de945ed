/** GraphQL over WebSocket at `/graphql`, on the same HTTP server. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GraphQLSchema } from 'graphql';
import { WebSocketServer, type WebSocket } from 'ws';
import type { CredentialRate } from './credential-rate';
import { MOST_BODY_BYTES, type Authenticate } from './http-guards';
import { Holdings } from './holdings';
import type { LiveHub } from './live-hub';
import type { OperationServices } from './operation-context';
import type { OperationGate } from './operation-gate';
import { GraphqlSocket } from './socket';
import { SUBPROTOCOL, closeCodes } from './socket-messages';

const HEARTBEAT_MILLISECONDS = 30_000;
const STOP_MILLISECONDS = 2_000;

export interface GraphqlSocketParts {
  readonly schema: GraphQLSchema;
  readonly gate: OperationGate;
  readonly services: OperationServices;
  readonly authenticate: Authenticate;
  readonly rate: CredentialRate;
  readonly hub: LiveHub;
  /** Calls back with the id of each credential that is revoked, by any process; answers the function that ends it. */
  readonly onRevoked?: (listener: (credentialId: string) => void) => () => void;
  /** Milliseconds a client may take to initialise; default 3,000. */
  readonly initMilliseconds?: number;
  /** Sockets that a credential may hold; default 1,000. */
  readonly socketsPerCredential?: number;
}

const SOCKETS_PER_CREDENTIAL = 1_000;

export class GraphqlSocketServer {
  private readonly webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MOST_BODY_BYTES,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  private readonly sockets = new Set<GraphqlSocket>();
  private readonly held: Holdings;
  private readonly alive = new WeakSet<WebSocket>();
  private readonly heartbeat: NodeJS.Timeout;
  private readonly stopListening: () => void;
  private readonly upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => this.upgraded(request, stream, head);

  constructor(
    private readonly server: Server,
    private readonly parts: GraphqlSocketParts,
  ) {
    this.held = new Holdings(parts.socketsPerCredential ?? SOCKETS_PER_CREDENTIAL);
    server.on('upgrade', this.upgrade);
    this.stopListening = parts.onRevoked?.((credentialId) => this.revoke(credentialId)) ?? (() => undefined);
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MILLISECONDS).unref();
  }

  /** Sockets that are served, those being closed apart; for metrics. */
  get openSocketCount(): number {
    return [...this.webSockets.clients].filter((socket) => socket.readyState === socket.OPEN).length;
  }

  /** Closes every socket with 1012, so that clients come back elsewhere or later. */
  async stop(): Promise<void> {
    this.server.off('upgrade', this.upgrade);
    this.stopListening();
    clearInterval(this.heartbeat);
    const gone = [...this.webSockets.clients].map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.once('close', () => resolve());
          setTimeout(() => socket.terminate(), STOP_MILLISECONDS).unref();
        }),
    );
    for (const socket of this.sockets) socket.close('RESTART');
    await Promise.all(gone);
    this.webSockets.close();
  }

  private upgraded(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== '/graphql') return turnAway(stream);
    this.webSockets.handleUpgrade(request, stream, head, (webSocket) => this.opened(webSocket, request));
  }

  private opened(webSocket: WebSocket, request: IncomingMessage): void {
    if (webSocket.protocol !== SUBPROTOCOL) {
      const { code, reason } = closeCodes.SUBPROTOCOL_NOT_ACCEPTABLE;
      webSocket.on('error', () => webSocket.terminate());
      webSocket.close(code, reason);
      return;
    }
    const socket = new GraphqlSocket(webSocket, request.headers.origin, this.parts, this.held);
    this.sockets.add(socket);
    this.alive.add(webSocket);
    webSocket.on('pong', () => this.alive.add(webSocket));
    webSocket.on('close', () => this.sockets.delete(socket));
  }

  private revoke(credentialId: string): void {
    for (const socket of this.sockets)
      if (socket.caller?.credentialId === credentialId) socket.close('FORBIDDEN', 'The credential was revoked');
  }

  /** Ends connections whose client is gone or no longer reads. */
  private beat(): void {
    for (const webSocket of this.webSockets.clients) {
      if (!this.alive.delete(webSocket)) webSocket.terminate();
      else webSocket.ping();
    }
  }
}

/** An upgraded stream has no listener of the HTTP server's any more: without one here, a client that hangs up would end the process. */
function turnAway(stream: Duplex): void {
  stream.on('error', () => stream.destroy());
  stream.once('finish', () => stream.destroy());
  stream.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}
