'use strict';
/**
 * For processes that live a minute: what costs more than it saves in so short a time is left out. Optimising the embedded database's code in the
 * background takes seconds of CPU in each process; graphql's check against two copies of itself runs for each value that is answered.
 */
require('node:v8').setFlagsFromString('--no-wasm-tier-up');

const environment = process.env.NODE_ENV;
process.env.NODE_ENV = 'production';
require('graphql/jsutils/instanceOf');
if (environment === undefined) delete process.env.NODE_ENV;
else process.env.NODE_ENV = environment;
