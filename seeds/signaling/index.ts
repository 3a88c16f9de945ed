/** Signaling of a roaming platform's devices: populations by ANCHOR's Table III with the incidents of its Table I, or of any other make. */
export { signalingPopulation, clientOf, deviceOf, type Guests, type SignalingOptions, type SignalingPopulation } from './population';
export type { SignalingClient } from './clients';
export type { IncidentKind } from './incident-kinds';
export { parseIncidents, type Incident } from './incidents';
export { variedOptions } from './variation';
export { packedDialogues, type DialogueBlock, type DialogueOrder } from './dialogues';
export { dialogueCsv } from './dialogue-csv';
export { iccidOf, imsiOf, inventoryLines, trueStories } from './inventory';
export { countryPlace, nodes } from './networks';
