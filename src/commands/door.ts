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
  /** Lets what is due happen, or waits for it. */
  readonly wait: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openDoor(config: Config): Promise<Door> {
  const socketPath = config.databaseUrl === null ? await findRunningServer(config.dataDirectory) : null;
  if (socketPath !== null) {
    return {
      ask: (query, variables) => post({ socketPath }, query, variables),
      wait: () => new Promise((look) => setTimeout(look, LOOK_MILLISECONDS)),
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
  await app.settle();
  return {
    ask: (query, variables) => post({ hostname, port, headers: { authorization: `Bearer ${key}` } }, query, variables),
    wait: () => app.settle(),
    close: () => app.close(),
  };
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
