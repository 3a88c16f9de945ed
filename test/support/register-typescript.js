'use strict';
/** Lets a child process of a test run TypeScript sources as jest does: node -r ./test/support/register-typescript.js FILE.ts */
const { existsSync, readFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const { transformSync } = require('@swc/core');
const { moduleNameMapper, transform } = require('../../jest.config.js');

require('reflect-metadata');
require('./short-runs.js');
const [, options] = Object.values(transform)[0];
require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...options, filename, sourceMaps: false });
  module._compile(code, filename);
};

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
