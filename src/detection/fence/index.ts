/** What the composition root and the commands may use of the fence. */
export { aside } from './fenced-detector';
export { fenceCheck } from './fence-check';
export { loadPartners, type Partners } from './load-partners';
export { importDetector, importModule, resolveContract, unwrapped } from './partner-module';
export { findPartnerPackage } from './partner-package';
