/** The states of a SIM's block, of a block request and of one SIM within a request: one table each; an illegal step throws, never passes silently. */
import { SimwardenError } from '../errors';
import { BlockState } from '../fleet';

export enum BlockRequestState {
  REQUESTED = 'REQUESTED',
  CONFIRMED = 'CONFIRMED',
  CANCELLED = 'CANCELLED',
  COMPLETED = 'COMPLETED',
  FAILED = 'FAILED',
}

export enum BlockOrderState {
  REQUESTED = 'REQUESTED',
  CONFIRMED = 'CONFIRMED',
  CARRIED_OUT = 'CARRIED_OUT',
  VERIFIED = 'VERIFIED',
  FAILED = 'FAILED',
  CANCELLED = 'CANCELLED',
}

interface Step<State> {
  readonly from: readonly State[];
  readonly to: State;
  /** Completes "The SIM is in state X and can't be …". */
  readonly participle: string;
}

/** What may happen to a SIM's block state. */
export const simSteps = {
  request: {
    from: [BlockState.UNBLOCKED, BlockState.BLOCK_FAILED],
    to: BlockState.BLOCK_REQUESTED,
    participle: 'requested for a block',
  },
  confirm: { from: [BlockState.BLOCK_REQUESTED], to: BlockState.BLOCKING, participle: 'confirmed for a block' },
  // The network was never told, so nothing has to be undone there.
  withdraw: { from: [BlockState.BLOCK_REQUESTED, BlockState.BLOCKING], to: BlockState.UNBLOCKED, participle: 'withdrawn from its block' },
  verifyBlock: { from: [BlockState.BLOCKING], to: BlockState.BLOCKED, participle: 'verified as blocked' },
  failBlock: { from: [BlockState.BLOCKING], to: BlockState.BLOCK_FAILED, participle: 'marked as not blocked' },
  // From BLOCKING only when the order may have reached the network: what was perhaps done is undone.
  unblock: {
    from: [BlockState.BLOCKING, BlockState.BLOCKED, BlockState.BLOCK_FAILED],
    to: BlockState.UNBLOCKING,
    participle: 'unblocked',
  },
  verifyUnblock: { from: [BlockState.UNBLOCKING], to: BlockState.UNBLOCKED, participle: 'verified as unblocked' },
  // The network did not let go of the SIM: believing it blocked is the safe belief, and unblocking can be tried again.
  failUnblock: { from: [BlockState.UNBLOCKING], to: BlockState.BLOCKED, participle: 'marked as still blocked' },
} as const satisfies Record<string, Step<BlockState>>;

/** What may happen to a block request. */
export const requestSteps = {
  confirm: { from: [BlockRequestState.REQUESTED], to: BlockRequestState.CONFIRMED, participle: 'confirmed' },
  cancel: { from: [BlockRequestState.REQUESTED, BlockRequestState.CONFIRMED], to: BlockRequestState.CANCELLED, participle: 'cancelled' },
  complete: { from: [BlockRequestState.CONFIRMED], to: BlockRequestState.COMPLETED, participle: 'completed' },
  fail: { from: [BlockRequestState.CONFIRMED], to: BlockRequestState.FAILED, participle: 'marked as failed' },
} as const satisfies Record<string, Step<BlockRequestState>>;

/** What may happen to one SIM's order within a request. */
export const orderSteps = {
  confirm: { from: [BlockOrderState.REQUESTED], to: BlockOrderState.CONFIRMED, participle: 'confirmed' },
  carryOut: { from: [BlockOrderState.CONFIRMED], to: BlockOrderState.CARRIED_OUT, participle: 'carried out' },
  verify: { from: [BlockOrderState.CARRIED_OUT], to: BlockOrderState.VERIFIED, participle: 'verified' },
  fail: { from: [BlockOrderState.CONFIRMED, BlockOrderState.CARRIED_OUT], to: BlockOrderState.FAILED, participle: 'marked as failed' },
  cancel: {
    from: [BlockOrderState.REQUESTED, BlockOrderState.CONFIRMED, BlockOrderState.CARRIED_OUT],
    to: BlockOrderState.CANCELLED,
    participle: 'cancelled',
  },
} as const satisfies Record<string, Step<BlockOrderState>>;

export type SimAction = keyof typeof simSteps;
export type RequestAction = keyof typeof requestSteps;
export type OrderAction = keyof typeof orderSteps;

export function simStep(from: BlockState, action: SimAction): BlockState {
  return step('SIM', simSteps, from, action);
}

export function requestStep(from: BlockRequestState, action: RequestAction): BlockRequestState {
  return step('block request', requestSteps, from, action);
}

export function orderStep(from: BlockOrderState, action: OrderAction): BlockOrderState {
  return step('block order', orderSteps, from, action);
}

function step<State extends string, Action extends string>(
  what: string,
  table: Readonly<Record<Action, Step<State>>>,
  from: State,
  action: Action,
): State {
  if (table[action].from.includes(from)) return table[action].to;
  const allowed = Object.values<Step<State>>(table)
    .filter((entry) => entry.from.includes(from))
    .map((entry) => entry.participle);
  throw new SimwardenError('ILLEGAL_TRANSITION', {
    what,
    from,
    action: table[action].participle,
    allowed: allowed.length > 0 ? `${what} may be ${allowed.join(', ')}` : 'nothing, it is over',
  });
}
