'use strict';
/** Before the tests: the WebAssembly kernels are built from their sources, so that tests run what is shipped. */
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

module.exports = async () => {
  const { buildKernels } = await import(pathToFileURL(join(__dirname, '../../scripts/kernels.mjs')).href);
  await buildKernels();
};
