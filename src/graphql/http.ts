/** GraphQL over HTTP: Apollo Server behind our guards; the gate decides what runs, the plug-in below how it answers. */
import { ApolloServer, HeaderMap, type ApolloServerPlugin, type BaseContext } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import { expressMiddleware } from '@as-integrations/express5';
import cors from 'cors';
import express, { Router } from 'express';
import type { GraphQLError, GraphQLSchema } from 'graphql';
import helmet from 'helmet';
import { SimwardenError } from '../errors';
import { AnonymousContext } from './anonymous-context';
import { CredentialRate } from './credential-rate';
import { DOCUMENT_LIMITS } from './document-size';
import { bodyDeadline, callerOf, identify, jsonErrors, jsonOnly, MOST_BODY_BYTES, originCheck, type Authenticate } from './http-guards';
import { OperationContext, type OperationServices } from './operation-context';
import type { OperationGate } from './operation-gate';
import { presentError, refusal } from './refusal';

type HttpContext = OperationContext | AnonymousContext;

export interface GraphqlHttpParts {
  readonly schema: GraphQLSchema;
  readonly gate: OperationGate;
  readonly services: OperationServices;
  readonly authenticate: Authenticate;
  readonly rate: CredentialRate;
  /** Web origins that may call from a browser. */
  readonly corsOrigins: readonly string[];
  /** Further origins: those of live embed tokens. */
  readonly isEmbedOrigin?: (origin: string) => Promise<boolean>;
  /** Milliseconds that a request body may take; default 5,000. */
  readonly bodyDeadlineMilliseconds?: number;
}

export interface GraphqlHttp {
  /** Serves `/graphql`. */
  readonly router: Router;
  /** Refuses new operations and waits for those that run. */
  stop(): Promise<void>;
}

export async function createGraphqlHttp(parts: GraphqlHttpParts): Promise<GraphqlHttp> {
  const { services } = parts;
  const apollo = new ApolloServer<HttpContext & BaseContext>({
    schema: parts.schema,
    plugins: [ApolloServerPluginCacheControlDisabled(), gatekeeper(parts)],
    // The gate validates: its size limits must come before graphql-js's rules, which Apollo can't arrange.
    dangerouslyDisableValidation: true,
    parseOptions: { maxTokens: DOCUMENT_LIMITS.tokens },
    persistedQueries: false,
    allowBatchedHttpRequests: false,
    csrfPrevention: true,
    introspection: true, // the gate decides by caller
    hideSchemaDetailsFromClientErrors: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => services.log.logger.warn(message),
      error: (message) => services.log.logger.error(message),
    },
  });
  await apollo.start();

  const router = Router();
  router.use(
    '/graphql',
    helmet(),
    cors({
      origin: originCheck(parts.corsOrigins, parts.isEmbedOrigin ?? (() => Promise.resolve(false))),
      methods: ['GET', 'POST'],
      allowedHeaders: ['authorization', 'content-type', 'apollo-require-preflight'],
      maxAge: 600,
    }),
    identify(parts.authenticate, parts.rate),
    bodyDeadline(parts.bodyDeadlineMilliseconds),
    express.json({ limit: MOST_BODY_BYTES, type: 'application/json' }),
    jsonOnly,
    expressMiddleware(apollo, {
      context: ({ req, res }) => {
        const caller = callerOf(req, res);
        const context = caller ? new OperationContext(services, caller, 'graphql') : new AnonymousContext(services);
        // The net for what never reaches willSendResponse: a client that hangs up.
        res.once('close', () => void context.abandon());
        return Promise.resolve(context);
      },
    }),
    jsonErrors(services.log, () => services.entropy.uuid()),
  );
  return { router, stop: () => apollo.stop() };
}

/** Codes of request errors: GraphQL over HTTP answers 200 to `application/json` callers for them. */
const REQUEST_ERRORS = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'QUERY_TOO_DEEP',
  'QUERY_TOO_LARGE',
  'QUERY_TOO_COSTLY',
]);

function gatekeeper({ gate, services }: GraphqlHttpParts): ApolloServerPlugin<HttpContext> {
  return {
    requestDidStart({ contextValue }) {
      let cost: number | null = null;
      const present = (error: GraphQLError | Error) => presentError(error, contextValue.requestId, services.log);
      return Promise.resolve({
        responseForOperation({ document, request }) {
          const caller = contextValue instanceof OperationContext ? contextValue.caller : null;
          const verdict = gate.admit(
            document,
            { operationName: request.operationName ?? null, variables: request.variables ?? null },
            caller,
          );
          const errors = verdict.errors ?? subscriptionFault(verdict.admitted.operation.operation);
          if (!errors) {
            cost = verdict.admitted?.cost ?? null;
            return Promise.resolve(null);
          }
          const first = errors[0]?.originalError;
          const status = first instanceof SimwardenError ? first.status : 400;
          return Promise.resolve({
            http: { status, headers: new HeaderMap() },
            body: { kind: 'single', singleResult: { errors: errors.map(present) } },
          });
        },
        async willSendResponse({ errors, request, response }) {
          await contextValue.end();
          if (response.body.kind !== 'single') return;
          const result = response.body.singleResult;
          if (errors) result.errors = errors.map(present);
          if (cost !== null) result.extensions = { ...result.extensions, cost };
          const code = result.errors?.[0]?.extensions?.['code'];
          if (code === 'UNAUTHENTICATED') response.http.headers.set('www-authenticate', 'Bearer');
          const accept = request.http?.headers.get('accept') ?? '';
          if (REQUEST_ERRORS.has(String(code)) && !accept.includes('application/graphql-response+json')) response.http.status = 200;
        },
      });
    },
  };
}

function subscriptionFault(operation: string): GraphQLError[] | null {
  if (operation !== 'subscription') return null;
  return [refusal('BAD_REQUEST', { what: 'Subscriptions are served over WebSocket (graphql-transport-ws) at this same path.' })];
}
