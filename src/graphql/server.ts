/** The GraphQL server of a process: HTTP, WebSocket and GraphiQL over one schema, one gate and one rate. */
import type { Server } from 'node:http';
import { Router } from 'express';
import type { GraphQLSchema } from 'graphql';
import { CredentialRate } from './credential-rate';
import type { EventTail } from './event-tail';
import { createGraphiql } from './graphiql';
import { createGraphqlHttp, type GraphqlHttpParts } from './http';
import { LiveHub } from './live-hub';
import { OperationGate, type Authorize } from './operation-gate';
import { GraphqlSocketServer, type GraphqlSocketParts } from './socket-server';

export interface GraphqlServerParts
  extends
    Omit<GraphqlHttpParts, 'gate' | 'rate' | 'schema'>,
    Pick<GraphqlSocketParts, 'onRevoked' | 'initMilliseconds' | 'socketsPerCredential'> {
  readonly schema: GraphQLSchema;
  readonly authorize: Authorize;
  /** Started and stopped by the caller. */
  readonly tail: EventTail;
  /** Requests per minute and credential. */
  readonly requestsPerMinute: number;
  /** GraphiQL at `/`. */
  readonly graphiql: boolean;
  /** Milliseconds that one execution for a live event may take; default 10,000. */
  readonly executionDeadlineMilliseconds?: number;
}

export interface GraphqlServer {
  /** Mount at the root of the express application. */
  readonly router: Router;
  readonly hub: LiveHub;
  /** Serves WebSockets on this server; call once. */
  attach(server: Server): GraphqlSocketServer;
  /** Closes sockets, then refuses new operations and waits for those that run. */
  stop(): Promise<void>;
}

export async function createGraphqlServer(parts: GraphqlServerParts): Promise<GraphqlServer> {
  const gate = new OperationGate(parts.schema, parts.authorize);
  const rate = new CredentialRate(parts.requestsPerMinute);
  const hub = new LiveHub(parts.schema, parts.services, parts.tail, parts.executionDeadlineMilliseconds);
  const http = await createGraphqlHttp({ ...parts, gate, rate });
  const router = Router();
  router.use(http.router);
  if (parts.graphiql) router.use(createGraphiql());
  let sockets: GraphqlSocketServer | null = null;
  return {
    router,
    hub,
    attach(server) {
      sockets = new GraphqlSocketServer(server, { ...parts, gate, rate, hub });
      return sockets;
    },
    async stop() {
      await sockets?.stop();
      hub.stop();
      await http.stop();
    },
  };
}
