/** Where a command asks for work: the server that runs, or where none does, one of its own for as long as the command takes. */
import { request, type RequestOptions } from 'node:http';
import { createApp, type App } from '../app';
import { Config } from '../config';
import { findRunningServer } from '../database/embedded/directory-lock';
import { SimwardenError } from '../errors';
import { processLog } from '../log';
import { SystemEntropy } from '../runtime';

/** Between two looks at a run of another process. */
const LOOK_MILLISECONDS = 500;

/** A server, and its own work where nobody else does it. */
export interface Door {
  readonly ask: <Data>(query: string, variables: object) => Promise<Data>;
  /** Whether the command does the work itself, which then stops with it. */
  readonly works: boolean;
  /** Lets what is due happen for a moment, or waits that long. False: nothing is due; what is still open is another process's. */
  readonly wait: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

export async function openDoor(config: Config): Promise<Door> {
  const socketPath = config.databaseUrl === null ? await findRunningServer(config.dataDirectory) : null;
  if (socketPath !== null) {
    return {
      ask: (query, variables) => post({ socketPath }, query, variables),
      works: false,
      wait: () => moment().over.then(() => true),
      close: () => Promise.resolve(),
    };
  }
  const key = config.operatorKey ?? new SystemEntropy().bytes(32).toString('base64url');
  const app: App = await createApp({
    config: new Config({ ...config, host: '127.0.0.1', port: 0, operatorKey: key }),
    log: processLog(config.logLevel === 'info' ? 'warn' : config.logLevel),
    workers: false,
  });
  const { hostname, port } = new URL(app.url);
  return {
    works: true,
    ask: (query, variables) => post({ hostname, port, headers: { authorization: `Bearer ${key}` } }, query, variables),
    wait: settlesBit(app),
    close: () => app.close(),
  };
}

/** All that is due is begun by the first look; each further one sees how far it is. */
function settlesBit(app: App): Door['wait'] {
  let settling: Promise<boolean> | null = null;
  let idle = false;
  return async () => {
    // whoever looks again although nothing is due waits for another process
    if (idle) await moment().over;
    if (settling === null) {
      settling = app.settle().then(() => true);
      // thrown at the next look
      settling.catch(() => undefined);
    }
    const look = moment();
    try {
      idle = await Promise.race([settling, look.over.then(() => false)]);
      if (idle) settling = null;
      return !idle;
    } catch (error) {
      settling = null;
      throw error;
    } finally {
      look.end();
    }
  };
}

function moment(): { readonly over: Promise<void>; readonly end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, LOOK_MILLISECONDS)));
  return { over, end: () => clearTimeout(timer) };
}

async function post<Data>(target: RequestOptions, query: string, variables: object): Promise<Data> {
  const body = JSON.stringify({ query, variables });
  const text = await new Promise<string>((resolve, reject) => {
    const headers = { ...target.headers, 'content-type': 'application/json' };
    const sent = request({ ...target, path: '/graphql', method: 'POST', headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
      response.on('error', reject);
    });
    sent.on('error', (error) => reject(new SimwardenError('SERVER_UNREACHABLE', { url: 'the running process', what: error.message })));
    sent.end(body);
  });
  const { data, errors } = JSON.parse(text) as { data?: Data; errors?: { message: string; extensions: { code: string } }[] };
  if (errors) throw refused(errors.map(({ message, extensions }) => ({ message, code: extensions.code })));
  if (!data) throw new SimwardenError('BAD_REQUEST', { what: text.slice(0, 200) });
  return data;
}

/** In the server's own words. */
export function refused(errors: readonly { code: string; message: string }[]): Error {
  return new Error(errors.map(({ code, message }) => `${code}: ${message}`).join('\n'));
}
