/** What answers where no room does: JSON, without a word about the inside of the process. */
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { SimwardenError } from './errors';
import type { Entropy, Log } from './runtime';

export const deadEnd: RequestHandler = (request, response) => {
  response.status(404).json({
    error: {
      code: 'NOT_FOUND',
      message: `There is nothing at ${request.path}. See /graphql, /ingest/{kind}, /healthz, /readyz, /metrics.`,
    },
  });
};

/** For requests that express itself can't read, such as a path with a broken escape, and for faults of ours. */
export function unreadable(log: Log, entropy: Entropy): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const { status = 500 } = error as { status?: number };
    const requestId = entropy.uuid();
    const shown =
      status >= 400 && status < 500
        ? new SimwardenError('BAD_REQUEST', { what: "The request can't be read. Look at its path and headers." })
        : new SimwardenError('INTERNAL_SERVER_ERROR', { requestId });
    if (shown.code === 'INTERNAL_SERVER_ERROR') log.logger.error({ err: error, requestId }, 'a request failed');
    if (response.headersSent) return void response.destroy();
    response.status(shown.status).json({ error: { code: shown.code, message: shown.message } });
  };
}
