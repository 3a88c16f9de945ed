'use strict';

/**
 * The thread that runs the embedded database (PostgreSQL in WebAssembly): its queries block their thread, so it has one of its own.
 * Plain JavaScript, because a worker thread is loaded without the compiler that runs the tests. Requests are answered in order:
 * { id, kind: 'exchange', bytes } wire protocol in and out; 'copy' for /dev/blob; 'reset' between connections; 'dump'; 'close'.
 */
const { Blob } = require('node:buffer');
const { readFileSync } = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const { PGlite } = require('@electric-sql/pglite');

const requests = {
  exchange: (db, { bytes }) => db.execProtocolRaw(bytes),
  copy: async (db, { sql, bytes }) => {
    const results = await db.exec(sql, { blob: new Blob([bytes]) });
    return results.at(-1).affectedRows ?? 0;
  },
  // What a new connection to a server would find: no transaction, no role, no settings, no prepared statements.
  reset: async (db) => {
    await db.exec('ROLLBACK');
    await db.exec('DISCARD ALL');
  },
  dump: async (db) => {
    await db.exec('CHECKPOINT');
    return new Uint8Array(await (await db.dumpDataDir('none')).arrayBuffer());
  },
  close: (db) => db.close(),
};

/** Node's Blob hands its bytes over in pieces, which takes longer than to open the database; these are in memory as they are. */
class ImageBlob extends Blob {
  constructor(bytes) {
    super([]);
    this.bytes = bytes;
  }

  arrayBuffer() {
    const { buffer, byteOffset, byteLength } = this.bytes;
    return Promise.resolve(byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength));
  }
}

/** Pages of its own beside files that are in memory already are copies only, and it clears them all before it starts. */
const inMemoryParameters = [...PGlite.defaultStartParams, '-c', 'shared_buffers=32MB'];

function describeError(error) {
  const { message, code, severity, detail, hint, position, where, schema, table, column, constraint, routine } = error;
  return { message: String(message), code, severity, detail, hint, position, where, schema, table, column, constraint, routine };
}

async function main() {
  const { directory, imagePath } = workerData;
  const image = imagePath === null ? undefined : new ImageBlob(readFileSync(imagePath));
  const startParams = directory === null ? inMemoryParameters : PGlite.defaultStartParams;
  const db = await PGlite.create({ dataDir: directory ?? 'memory://', loadDataDir: image, startParams });
  let tail = Promise.resolve();
  parentPort.on('message', (request) => {
    tail = tail.then(async () => {
      try {
        const answer = await requests[request.kind](db, request);
        const transfer = answer instanceof Uint8Array && answer.byteLength === answer.buffer.byteLength ? [answer.buffer] : [];
        parentPort.postMessage({ id: request.id, answer }, transfer);
      } catch (error) {
        parentPort.postMessage({ id: request.id, error: describeError(error) });
      }
      if (request.kind === 'close') parentPort.close();
    });
  });
  parentPort.postMessage({ ready: true });
}

main().catch((error) => {
  parentPort.postMessage({ failed: describeError(error) });
  parentPort.close();
});
