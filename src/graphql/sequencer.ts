/** Gives events their place: moves what writers left into the log, at dense positions, one process at a time. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../database/database';
import { PokedLoop } from '../database/poked-loop';
import { Clock, Log } from '../runtime';
import { EVENT_COLUMNS, readHead } from './event-rows';

const BATCH_EVENTS = 1000;
const POLL_MILLISECONDS = 250;
const RETENTION_DAYS = 7;
const TRIM_EVERY_MILLISECONDS = 10 * 60 * 1000;

interface PendingEvent {
  client_id: number;
  event_id: string;
  type: string;
  subject_id: string;
  sequence: number;
}

@singleton()
export class Sequencer {
  private readonly loop: PokedLoop;
  private lastTrim = 0;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.loop = new PokedLoop({
      name: 'sequencer',
      database,
      channel: 'event_pending',
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

  private async work(): Promise<boolean> {
    const more = await this.sequence();
    if (more) return true;
    const now = this.clock.now().getTime();
    if (Math.abs(now - this.lastTrim) < TRIM_EVERY_MILLISECONDS) return false;
    this.lastTrim = now;
    while (await this.trim());
    return false;
  }

  /** Positions one batch; true where more may wait. */
  async sequence(batchEvents = BATCH_EVENTS): Promise<boolean> {
    return this.database.transaction({ name: 'events.sequence', role: 'ingest' }, async (transaction) => {
      const [waiting] = await transaction.query<{ any: boolean }>('SELECT EXISTS (SELECT 1 FROM event_pending) AS "any"');
      if (!waiting?.any) return false;
      const [head] = await transaction.query<{ position: string }>('SELECT position FROM event_head WHERE one = 1 FOR UPDATE');
      // Read under the lock: whoever held it before has committed what it moved.
      const pending = await this.nextPending(transaction, batchEvents);
      if (pending.length === 0) return false;
      const first = BigInt(head!.position) + 1n;
      await this.move(transaction, pending, first);
      await transaction.query('UPDATE event_head SET position = $1 WHERE one = 1', [first + BigInt(pending.length) - 1n]);
      transaction.poke('event_log');
      return pending.length >= batchEvents;
    });
  }

  /** The next events in the order of their making, each subject's in the order of its sequence. */
  private async nextPending(transaction: Transaction, limit: number): Promise<PendingEvent[]> {
    const batch = await transaction.query<PendingEvent>(
      'SELECT client_id, event_id, type, subject_id, sequence FROM event_pending ORDER BY event_id LIMIT $1',
      [limit],
    );
    // Clocks of processes differ, so an earlier change of a subject may sort behind the cut: fetch it too.
    const earlier =
      batch.length < limit
        ? []
        : await transaction.query<PendingEvent>(
            `SELECT DISTINCT pending.client_id, pending.event_id, pending.type, pending.subject_id, pending.sequence
       FROM event_pending pending
       JOIN unnest($1::int4[], $2::text[], $3::text[], $4::int4[]) AS cut (client_id, type, subject_id, sequence)
         ON pending.client_id = cut.client_id AND pending.type = cut.type AND pending.subject_id = cut.subject_id AND pending.sequence < cut.sequence`,
            [
              batch.map((event) => event.client_id),
              batch.map((event) => event.type),
              batch.map((event) => event.subject_id),
              batch.map((event) => event.sequence),
            ],
          );
    const known = new Set(batch.map((event) => event.event_id));
    return inSubjectOrder([...batch, ...earlier.filter((event) => !known.has(event.event_id))]);
  }

  private async move(transaction: Transaction, events: readonly PendingEvent[], first: bigint): Promise<void> {
    const byClient = new Map<number, { ids: string[]; positions: bigint[] }>();
    events.forEach((event, index) => {
      const client = byClient.get(event.client_id) ?? { ids: [], positions: [] };
      byClient.set(event.client_id, client);
      client.ids.push(event.event_id);
      client.positions.push(first + BigInt(index));
    });
    for (const [clientId, { ids, positions }] of byClient) {
      const moved = await transaction.query(
        `WITH moved AS MATERIALIZED (
           DELETE FROM event_pending WHERE client_id = $1 AND event_id = ANY($2::uuid[]) RETURNING ${EVENT_COLUMNS}
         )
         INSERT INTO event_log (position, ${EVENT_COLUMNS}, logged_at)
         SELECT place.position, ${EVENT_COLUMNS.split(', ')
           .map((column) => `moved.${column}`)
           .join(', ')}, $4::timestamptz
         FROM moved JOIN unnest($2::uuid[], $3::int8[]) AS place (event_id, position) ON place.event_id = moved.event_id
         RETURNING position`,
        [clientId, ids, positions.map(String), this.clock.now()],
      );
      if (moved.length !== ids.length) throw new Error(`sequencer: ${ids.length} events of client ${clientId} became ${moved.length}`);
    }
  }

  /** Drops events past retention, oldest first; true where more may be due. */
  async trim(batchEvents = BATCH_EVENTS): Promise<boolean> {
    const cutoff = new Date(this.clock.now().getTime() - RETENTION_DAYS * 86_400_000);
    return this.database.transaction({ name: 'events.trim', role: 'ingest' }, async (transaction) => {
      const { trimmedThrough } = await readHead(transaction);
      const oldest = await transaction.query<{ client_id: number; position: string; logged_at: Date }>(
        'SELECT client_id, position, logged_at FROM event_log WHERE position > $1 ORDER BY position LIMIT $2',
        [trimmedThrough, batchEvents],
      );
      const kept = oldest.findIndex((event) => event.logged_at >= cutoff);
      const dropped = kept === -1 ? oldest : oldest.slice(0, kept);
      const last = dropped.at(-1);
      if (!last) return false;
      for (const clientId of new Set(dropped.map((event) => event.client_id))) {
        await transaction.query('DELETE FROM event_log WHERE client_id = $1 AND position > $2 AND position <= $3', [
          clientId,
          trimmedThrough,
          last.position,
        ]);
      }
      await transaction.query('UPDATE event_head SET trimmed_through = greatest(trimmed_through, $1) WHERE one = 1', [last.position]);
      return dropped.length >= batchEvents;
    });
  }
}

/** Keeps the order given, but lets each subject's events stand in its places by rising sequence. */
function inSubjectOrder(events: readonly PendingEvent[]): PendingEvent[] {
  const ordered = [...events].sort((a, b) => (a.event_id < b.event_id ? -1 : a.event_id > b.event_id ? 1 : 0));
  const bySubject = new Map<string, PendingEvent[]>();
  const subjectOf = (event: PendingEvent): string => `${event.client_id}:${event.type}:${event.subject_id}`;
  for (const event of ordered) bySubject.set(subjectOf(event), [...(bySubject.get(subjectOf(event)) ?? []), event]);
  for (const own of bySubject.values()) own.sort((a, b) => a.sequence - b.sequence);
  return ordered.map((event) => bySubject.get(subjectOf(event))!.shift()!);
}
