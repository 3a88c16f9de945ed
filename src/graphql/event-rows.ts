/** Rows of the event log as the live machinery reads them. */
import type { Transaction } from '../database/database';
import type { EventType, LoggedEvent } from './live';

export const EVENT_COLUMNS = 'client_id, event_id, type, subject_id, sequence, fields, from_state, to_state, attributes, occurred_at';

interface EventRow {
  position: string;
  client_id: number;
  type: EventType;
  subject_id: string;
  sequence: number;
  fields: string[];
  from_state: string | null;
  to_state: string | null;
  attributes: LoggedEvent['attributes'];
  occurred_at: Date;
}

function eventOf(row: EventRow): LoggedEvent {
  return {
    position: row.position,
    clientId: row.client_id,
    type: row.type,
    subjectId: row.subject_id,
    sequence: row.sequence,
    fields: row.fields,
    fromState: row.from_state,
    toState: row.to_state,
    attributes: row.attributes,
    occurredAt: row.occurred_at,
  };
}

export interface EventHead {
  readonly position: bigint;
  /** Positions up to here were dropped by retention. */
  readonly trimmedThrough: bigint;
}

export async function readHead(transaction: Transaction): Promise<EventHead> {
  const [row] = await transaction.query<{ position: string; trimmed_through: string }>(
    'SELECT position, trimmed_through FROM event_head WHERE one = 1',
  );
  return { position: BigInt(row!.position), trimmedThrough: BigInt(row!.trimmed_through) };
}

export interface EventRange {
  /** Events after this position … */
  readonly after: bigint;
  /** … up to and with this one. */
  readonly through: bigint;
  readonly limit: number;
}

/** Events of every client, for the tail of a process and for operators: one of the few reads across clients. */
export async function readEvents(transaction: Transaction, range: EventRange): Promise<LoggedEvent[]> {
  const rows = await transaction.query<EventRow>(
    `SELECT position, ${EVENT_COLUMNS} FROM event_log WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3`,
    [range.after, range.through, range.limit],
  );
  return rows.map(eventOf);
}

export async function readClientEvents(transaction: Transaction, clientId: number, range: EventRange): Promise<LoggedEvent[]> {
  const rows = await transaction.query<EventRow>(
    `SELECT position, ${EVENT_COLUMNS} FROM event_log WHERE client_id = $1 AND position > $2 AND position <= $3 ORDER BY position LIMIT $4`,
    [clientId, range.after, range.through, range.limit],
  );
  return rows.map(eventOf);
}
