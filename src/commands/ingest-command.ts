/** Finds where `simwarden ingest` sends to: a named server, the one that holds the data directory, or one that it runs for the purpose. */
import { createApp } from '../app';
import { Config } from '../config';
import { findRunningServer } from '../database/embedded/directory-lock';
import { SimwardenError } from '../errors';
import { processLog } from '../log';
import { SystemEntropy } from '../runtime';
import { ingestFile, openBody, type IngestBody, type IngestOptions } from './ingest';

export async function ingestCommand(options: IngestOptions & { readonly url?: string }, config: Config): Promise<number> {
  if (options.url !== undefined) {
    if (config.operatorKey === null) {
      throw new SimwardenError('CONFIGURATION_INVALID', {
        key: 'SIMWARDEN_OPERATOR_KEY',
        given: '',
        expected: 'the key to send with, where --url names a server',
      });
    }
    return ingestFile({ url: options.url, key: config.operatorKey }, await openBody(options.file), options);
  }
  const body = await openBody(options.file);
  const socketPath = config.databaseUrl === null ? await findRunningServer(config.dataDirectory) : null;
  return socketPath !== null ? ingestFile({ socketPath }, body, options) : throughOwnServer(body, options, config);
}

/** Nobody serves the database (or it is a PostgreSQL that anyone may open): a server of our own on a free loopback port, for this file. */
async function throughOwnServer(body: IngestBody, options: IngestOptions, config: Config): Promise<number> {
  const key = config.operatorKey ?? new SystemEntropy().bytes(32).toString('base64url');
  const app = await createApp({
    config: new Config({ ...config, host: '127.0.0.1', port: 0, operatorKey: key }),
    // the command's own lines say what came of it
    log: processLog(config.logLevel === 'info' ? 'warn' : config.logLevel),
    workers: false,
  });
  try {
    const exitCode = await ingestFile({ url: app.url, key }, body, options);
    // on the embedded database nobody else would evaluate what came in
    if (app.database.kind === 'embedded') await app.settle();
    return exitCode;
  } finally {
    await app.close();
  }
}
