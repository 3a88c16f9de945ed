/** What the two steps of a block have in common: who acts, and what became of each SIM. */
import { SimwardenError } from '../errors';
import type { BlockState } from '../fleet';
import type { Clock, Entropy } from '../runtime';

/** A GraphqlContext is one; workers act under a name of their own. */
export interface Actor {
  readonly caller: { readonly name: string; readonly person: string };
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** What became of one SIM: its block state now, or why nothing happened to it. */
export interface SimResult {
  readonly simId: string;
  readonly state: BlockState | null;
  readonly error: SimwardenError | null;
}

export interface BlockActionResult {
  /** null: nothing was requested, or it was a dry run. */
  readonly requestId: string | null;
  readonly results: readonly SimResult[];
}

export function missingSim(simId: string): SimResult {
  return { simId, state: null, error: new SimwardenError('NOT_FOUND', { what: 'SIM' }) };
}

/** Runs one step for one SIM: a SimwardenError of it is that SIM's result, anything else is thrown on. */
export function refusalOf(check: () => void): SimwardenError | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof SimwardenError) return error;
    throw error;
  }
}
