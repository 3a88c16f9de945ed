/** A network in memory, for the demo and for tests: takes orders at most once per message id, and can be told to fail, refuse or lag. */
import { NetworkConnector, type NetworkAnswer, type NetworkEffect, type NetworkOrder } from './connector';

export interface SimulatedBehaviour {
  /** The answer to an attempt (from 1) at an order; default DONE. */
  readonly answer?: (order: NetworkOrder, attempt: number) => NetworkAnswer['outcome'];
  /** How often an order's effect is looked for in vain before it shows; default 0. */
  readonly looksUntilEffect?: number;
  /** Orders to which the network says DONE and does the opposite; default none. */
  readonly contradicts?: (order: NetworkOrder) => boolean;
}

export class SimulatedConnector extends NetworkConnector {
  readonly id = 'simulated';
  private readonly attempts = new Map<string, number>();
  private readonly looks = new Map<string, number>();
  private readonly blocked = new Map<string, boolean>();
  private readonly done = new Map<string, NetworkOrder>();

  constructor(private readonly behaviour: SimulatedBehaviour = {}) {
    super();
  }

  apply(order: NetworkOrder): Promise<NetworkAnswer> {
    return Promise.resolve(this.answer(order));
  }

  verify(order: NetworkOrder): Promise<NetworkEffect> {
    return Promise.resolve(this.effect(order));
  }

  isBlocked(iccid: string): boolean {
    return this.blocked.get(iccid) ?? false;
  }

  /** Orders that were carried out, in their order; each message id once, however often it was sent. */
  carriedOut(): NetworkOrder[] {
    return [...this.done.values()];
  }

  private answer(order: NetworkOrder): NetworkAnswer {
    if (this.done.has(order.messageId)) return { outcome: 'DONE', detail: 'was done before' };
    const attempt = (this.attempts.get(order.messageId) ?? 0) + 1;
    this.attempts.set(order.messageId, attempt);
    const outcome = this.behaviour.answer?.(order, attempt) ?? 'DONE';
    if (outcome === 'REFUSED') return { outcome, detail: 'the simulated network refused' };
    if (outcome === 'RETRY') return { outcome, detail: "the simulated network can't be reached" };
    this.done.set(order.messageId, order);
    const asAsked = !this.behaviour.contradicts?.(order);
    this.blocked.set(order.iccid, (order.operation === 'BLOCK') === asAsked);
    return { outcome, detail: 'done' };
  }

  private effect(order: NetworkOrder): NetworkEffect {
    const looks = (this.looks.get(order.messageId) ?? 0) + 1;
    this.looks.set(order.messageId, looks);
    if (looks <= (this.behaviour.looksUntilEffect ?? 0)) return 'NOT_YET';
    // A process that started again knows nothing of its simulated network any more: it believes what was ordered.
    const blocked = this.blocked.get(order.iccid) ?? order.operation === 'BLOCK';
    return blocked === (order.operation === 'BLOCK') ? 'CONFIRMED' : 'CONTRADICTED';
  }
}
