/** The simulator: populations with known truth, for the demo, for tests and for anyone who wants to try detectors. */
export { makePopulation, countryOfClient, type Population, type PopulationOptions, type Story, type StoryKind } from './population';
export { telemetryBetween } from './records';
export { columns, simsCsv, toCsv, truthOf } from './csv';
export { simulateToDirectory } from './directory';
export { storyFleets } from './story-signaling';
