/** `simwarden/detector/testing`: the conformance kit, and seeded SIMs to try a detector on. */
export type { AnomalousCase, QuietCase } from './bench';
export { checkDeclaration, checkDetector, type CheckOptions, type CheckResult } from './check-detector';
export { readmeHeadings } from './checks/readme-complete';
export { inputOf, type EventRow, type FeatureRow, type ServiceRow, type UsageRow } from './rows';
export { quietEvent, quietSimDay, quietUsageEvent, syntheticEvents, syntheticUsage } from './synthetic';
export { quietServiceHour, syntheticServices } from './synthetic-services';
export { quietFeatureDay, refusedAttaches, syntheticFeatures } from './synthetic-features';
export { clausesOf, contractClauses, type Clause } from './clauses';
export { plantedEvents, plantedUsage, recallFloors, type AnomalyShape, type Planting } from './planted';
export { testDetector } from './test-detector';
export { tryDetector, type Alarm, type Trial } from './try-detector';
export { checks as contractChecks } from './checks';
