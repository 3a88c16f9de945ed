/** The doors of a process: one HTTP server on a port, and (for commands of the same user) one on the socket of the data directory. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Express } from 'express';
import type { DirectoryLock } from './database/embedded/directory-lock';
import { SimwardenError } from './errors';
import { Role, type Caller } from './graphql/caller';

/** Whoever may open the socket in the data directory (mode 0700) may do with the data what they like: that is the operator. */
export const localOperator: Caller = {
  role: Role.OPERATOR,
  clientId: 0,
  // the same source as the operator's own key, so that a file sent by either way is the same records
  credentialId: 'operator',
  credentialKind: 'LOCAL',
  name: 'local command line',
  person: 'operator',
  expiresAt: null,
  fleetIds: null,
};

/** Time for the request line and headers; bodies have their own deadlines in middleware. */
const HEADERS_TIMEOUT_MILLISECONDS = 4_000;

export class Listener {
  readonly server: Server;
  private readonly localServer: Server;
  private readonly inHand = new Set<ServerResponse>();
  private readonly localRequests = new WeakSet<IncomingMessage>();
  private readonly localSockets = new Set<Socket>();
  private endLocally: () => void = () => undefined;

  constructor(express: Express) {
    const limits = {
      headersTimeout: HEADERS_TIMEOUT_MILLISECONDS,
      requestTimeout: 0,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384,
    };
    this.server = createServer(limits, (request, response) => {
      this.inHand.add(response);
      response.once('close', () => this.inHand.delete(response));
      express(request, response);
    });
    this.localServer = createServer(limits, (request, response) => {
      this.localRequests.add(request);
      // one command, one connection: when all are answered, none is left
      response.shouldKeepAlive = false;
      express(request, response);
    });
  }

  /** The caller that a request is by its door alone; null for the public one. */
  callerByDoor(request: IncomingMessage): Caller | null {
    return this.localRequests.has(request) ? localOperator : null;
  }

  /** Listens; answers the URL. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => {
        const taken = error.code === 'EADDRINUSE';
        reject(
          taken
            ? new SimwardenError('CONFIGURATION_INVALID', {
                key: 'PORT',
                given: port,
                expected: `a free port; another process listens on ${host}:${port}`,
              })
            : error,
        );
      });
      this.server.listen(port, host, () => {
        this.server.removeAllListeners('error');
        resolve();
      });
    });
    const address = this.server.address() as AddressInfo;
    return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
  }

  /** Serves commands that found this process by its data directory. */
  serveLocally(lock: DirectoryLock): void {
    const serve = (socket: Socket): void => {
      this.localSockets.add(socket);
      socket.once('close', () => this.localSockets.delete(socket));
      this.localServer.emit('connection', socket);
    };
    lock.server.on('connection', serve);
    this.endLocally = () => lock.server.off('connection', serve);
  }

  /** Takes no new connection, gives those in hand a moment, then ends them; whether some had to be ended. */
  async close(graceMilliseconds: number): Promise<boolean> {
    let cut = false;
    const closed = new Promise<void>((resolve) => {
      if (this.server.listening) this.server.close(() => resolve());
      else resolve();
    });
    // an answered connection that stays open for the next request would be waited for
    for (const response of this.inHand) response.shouldKeepAlive = false;
    this.endLocally();
    const closedLocally = [...this.localSockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    this.server.closeIdleConnections();
    this.localServer.closeIdleConnections();
    const timer = setTimeout(() => {
      cut = true;
      this.server.closeAllConnections();
      this.localServer.closeAllConnections();
    }, graceMilliseconds);
    await Promise.all([closed, ...closedLocally]);
    clearTimeout(timer);
    return cut;
  }
}
