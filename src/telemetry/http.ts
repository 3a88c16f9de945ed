/** POST /ingest/{kind}: bodies larger than memory, stored as they arrive; every answer is JSON, also where something went wrong. */
import { Router, type Request, type RequestHandler, type Response } from 'express';
import { ingestPermissions } from '../access/permissions';
import { SimwardenError } from '../errors';
import type { Caller } from '../graphql/caller';
import { Holdings } from '../graphql/holdings';
import type { Entropy, Log } from '../runtime';
import { INGEST_PACE, paced, type Pace } from './body-pace';
import type { Ingest, IngestAnswer } from './ingest';
import { INGEST_KINDS, type IngestKind } from './ingest-kind';
import type { Format } from './parsing/rows';

export interface IngestHttpParts {
  readonly ingest: Ingest;
  /** Who calls; null: nobody we know. */
  readonly authenticate: (request: Request) => Promise<Caller | null>;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly pace?: Pace;
  /** Requests of one credential that are served at once; default 16. */
  readonly ingestsPerCredential?: number;
}

const INGESTS_PER_CREDENTIAL = 16;
/** Told to a sender that has too many uploads open. */
const RETRY_AFTER_SECONDS = 5;

const FORMATS: Readonly<Record<string, Format>> = { 'text/csv': 'csv', 'application/x-ndjson': 'ndjson' };
/** How long a refused body is still read, so that its sender sees the answer before the connection closes. */
const LINGER_MILLISECONDS = 2000;

/** To be mounted at the root. */
export function ingestRouter(parts: IngestHttpParts): Router {
  const router = Router();
  const handler = ingestHandler(parts, new Holdings(parts.ingestsPerCredential ?? INGESTS_PER_CREDENTIAL));
  router.all('/ingest/:kind', handler);
  router.all('/ingest', handler);
  return router;
}

function ingestHandler(parts: IngestHttpParts, held: Holdings): RequestHandler {
  return async (request, response) => {
    try {
      const answer = await receive(parts, held, request);
      if (answer.stoppedBy === undefined) response.status(200).json(countsOf(answer));
      else refuse(parts, request, response, answer.stoppedBy, countsOf(answer));
    } catch (error) {
      refuse(parts, request, response, error, {});
    }
  };
}

async function receive(parts: IngestHttpParts, held: Holdings, request: Request): Promise<IngestAnswer> {
  if (request.method !== 'POST') throw new SimwardenError('METHOD_NOT_ALLOWED', { given: request.method, expected: 'POST' });
  const caller = await parts.authenticate(request);
  if (!caller) throw new SimwardenError('UNAUTHENTICATED');
  const kind = requireKind(request.params['kind']);
  const allowed = ingestPermissions[kind] ?? [];
  if (!allowed.includes(caller.role)) {
    throw new SimwardenError('FORBIDDEN', { role: caller.role, field: `POST /ingest/${kind}`, allowed: allowed.join(', ') });
  }
  const upload = {
    caller,
    kind,
    format: requireFormat(request.headers['content-type']),
    gzip: requireEncoding(request.headers['content-encoding']),
    source: requireName(request, 'simwarden-source'),
    batchKey: requireName(request, 'idempotency-key'),
    strict: requireStrict(request),
    body: paced(request, parts.pace ?? INGEST_PACE),
  };
  const giveBack = held.take(caller.credentialId);
  if (!giveBack) throw new SimwardenError('TOO_MANY_INGESTS', { most: held.most, seconds: RETRY_AFTER_SECONDS });
  try {
    return await parts.ingest.ingestStream(upload);
  } finally {
    giveBack();
  }
}

function requireKind(given: string | string[] | undefined): IngestKind {
  const kind = INGEST_KINDS.find((known) => known === given);
  if (!kind)
    throw new SimwardenError('BAD_REQUEST', { what: `There is nothing to ingest here. Use POST /ingest/{${INGEST_KINDS.join('|')}}.` });
  return kind;
}

function requireFormat(contentType: string | undefined): Format {
  const [type = '', ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice('charset='.length)
    .replaceAll('"', '');
  const format = Object.hasOwn(FORMATS, type) ? FORMATS[type] : undefined;
  if (!format || (charset !== undefined && charset !== 'utf-8' && charset !== 'us-ascii')) {
    throw new SimwardenError('UNSUPPORTED_MEDIA_TYPE', {
      given: contentType ?? '(none)',
      expected: 'text/csv or application/x-ndjson, in UTF-8',
    });
  }
  return format;
}

function requireEncoding(contentEncoding: string | undefined): boolean {
  const encoding = contentEncoding?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  if (encoding === 'identity' || encoding === '') return false;
  throw new SimwardenError('UNSUPPORTED_MEDIA_TYPE', { given: `content-encoding: ${encoding}`, expected: 'gzip, or none' });
}

/** null where the header is absent. */
function requireName(request: Request, header: 'simwarden-source' | 'idempotency-key'): string | null {
  const given = request.headers[header];
  if (given === undefined) return null;
  if (typeof given !== 'string' || !/^[\x20-\x7e]{1,128}$/.test(given)) {
    throw new SimwardenError('BAD_REQUEST', { what: `The header ${header} must be 1 to 128 printable ASCII characters.` });
  }
  return given;
}

/** Only dialogues know the difference; other kinds are always strict. */
function requireStrict(request: Request): boolean {
  const given = request.headers['simwarden-strict'];
  if (given === undefined || given === '0') return false;
  if (given !== '1') throw new SimwardenError('BAD_REQUEST', { what: 'The header simwarden-strict must be 0 or 1.' });
  return true;
}

function countsOf({ batchId, accepted, duplicates, rejected, errors }: IngestAnswer): Record<string, unknown> {
  return { batchId, accepted, duplicates, rejected, errors };
}

function refuse(parts: IngestHttpParts, request: Request, response: Response, error: unknown, counts: Record<string, unknown>): void {
  if (response.headersSent || response.destroyed) return;
  const known = error instanceof SimwardenError ? error : unexpected(parts, error);
  if (known.code === 'UNAUTHENTICATED') response.setHeader('www-authenticate', 'Bearer');
  if (known.code === 'TOO_MANY_INGESTS') response.setHeader('retry-after', String(RETRY_AFTER_SECONDS));
  if (known.code === 'METHOD_NOT_ALLOWED') response.setHeader('allow', 'POST');
  if (!request.complete) letGo(request, response);
  response.status(known.status).json({ error: { code: known.code, message: known.message }, ...counts });
}

function unexpected(parts: IngestHttpParts, error: unknown): SimwardenError {
  const requestId = parts.entropy.uuid();
  parts.log.logger.error({ err: error, requestId }, 'ingest failed');
  return new SimwardenError('INTERNAL_SERVER_ERROR', { requestId });
}

/** The rest of a refused body is thrown away for a moment, then the connection closes. */
function letGo(request: Request, response: Response): void {
  response.setHeader('connection', 'close');
  request.on('error', () => undefined); // it may close at any time now
  request.resume();
  response.once('finish', () => {
    const timer = setTimeout(() => request.destroy(), LINGER_MILLISECONDS).unref();
    request.once('close', () => clearTimeout(timer));
  });
}
