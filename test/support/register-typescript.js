'use strict';
/** Lets a child process of a test run TypeScript sources as jest does: node -r ./test/support/register-typescript.js FILE.ts */
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const { moduleNameMapper, transform } = require('../../jest.config.js');

require('reflect-metadata');
require('./short-runs.js');
const [, options] = Object.values(transform)[0];
const compiled = join(__dirname, '../../node_modules/.cache/simwarden-sources');
mkdirSync(compiled, { recursive: true });
const manner = JSON.stringify([require('@swc/core/package.json').version, options]);
require.extensions['.ts'] = (module, filename) => module._compile(compile(readFileSync(filename, 'utf8'), filename), filename);

/** Kept by what goes in: a suite starts a hundred processes of the same five hundred sources. */
function compile(source, filename) {
  const kept = join(compiled, `${createHash('sha256').update(manner).update(source).digest('hex')}.js`);
  if (existsSync(kept)) return readFileSync(kept, 'utf8');
  const { code } = require('@swc/core').transformSync(source, { ...options, filename, sourceMaps: false });
  // Written under another name and renamed, so that what exists is whole.
  writeFileSync(`${kept}.${process.pid}`, code);
  renameSync(`${kept}.${process.pid}`, kept);
  return code;
}

// `simwarden/detector` is the source here too: what a build left in dist may be older, or missing.
const names = Object.entries(moduleNameMapper).map(([pattern, path]) => [
  new RegExp(pattern),
  path.replace('<rootDir>', join(__dirname, '../..')),
]);
const resolveFilename = Module._resolveFilename;
Module._resolveFilename = (request, ...rest) => {
  const mapped = names.find(([pattern]) => pattern.test(request));
  // A dynamic import names the file that the compiler would make of a source.
  const source = /^\.{1,2}\//.test(request) && request.endsWith('.js') && join(dirname(rest[0].filename), request.replace(/js$/, 'ts'));
  return resolveFilename.call(Module, mapped ? mapped[1] : source && existsSync(source) ? source : request, ...rest);
};
