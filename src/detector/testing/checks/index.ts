/** All checks of the kit, in the order in which their failures are best read: a mistake in the declaration first. */
import { abstainsWithoutHistory } from './abstains-without-history';
import type { Check } from './check';
import { emptyInput } from './empty-input';
import { evidenceDeclared } from './evidence-declared';
import { findsAnomalies } from './finds-anomalies';
import { metaValid } from './meta-valid';
import { missingValues } from './missing-values';
import { modelSurvivesBytes } from './model-survives-bytes';
import { needsKnown } from './needs-known';
import { optionsValid } from './options-valid';
import { orderFree } from './order-free';
import { outputShape } from './output-shape';
import { pure } from './pure';
import { quietFleet } from './quiet-fleet';
import { readmeComplete } from './readme-complete';
import { scoresFinite } from './scores-finite';
import { seeded } from './seeded';
import { stateless } from './stateless';
import { timeBudget } from './time-budget';

export const checks: readonly Check[] = [
  // the declaration
  metaValid,
  optionsValid,
  needsKnown,
  // the answer
  outputShape,
  scoresFinite,
  emptyInput,
  missingValues,
  abstainsWithoutHistory,
  // determinism
  pure,
  stateless,
  seeded,
  orderFree,
  modelSurvivesBytes,
  // worth
  findsAnomalies,
  quietFleet,
  evidenceDeclared,
  // cost and documentation
  timeBudget,
  readmeComplete,
];
