/** The end of the event log as one process follows it: every event once, in order, never past a hole. */
import { singleton } from 'tsyringe';
import { Database } from '../database/database';
import { PokedLoop } from '../database/poked-loop';
import { Log } from '../runtime';
import { readEvents, readHead } from './event-rows';
import type { LoggedEvent } from './live';

const BATCH_EVENTS = 500;
const POLL_MILLISECONDS = 250;
const END_OF_LOG = 9_223_372_036_854_775_807n;

/** `events` are dense and follow what was told before; `lostThrough`: retention dropped events that this process had not read. */
export type TailListener = (news: { readonly events: readonly LoggedEvent[]; readonly lostThrough: bigint | null }) => void;

@singleton()
export class EventTail {
  private readonly loop: PokedLoop;
  private readonly listeners = new Set<TailListener>();
  private reached: bigint | null = null;

  constructor(
    private readonly database: Database,
    log: Log,
  ) {
    this.loop = new PokedLoop({
      name: 'event tail',
      database,
      channel: 'event_log',
      pollMilliseconds: POLL_MILLISECONDS,
      log,
      work: () => this.work(),
    });
  }

  start(): void {
    this.loop.start();
  }
  stop(): Promise<void> {
    return this.loop.stop();
  }
  drain(): Promise<void> {
    return this.loop.drain();
  }

  /** Position of the last event that listeners were told of. */
  async position(): Promise<bigint> {
    if (this.reached === null) await this.drain();
    return this.reached!;
  }

  /** The same at once; only after `position()` has answered. */
  positionNow(): bigint {
    if (this.reached === null) throw new Error('the event tail has not read the head of the log yet');
    return this.reached;
  }

  /** Answers the function that ends it. */
  onEvents(listener: TailListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private async work(): Promise<boolean> {
    const after = this.reached;
    const read = await this.database.transaction({ name: 'events.tail', role: 'ingest', readOnly: true }, async (transaction) => {
      if (after === null) return { head: await readHead(transaction), events: [] };
      const events = await readEvents(transaction, { after, through: END_OF_LOG, limit: BATCH_EVENTS });
      const hole = events.length > 0 && BigInt(events[0]!.position) !== after + 1n;
      return { head: hole ? await readHead(transaction) : null, events };
    });
    if (after === null) {
      this.reached = read.head!.position;
      return false;
    }
    if (read.head && read.head.trimmedThrough > after) {
      this.reached = read.head.trimmedThrough;
      this.tell([], this.reached);
      return true;
    }
    const events = densePrefix(read.events, after);
    if (events.length === 0) return false;
    this.reached = BigInt(events.at(-1)!.position);
    this.tell(events, null);
    return read.events.length === BATCH_EVENTS;
  }

  private tell(events: readonly LoggedEvent[], lostThrough: bigint | null): void {
    for (const listener of this.listeners) listener({ events, lostThrough });
  }
}

function densePrefix(events: readonly LoggedEvent[], after: bigint): readonly LoggedEvent[] {
  const hole = events.findIndex((event, index) => BigInt(event.position) !== after + BigInt(index) + 1n);
  return hole === -1 ? events : events.slice(0, hole);
}
