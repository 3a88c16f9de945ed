/** Live fields: how a slice declares a subscription root field over the event log. Delivery (groups, replay, back-pressure) is the machinery's. */
import type { Transaction } from '../database/database';
import type { GraphqlContext } from './context';

/** A row of the event log: what changed, not the object, which is resolved as it is now. */
export interface LoggedEvent {
  /** Dense position in the log, decimal string. */
  readonly position: string;
  readonly clientId: number;
  readonly type: EventType;
  /** Key of the changed object (alert id, incident id, sim id). */
  readonly subjectId: string;
  /** Rises by one with every change of the subject. */
  readonly sequence: number;
  /** Names of the fields that changed. */
  readonly fields: readonly string[];
  readonly fromState: string | null;
  readonly toState: string | null;
  /** Values that filters look at without reading the object (simId, fleetId, severity, kind, detector…). */
  readonly attributes: Readonly<Record<string, string | number | boolean | null>>;
  readonly occurredAt: Date;
}

export type EventType = 'ALERT_CHANGED' | 'INCIDENT_CHANGED' | 'SIM_BLOCK_STATE_CHANGED' | 'DETECTION_RUN_PROGRESS' | 'BACKTEST_PROGRESS';

export type NewEvent = Omit<LoggedEvent, 'position'>;

/**
 * What a live field's resolver receives as root: an event; or the marker that a cursor was too old (`gap`); or, where both are null, the request
 * for the last word on something that has ended.
 * `cursor` is what a client passes as `after`.
 */
export type LiveRoot =
  | { readonly event: LoggedEvent; readonly cursor: string; readonly gap: null }
  | { readonly event: null; readonly cursor: string; readonly gap: { readonly missedFrom: string; readonly resumesAt: string } | null };

export interface LiveField {
  /** Name of the subscription root field. */
  readonly name: string;
  readonly eventType: EventType;
  /** Whether an event passes the field's arguments (as coerced by GraphQL, `after` apart). Pure; looks at the event only. */
  readonly matches: (event: LoggedEvent, args: Readonly<Record<string, unknown>>) => boolean;
  /**
   * Of a field that follows one object: throws where there is none to follow, so that nobody waits for ever, and answers whether it has ended. Then
   * the subscriber gets the last word on it, and the subscription completes.
   */
  readonly hasEnded?: (context: GraphqlContext, args: Readonly<Record<string, unknown>>) => Promise<boolean>;
}

export const liveFields = new Map<string, LiveField>();

/** Registers a live field; answers the value for type-graphql's `@Subscription({ subscribe })`, which is never called: the machinery serves live fields itself. */
export function liveField(field: LiveField): () => AsyncIterable<never> {
  liveFields.set(field.name, field);
  return () => {
    throw new Error(`${field.name} is served by the live machinery over WebSocket`);
  };
}

/** Puts an event into the log in the transaction of its cause; it becomes visible once the sequencer gave it a position. */
export async function appendEvent(transaction: Transaction, eventId: string, event: NewEvent): Promise<void> {
  await transaction.query(
    `INSERT INTO event_pending (client_id, event_id, type, subject_id, sequence, fields, from_state, to_state, attributes, occurred_at)
     VALUES ($1, $2, $3, $4, $5, $6::text[], $7, $8, $9::jsonb, $10)`,
    [
      event.clientId,
      eventId,
      event.type,
      event.subjectId,
      event.sequence,
      event.fields,
      event.fromState,
      event.toState,
      JSON.stringify(event.attributes),
      event.occurredAt,
    ],
  );
  transaction.poke('event_pending');
}
