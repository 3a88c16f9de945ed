/** The dimensions of a SIM's state, which stay apart: lifecycle, reachability, block state (its transitions are the response slice's), criticality of its device. */
import { registerEnumType } from 'type-graphql';
import { SimwardenError } from '../errors';

export enum SimLifecycle {
  INVENTORY = 'INVENTORY',
  TEST = 'TEST',
  READY = 'READY',
  ACTIVE = 'ACTIVE',
  SUSPENDED = 'SUSPENDED',
  TERMINATED = 'TERMINATED',
}
registerEnumType(SimLifecycle, {
  name: 'SimLifecycle',
  description: 'Where the subscription stands; says nothing about whether the SIM is online or blocked.',
  valuesConfig: {
    INVENTORY: { description: 'In stock, never used.' },
    TEST: { description: 'Tried out, not billed.' },
    READY: { description: 'Becomes active with its first use.' },
    ACTIVE: { description: 'In service. Default of a registration.' },
    SUSPENDED: { description: "Out of service by the customer's wish, for a while." },
    TERMINATED: { description: 'Out of service for good.' },
  },
});

/** From a lifecycle state to those that may follow. TERMINATED is final: a number that returns is registered anew. */
export const lifecycleTransitions: Readonly<Record<SimLifecycle, readonly SimLifecycle[]>> = {
  INVENTORY: [SimLifecycle.TEST, SimLifecycle.READY, SimLifecycle.ACTIVE, SimLifecycle.TERMINATED],
  TEST: [SimLifecycle.INVENTORY, SimLifecycle.READY, SimLifecycle.ACTIVE, SimLifecycle.SUSPENDED, SimLifecycle.TERMINATED],
  READY: [SimLifecycle.TEST, SimLifecycle.ACTIVE, SimLifecycle.SUSPENDED, SimLifecycle.TERMINATED],
  ACTIVE: [SimLifecycle.SUSPENDED, SimLifecycle.TERMINATED],
  SUSPENDED: [SimLifecycle.ACTIVE, SimLifecycle.TERMINATED],
  TERMINATED: [],
};

/** Throws ILLEGAL_TRANSITION unless `to` may follow `from`. Staying is allowed. */
export function requireLifecycleTransition(from: SimLifecycle, to: SimLifecycle): void {
  if (from === to || lifecycleTransitions[from].includes(to)) return;
  const allowed = lifecycleTransitions[from].join(', ') || 'nothing';
  throw new SimwardenError('ILLEGAL_TRANSITION', { what: 'SIM', from, action: `made ${to}`, allowed }, ['lifecycle']);
}

export enum ReachabilityState {
  ONLINE = 'ONLINE',
  ATTACHED = 'ATTACHED',
  OFFLINE = 'OFFLINE',
  UNKNOWN = 'UNKNOWN',
}
registerEnumType(ReachabilityState, {
  name: 'ReachabilityState',
  description: 'What the network last said of the SIM; true as of a moment only, since a SIM can show online for hours after power loss.',
  valuesConfig: {
    ONLINE: { description: 'A data session was open.' },
    ATTACHED: { description: 'Registered in a network without a data session.' },
    OFFLINE: { description: 'Detached.' },
    UNKNOWN: { description: 'Nothing was heard of it.' },
  },
});

export enum BlockState {
  UNBLOCKED = 'UNBLOCKED',
  BLOCK_REQUESTED = 'BLOCK_REQUESTED',
  BLOCKING = 'BLOCKING',
  BLOCKED = 'BLOCKED',
  UNBLOCKING = 'UNBLOCKING',
  BLOCK_FAILED = 'BLOCK_FAILED',
}
registerEnumType(BlockState, {
  name: 'BlockState',
  description: 'Whether we cut the SIM off. Blocking is a request to a network that answers later and may fail.',
  valuesConfig: {
    UNBLOCKED: { description: 'Not blocked by us.' },
    BLOCK_REQUESTED: { description: 'Somebody asked; waits for a confirmation.' },
    BLOCKING: { description: 'Confirmed; the network has not yet carried it out.' },
    BLOCKED: { description: 'The network carried it out.' },
    UNBLOCKING: { description: 'The release waits for the network.' },
    BLOCK_FAILED: { description: 'The network could not carry it out; the SIM may still be in use.' },
  },
});

export enum BlockMode {
  TEMPORARY_REJECT = 'TEMPORARY_REJECT',
  PERMANENT_REJECT = 'PERMANENT_REJECT',
  THROTTLE = 'THROTTLE',
  DETACH_SESSION = 'DETACH_SESSION',
}
registerEnumType(BlockMode, {
  name: 'BlockMode',
  description: 'How the network cuts a SIM off.',
  valuesConfig: {
    TEMPORARY_REJECT: {
      description: 'Attachments are rejected with a temporary cause. The modem retries for ever: it may cause a signaling storm.',
    },
    PERMANENT_REJECT: { description: 'Attachments are rejected with a permanent cause; a modem normally stops trying.' },
    THROTTLE: { description: 'The SIM stays connected at a low rate.' },
    DETACH_SESSION: { description: 'The data session is ended; the SIM may open another.' },
  },
});

export enum Criticality {
  NORMAL = 'NORMAL',
  CRITICAL = 'CRITICAL',
}
registerEnumType(Criticality, {
  name: 'Criticality',
  description: 'What it costs when the device is cut off.',
  valuesConfig: {
    NORMAL: { description: 'An inconvenience. Default.' },
    CRITICAL: { description: 'Harm to people or to the business: a block needs a second person.' },
  },
});
