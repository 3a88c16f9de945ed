/** The door to a mobile network: asks it to block or unblock one SIM, and looks whether it did. */
import type { BlockMode } from '../fleet';

export interface NetworkOrder {
  /** Constant over all attempts: a connector carries one message out at most once. */
  readonly messageId: string;
  readonly clientId: number;
  readonly simId: string;
  readonly iccid: string;
  readonly imsi: string | null;
  readonly operation: 'BLOCK' | 'UNBLOCK';
  /** How to block; for UNBLOCK the mode that is lifted, null where it isn't known. */
  readonly mode: BlockMode | null;
}

/** DONE: the network took the order; REFUSED: it never will; RETRY: not now. */
export interface NetworkAnswer {
  readonly outcome: 'DONE' | 'REFUSED' | 'RETRY';
  readonly detail: string;
}

/** What is seen of an order's effect: it is there, it isn't there yet, or the opposite is there and will stay. */
export type NetworkEffect = 'CONFIRMED' | 'NOT_YET' | 'CONTRADICTED';

/** A class, so that it can be a dependency-injection token. `signal` aborts when the attempt's time is over. */
export abstract class NetworkConnector {
  abstract readonly id: string;
  abstract apply(order: NetworkOrder, signal: AbortSignal): Promise<NetworkAnswer>;
  abstract verify(order: NetworkOrder, signal: AbortSignal): Promise<NetworkEffect>;
}
