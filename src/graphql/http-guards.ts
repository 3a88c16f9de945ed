/** What stands before GraphQL over HTTP: origins, who calls and how often, a bounded body in bounded time, errors as JSON. */
import type { IncomingMessage } from 'node:http';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { errorMessage, SimwardenError } from '../errors';
import type { Log } from '../runtime';
import type { Caller } from './caller';
import type { CredentialRate } from './credential-rate';

export const MOST_BODY_BYTES = 256 * 1024;
const BODY_DEADLINE_MILLISECONDS = 5_000;

/** Finds out who calls; null where no credential was given or it isn't valid. */
export type Authenticate = (request: {
  readonly authorization: string | undefined;
  readonly origin: string | undefined;
  /** The request over HTTP, whose door may say who calls; absent for a socket. */
  readonly incoming?: IncomingMessage;
}) => Promise<Caller | null>;

/** What the guards learnt of a request. */
interface GuardedLocals {
  caller?: Caller | null;
}

export function identify(authenticate: Authenticate, rate: CredentialRate): RequestHandler {
  return async (request, response, next) => {
    const caller = await authenticate({ authorization: request.headers.authorization, origin: request.headers.origin, incoming: request });
    (response.locals as GuardedLocals).caller = caller;
    await rate.spend(caller?.credentialId ?? `address ${request.ip}`);
    next();
  };
}

/** Slow bodies hold memory and a socket: answers 408 and closes; where it was answered already, the rest of the body isn't waited for. */
export function bodyDeadline(milliseconds = BODY_DEADLINE_MILLISECONDS): RequestHandler {
  return (request, response, next) => {
    const timer = setTimeout(() => {
      if (response.headersSent) return void request.destroy();
      response.once('finish', () => request.destroy());
      response.setHeader('connection', 'close');
      sendError(response, new SimwardenError('BODY_TIMEOUT'));
    }, milliseconds);
    const stop = (): void => clearTimeout(timer);
    request.once('end', stop);
    request.once('close', stop);
    next();
  };
}

/** GraphQL takes JSON only; anything else says so instead of an unparsed body. */
export const jsonOnly: RequestHandler = (request, _response, next) => {
  if (request.method === 'POST' && !request.is('application/json')) {
    throw new SimwardenError('UNSUPPORTED_MEDIA_TYPE', {
      given: request.headers['content-type'] ?? '(none)',
      expected: 'application/json',
    });
  }
  if (Array.isArray(request.body))
    throw new SimwardenError('BAD_REQUEST', { what: 'A list of operations was sent; send one operation per request.' });
  next();
};

export function jsonErrors(log: Log, requestId: () => string): ErrorRequestHandler {
  return (error, _request, response, _next) => {
    const known = knownError(error);
    const id = requestId();
    if (!known) log.logger.error({ err: error as unknown, requestId: id }, 'a request failed');
    // It was answered, or the client hung up: nobody is left to tell.
    if (response.headersSent || response.destroyed) return void response.destroy();
    sendError(response, known ?? new SimwardenError('INTERNAL_SERVER_ERROR', { requestId: id }));
  };
}

function knownError(error: unknown): SimwardenError | null {
  if (error instanceof SimwardenError) return error;
  const { type, status, message } = error as { type?: string; status?: number; message?: string };
  if (type === 'entity.too.large') return new SimwardenError('BODY_TOO_LARGE', { most: MOST_BODY_BYTES });
  if (type === 'charset.unsupported' || type === 'encoding.unsupported') {
    return new SimwardenError('UNSUPPORTED_MEDIA_TYPE', { given: message ?? '', expected: 'UTF-8 without content-encoding, or gzip' });
  }
  if (type === 'entity.parse.failed') return new SimwardenError('BAD_REQUEST', { what: 'The body is not valid JSON.' });
  if (status !== undefined && status >= 400 && status < 500)
    return new SimwardenError('BAD_REQUEST', { what: `The request can't be read: ${message}.` });
  return null;
}

/** An error as GraphQL clients read it. */
function sendError(response: Response, error: SimwardenError): void {
  if (response.headersSent) return;
  if (error.code === 'RATE_LIMITED') response.setHeader('retry-after', String(error.details['seconds']));
  if (error.code === 'UNAUTHENTICATED') response.setHeader('www-authenticate', 'Bearer');
  response.status(error.status).json({ errors: [{ message: errorMessage(error.code, error.details), extensions: { code: error.code } }] });
}

/** Whether a web origin may call: those of the configuration, and whom `more` knows (origins of live embed tokens). */
export function originCheck(listed: readonly string[], more: (origin: string) => Promise<boolean>) {
  return (origin: string | undefined, answer: (error: Error | null, allowed?: boolean) => void): void => {
    if (origin === undefined || listed.includes(origin)) return answer(null, true);
    more(origin).then((allowed) => answer(null, allowed), answer);
  };
}

export function callerOf(_request: Request, response: Response): Caller | null {
  return (response.locals as GuardedLocals).caller ?? null;
}
