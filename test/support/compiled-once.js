'use strict';
/**
 * The embedded database's code, held by the process that runs test file after test file: each file's database is a new thread,
 * and V8 gives a thread what another compiled and optimised only as long as somebody holds it.
 */
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { runInThisContext } = require('node:vm');
const { getEnvironmentData, setEnvironmentData } = require('node:worker_threads');

const key = 'simwarden: the code of the embedded database';
if (getEnvironmentData(key) === undefined) {
  // Made in the process's own context, since a module holds the one it is made in, and that of a test file is large.
  const compile = runInThisContext('(bytes) => new WebAssembly.Module(bytes)');
  setEnvironmentData(key, compile(readFileSync(join(dirname(require.resolve('@electric-sql/pglite')), 'pglite.wasm'))));
}
