/** The suites of `npm run bench`, by name; each is loaded only when it is asked for. */
import type { Suite } from './harness';

export const suites: Readonly<Record<string, () => Promise<{ readonly suite: Suite }>>> = {
  simulate: () => import('./simulate.js'),
  features: () => import('./features/suite.js'),
  scoring: () => import('./scoring.js'),
  mixture: () => import('./mixture.js'),
  ingest: () => import('./ingest.js'),
  day: () => import('./day/suite.js'),
};
