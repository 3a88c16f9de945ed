/** `simwarden/detector`: all that a detector may import. */
export * from './contract';
export * from './columns';
export * from './features';
export { demandColumns, featureInput, featureMatrix, judgedRows, rankedDetection, type FeatureMatrix } from './feature-matrix';
export { featureEvidence, type UsualRange } from './feature-evidence';
export { DetectionDraft, KindDraft } from './draft';
export { validateOptions, type OptionsAnswer } from './options';
export { bytesInWords, countInWords, durationInWords, multipleInWords, percentInWords } from './words';
export { codeOf, nameAt, subjects, type SubjectRows } from './rows';
