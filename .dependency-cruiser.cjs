/** Who may import whom: the map of the house as rules. Slices import to the left only; detectors use the public contract. */
const slices = ['access', 'fleet', 'telemetry', 'detection', 'alerts', 'incidents', 'response'];

/** A slice must not import any slice to its right (nor insights). */
const leftOnly = slices.map((slice, place) => ({
  name: `${slice}-imports-left-only`,
  severity: 'error',
  from: { path: `^src/${slice}/`, pathNot: '\\.test\\.ts$' },
  to: { path: `^src/(${[...slices.slice(place + 1), 'insights'].join('|')})/` },
}));

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    ...leftOnly,
    {
      name: 'insights-stands-beside',
      severity: 'error',
      from: { path: '^src/insights/', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/(alerts|incidents|response)/' },
    },
    { name: 'detector-imports-nothing', severity: 'error', from: { path: '^src/detector/' }, to: { path: '^src/(?!detector/)' } },
    {
      name: 'detector-has-no-dependencies',
      severity: 'error',
      from: { path: '^src/detector/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: '^(node:)?(fs|path)$' },
    },
    {
      name: 'plugins-use-the-public-contract',
      severity: 'error',
      from: { path: '^plugins/' },
      to: { path: '^src/(?!detector/(index|testing/index|numeric/index)\\.ts)' },
    },
    {
      name: 'plugins-use-the-package-name',
      severity: 'error',
      from: { path: '^plugins/' },
      to: { path: '^src/', dependencyTypes: ['local'] },
    },
    {
      name: 'machinery-imports-no-slice',
      severity: 'error',
      from: { path: '^src/(graphql|database)/' },
      to: { path: `^src/(${slices.join('|')}|insights)/` },
    },
    {
      name: 'only-main-and-tests-import-the-app',
      severity: 'error',
      from: { path: '^(src|plugins|seeds)/', pathNot: '^src/(main|commands/.+)\\.ts$' },
      to: { path: '^src/app\\.ts$' },
    },
    {
      name: 'only-the-app-imports-plugins',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/app\\.ts$' },
      to: { path: '^plugins/' },
    },
    { name: 'not-to-test', severity: 'error', from: { path: '^(src|plugins|seeds)/', pathNot: '\\.test\\.ts$' }, to: { path: '^test/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/|/assembly/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'require', 'node', 'default'] },
  },
};
