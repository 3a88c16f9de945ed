/** All live subscriptions of a process: joins them into groups, feeds these from the tail, and catches up who resumes from a cursor. */
import type { GraphQLSchema } from 'graphql';
import { SimwardenError } from '../errors';
import type { Transaction } from '../database/database';
import { isOperator, type Caller } from './caller';
import { readClientEvents, readEvents, readHead, type EventRange } from './event-rows';
import type { EventTail } from './event-tail';
import type { LoggedEvent } from './live';
import { liveCursor, livePosition } from './live-cursor';
import { LiveExecution } from './live-execution';
import { eventRoot, gapRoot, lastWordRoot, LiveGroup, type LiveMember } from './live-group';
import { concerns, planLive, type LivePlan } from './live-plan';
import { OperationContext, type OperationServices } from './operation-context';
import type { Admitted, OperationRequest } from './operation-gate';

const REPLAY_EVENTS = 200;

export class LiveHub {
  private readonly groups = new Map<string, LiveGroup>();
  /** Groups by event type and client (`*`: an operator's), so that an event is offered only where it can matter. */
  private readonly index = new Map<string, Set<LiveGroup>>();
  private readonly execution: LiveExecution;
  private readonly unsubscribe: () => void;
  private told: bigint | null = null;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly services: OperationServices,
    private readonly tail: EventTail,
    executionDeadlineMilliseconds?: number,
  ) {
    this.execution = new LiveExecution(schema, services, executionDeadlineMilliseconds);
    this.unsubscribe = tail.onEvents(({ events, lostThrough }) => {
      if (lostThrough !== null) this.offerGap(lostThrough);
      for (const event of events) this.offer(event);
    });
  }

  /** Where a subscription without `after` would begin now. */
  async cursorNow(): Promise<string> {
    return liveCursor(await this.tail.position());
  }

  /** Number of groups; for metrics. */
  get groupCount(): number {
    return this.groups.size;
  }

  /** Joins a member; resolves once it is live. Answers through `onJoined` at once the function that ends it. */
  async join(
    request: OperationRequest,
    admitted: Admitted,
    caller: Caller,
    member: LiveMember,
    onJoined: (leave: () => void) => void,
  ): Promise<void> {
    const { plan, after } = planLive(this.schema, request, admitted, caller);
    const from = after === null ? null : livePosition(after);
    const group = this.groupOf(plan);
    group.members.add(member);
    onJoined(() => this.leave(group, member));
    try {
      await this.tail.position();
      if (from === null) {
        member.position = this.tail.positionNow();
        member.live = true;
      }
      // Live by now, or with a cursor still to read from: what ends after this look is told as an event.
      if (await this.hasEnded(plan)) {
        await member.sendPaced(await this.execution.payload(plan, lastWordRoot(this.tail.positionNow())));
        this.leave(group, member);
        return member.complete();
      }
      if (from !== null) await this.catchUp(plan, member, from);
    } catch (error) {
      this.leave(group, member);
      throw error;
    }
  }

  stop(): void {
    this.unsubscribe();
  }

  /** Reads the log up to the tail, and steps over into live delivery at the very position where both meet. */
  private async catchUp(plan: LivePlan, member: LiveMember, from: bigint): Promise<void> {
    for (let at = from; !member.closed;) {
      const through = this.tail.positionNow();
      const { events, trimmedThrough, head } = await this.readLog(plan.caller, { after: at, through, limit: REPLAY_EVENTS });
      if (at > head) throw new SimwardenError('BAD_CURSOR', { given: liveCursor(at) });
      if (at < trimmedThrough) {
        await member.sendPaced(await this.execution.payload(plan, gapRoot(at, trimmedThrough)));
        at = trimmedThrough;
        continue;
      }
      for (const event of events) {
        if (member.closed) return;
        if (concerns(plan, event)) await member.sendPaced(await this.execution.payload(plan, eventRoot(event)));
        at = BigInt(event.position);
      }
      if (events.length < REPLAY_EVENTS && through > at) at = through;
      // No await between this comparison and the step: the tail can't move in between.
      if (at >= this.tail.positionNow()) {
        member.position = at;
        member.live = true;
        return;
      }
    }
  }

  private async hasEnded({ field, caller, args }: LivePlan): Promise<boolean> {
    if (!field.hasEnded) return false;
    const context = new OperationContext(this.services, caller, 'graphql.follow');
    try {
      return await field.hasEnded(context, args);
    } finally {
      await context.end();
    }
  }

  private async readLog(caller: Caller, range: EventRange): Promise<{ events: LoggedEvent[]; trimmedThrough: bigint; head: bigint }> {
    const context = new OperationContext(this.services, caller, 'graphql.replay');
    try {
      return await context.read(async (transaction: Transaction) => {
        const events = isOperator(caller)
          ? await readEvents(transaction, range)
          : await readClientEvents(transaction, caller.clientId, range);
        // After the events: what retention drops in between shows as a gap, not as silence.
        const { trimmedThrough, position } = await readHead(transaction);
        return { events, trimmedThrough, head: position };
      });
    } finally {
      await context.end();
    }
  }

  private groupOf(plan: LivePlan): LiveGroup {
    let group = this.groups.get(plan.key);
    if (!group) {
      group = new LiveGroup(plan, this.execution);
      this.groups.set(plan.key, group);
      const key = indexKey(plan);
      this.index.set(key, (this.index.get(key) ?? new Set()).add(group));
    }
    return group;
  }

  private leave(group: LiveGroup, member: LiveMember): void {
    group.members.delete(member);
    if (group.members.size > 0 || this.groups.get(group.plan.key) !== group) return;
    this.groups.delete(group.plan.key);
    const key = indexKey(group.plan);
    this.index.get(key)?.delete(group);
    if (this.index.get(key)?.size === 0) this.index.delete(key);
  }

  private offer(event: LoggedEvent): void {
    this.told = BigInt(event.position);
    for (const client of [event.clientId, '*']) {
      for (const group of this.index.get(`${event.type} ${client}`) ?? []) group.offer(event);
    }
  }

  private offerGap(lostThrough: bigint): void {
    const from = this.told ?? 0n;
    this.told = lostThrough;
    for (const group of this.groups.values()) group.offerGap(from, lostThrough);
  }
}

function indexKey({ field, caller }: LivePlan): string {
  return `${field.eventType} ${isOperator(caller) ? '*' : caller.clientId}`;
}
