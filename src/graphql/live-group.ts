/** Subscribers who share executions: each event is executed and serialised once, then sent to every member it is new to. */
import { liveCursor } from './live-cursor';
import type { LiveExecution } from './live-execution';
import { concerns, type LivePlan } from './live-plan';
import type { LiveRoot, LoggedEvent } from './live';

/** Events that may wait for execution; beyond, members are told to come back with their cursor. */
const MOST_WAITING = 5000;

export interface LiveMember {
  /** Everything up to here was delivered or is none of its concern. */
  position: bigint;
  /** False while it is still being caught up from the log. */
  live: boolean;
  /** Sends an execution result (JSON). */
  send(payload: string): void;
  /** Sends, and resolves when the socket took it: paces a replay by its reader. */
  sendPaced(payload: string): Promise<void>;
  readonly closed: boolean;
  /** Nothing more will come. */
  complete(): void;
  /** The member can't be served as fast as events come. */
  fellBehind(): void;
}

interface Due {
  readonly position: bigint;
  readonly root: LiveRoot;
}

export class LiveGroup {
  readonly members = new Set<LiveMember>();
  private readonly due: Due[] = [];
  private working = false;

  constructor(
    readonly plan: LivePlan,
    private readonly execution: LiveExecution,
  ) {}

  offer(event: LoggedEvent): void {
    if (concerns(this.plan, event)) this.enqueue({ position: BigInt(event.position), root: eventRoot(event) });
  }

  offerGap(from: bigint, through: bigint): void {
    this.enqueue({ position: through, root: gapRoot(from, through) });
  }

  private enqueue(due: Due): void {
    this.due.push(due);
    if (this.due.length > MOST_WAITING) {
      this.due.length = 0;
      for (const member of this.members) member.fellBehind();
      return;
    }
    if (!this.working) void this.work();
  }

  private async work(): Promise<void> {
    this.working = true;
    for (let next = this.due.shift(); next; next = this.due.shift()) {
      if (!this.isAwaited(next.position)) continue;
      const payload = await this.execution.payload(this.plan, next.root);
      for (const member of this.members) {
        if (!member.live || member.position >= next.position) continue;
        member.position = next.position;
        member.send(payload);
      }
    }
    this.working = false;
  }

  private isAwaited(position: bigint): boolean {
    for (const member of this.members) if (member.live && member.position < position) return true;
    return false;
  }
}

export function eventRoot(event: LoggedEvent): LiveRoot {
  return { event, cursor: liveCursor(event.position), gap: null };
}

export function lastWordRoot(position: bigint): LiveRoot {
  return { event: null, cursor: liveCursor(position), gap: null };
}

export function gapRoot(from: bigint, through: bigint): LiveRoot {
  return { event: null, cursor: liveCursor(through), gap: { missedFrom: liveCursor(from), resumesAt: liveCursor(through) } };
}
