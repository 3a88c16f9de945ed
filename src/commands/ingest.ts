/** `simwarden ingest KIND FILE`: sends a file through the ingest endpoint of the running server, or of one that it starts for the purpose. */
import { open } from 'node:fs/promises';
import { request as httpRequest, type ClientRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SimwardenError } from '../errors';
import { startProgress } from './progress';

/** Where the endpoint is: a URL with a key, or the socket of the process that holds the data directory. */
export type IngestTarget = { readonly url: string; readonly key: string } | { readonly socketPath: string };

export interface IngestOptions {
  readonly kind: string;
  /** Path, or `-` for standard input. */
  readonly file: string;
  readonly source?: string;
  readonly idempotencyKey?: string;
  /** Dialogues only: each is compared with all that came in strict batches. */
  readonly strict?: boolean;
}

interface Answer {
  readonly batchId?: string;
  readonly accepted?: number;
  readonly duplicates?: number;
  readonly rejected?: number;
  readonly errors?: readonly { readonly line: number; readonly code: string; readonly message: string }[];
  readonly error?: { readonly code: string; readonly message: string };
}

/** A file that is open, or standard input. */
export interface IngestBody {
  readonly stream: Readable;
  /** Bytes; 0: unknown. */
  readonly size: number;
}

/** Throws FILE_UNREADABLE where there is no such file. `-`: standard input. */
export async function openBody(file: string): Promise<IngestBody> {
  if (file === '-') return { stream: process.stdin, size: 0 };
  try {
    const handle = await open(file);
    const stats = await handle.stat();
    if (stats.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
    return { stream: handle.createReadStream(), size: stats.size };
  } catch (error) {
    throw unreadable(file, error as NodeJS.ErrnoException);
  }
}

/** Answers the process's exit code: 0 when every row is stored or was stored before. */
export async function ingestFile(target: IngestTarget, body: IngestBody, options: IngestOptions): Promise<number> {
  const progress = startProgress(`ingest ${options.kind}`, body.size, 'bytes');
  let sent = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      progress.update(sent);
      done(null, chunk);
    },
  });
  try {
    const { status, answer } = await send(target, options, body.stream, meter);
    progress.stop();
    return report(status, answer);
  } finally {
    progress.stop();
  }
}

async function send(
  target: IngestTarget,
  options: IngestOptions,
  body: Readable,
  meter: Transform,
): Promise<{ status: number; answer: Answer }> {
  const request = openRequest(target, options);
  let failure: SimwardenError | null = null;
  body.once('error', (error) => (failure ??= unreadable(options.file, error)));
  const answered = new Promise<{ status: number; answer: Answer }>((resolve, reject) => {
    request.on('error', (error) => reject(failure ?? lost(target, error)));
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', (error) => reject(lost(target, error)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, answer: parseAnswer(Buffer.concat(parts).toString('utf8')) }));
    });
  });
  const connected = new Promise<void>((resolve) => {
    request.once('socket', (socket) => (socket.connecting ? socket.once('connect', () => resolve()) : resolve()));
  });
  // a server that refuses early closes the upload: its answer counts, not the broken pipe
  const sent = connected.then(() => pipeline(body, meter, request)).catch(() => undefined);
  const [, outcome] = await Promise.all([sent, answered]);
  return outcome;
}

function openRequest(target: IngestTarget, options: IngestOptions): ClientRequest {
  const headers: Record<string, string> = {
    'content-type': /\.(ndjson|jsonl)(\.gz)?$/.test(options.file) ? 'application/x-ndjson' : 'text/csv',
  };
  if (options.file.endsWith('.gz')) headers['content-encoding'] = 'gzip';
  if (options.source) headers['simwarden-source'] = options.source;
  if (options.idempotencyKey) headers['idempotency-key'] = options.idempotencyKey;
  if (options.strict) headers['simwarden-strict'] = '1';
  const path = `/ingest/${encodeURIComponent(options.kind)}`;
  if ('socketPath' in target) return httpRequest({ socketPath: target.socketPath, path, method: 'POST', headers } satisfies RequestOptions);
  headers.authorization = `Bearer ${target.key}`;
  const url = new URL(path, target.url);
  return (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { method: 'POST', headers });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'this user may not',
};

function unreadable(file: string, { code, message }: NodeJS.ErrnoException): SimwardenError {
  return new SimwardenError('FILE_UNREADABLE', { file, what: reasons[code ?? ''] ?? message });
}

function lost(target: IngestTarget, { code, syscall, message }: NodeJS.ErrnoException): SimwardenError {
  const neverReached = syscall === 'connect' || syscall === 'getaddrinfo';
  return neverReached
    ? new SimwardenError('SERVER_UNREACHABLE', { url: 'url' in target ? target.url : target.socketPath, what: message || code })
    : new SimwardenError('ANSWER_LOST', { what: message });
}

function parseAnswer(text: string): Answer {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return { error: { code: 'BAD_ANSWER', message: `The server did not answer JSON: ${text.slice(0, 200)}` } };
  }
}

function report(status: number, answer: Answer): number {
  // without a name nothing was stored, and the error says why
  if (answer.batchId) {
    process.stdout.write(
      `batch ${answer.batchId}: ${answer.accepted} accepted, ${answer.duplicates} duplicates, ${answer.rejected} rejected\n`,
    );
    for (const error of answer.errors ?? []) process.stdout.write(`  line ${error.line}: ${error.code}: ${error.message}\n`);
  }
  if (answer.error) process.stderr.write(`${answer.error.code}: ${answer.error.message}\n`);
  return status === 200 && answer.rejected === 0 ? 0 : 1;
}
