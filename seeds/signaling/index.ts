/** Signaling of a roaming platform's devices: populations by ANCHOR's Table III with the incidents of its Table I, or of any other make. */
export { signalingPopulation, clientOf, deviceOf, type SignalingOptions, type SignalingPopulation } from './population';
export { packedDialogues, type DialogueBlock } from './dialogues';
export { dialogueCsv, dialogueColumns } from './dialogue-csv';
export { nodes } from './networks';
