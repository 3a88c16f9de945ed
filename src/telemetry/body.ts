/** The bytes of a body, decompressed as they come; a body that ends early says so instead of looking whole. */
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { SimwardenError } from '../errors';

const GUNZIP_PIECE_BYTES = 65_536;

/** Throws TRUNCATED where the connection or the gzip stream breaks off. Reads no more than is asked for. */
export async function* readBody(source: AsyncIterable<Buffer>, gzip: boolean): AsyncGenerator<Buffer> {
  try {
    yield* gzip ? gunzipped(source) : source;
  } catch (error) {
    throw error instanceof SimwardenError ? error : new SimwardenError('TRUNCATED', { what: whatHappened(error) });
  }
}

async function* gunzipped(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: GUNZIP_PIECE_BYTES });
  // Its failure reaches us through gunzip, which the pipeline destroys with the same error.
  pipeline(source, gunzip).catch(() => undefined);
  try {
    for await (const piece of gunzip) yield piece as Buffer;
  } finally {
    gunzip.destroy();
  }
}

function whatHappened(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code === 'Z_BUF_ERROR') return 'the gzip data stops in the middle';
  if (code?.startsWith('Z_')) return `the gzip data is damaged: ${message}`;
  return 'the connection was closed before the end';
}
