/** Tests run on the embedded database, or on the PostgreSQL that TEST_DATABASE_URL names. */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/{src,plugins,seeds,test}/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/dist/', '<rootDir>/test/bench/', '<rootDir>/test/faults/long/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  moduleNameMapper: {
    '^simwarden/detector$': '<rootDir>/src/detector/index.ts',
    '^simwarden/detector/testing$': '<rootDir>/src/detector/testing/index.ts',
    '^simwarden/detector/numeric$': '<rootDir>/src/detector/numeric/index.ts',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
          keepClassNames: true,
        },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  globalSetup: '<rootDir>/test/support/build-kernels.js',
  setupFiles: ['reflect-metadata', '<rootDir>/test/support/short-runs.js', '<rootDir>/test/support/compiled-once.js'],
  maxWorkers: 2,
  // Only says that a test hangs: a loaded machine may be many times slower than ours.
  testTimeout: 180_000,
};
