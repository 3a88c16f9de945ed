/**
 * Two halves of the clients, so that nobody is judged by a model that learned from its own devices: an incident that lasts through the training days
 * would be learned as normal (cross-fitting; Chernozhukov et al., Double/debiased machine learning, 2018). Ids come from one sequence: halves by
 * parity stay even, and a client keeps its half for good.
 */
export const SIDES = 2;

/** 0 or 1. */
export function sideOf(clientId: number): number {
  return clientId % SIDES;
}

/** The other half alone says too little below this; everybody's rows, its own included, are learned from then. */
export const LEAST_ROWS_OF_OTHERS = 50;
