/** A client: the customer that fleets and SIMs belong to. */
import { Field, Float, Int, ObjectType } from 'type-graphql';
import { mayUse } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { connectionOf } from '../graphql/connection';
import { defineLoader } from '../graphql/context';
import { toGlobalId } from '../graphql/global-id';
import { Node } from '../graphql/nodes';
import { DateTimeScalar } from '../graphql/scalars';
import { batchByClient } from './client-batch';

export interface ClientRow {
  readonly client_id: number;
  readonly name: string;
  readonly time_zone: string;
  readonly billing_cycle_day: number;
  readonly max_block_percent_per_hour: number;
  readonly second_person_above: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const CLIENT_COLUMNS =
  'client_id, name, time_zone, billing_cycle_day, max_block_percent_per_hour, second_person_above, created_at, updated_at';

@ObjectType({
  implements: Node,
  description: 'A customer of the connectivity provider, with fleets and SIMs of its own that no other customer sees.',
})
export class Client extends Node {
  @Field(() => String, { description: 'Name, unique among clients; inventories name the client by it.' })
  name: string;
  @Field(() => String, { description: 'IANA time zone of messages and maintenance windows; default UTC. Days of usage are always UTC.' })
  timeZone: string;
  @Field(() => Int, { description: 'Day of the month on which a billing period begins, 1 to 28; default 1. Monthly limits count from it.' })
  billingCycleDay: number;
  @Field(() => Float, {
    description: "Share of the client's SIMs, in percent (0 to 100), that may be blocked within an hour; 0: none at all; default 10.",
  })
  maxBlockPercentPerHour: number;
  @Field(() => Int, { description: 'A block of more SIMs than this needs a second person, 0 or more; default 10.' })
  secondPersonAbove: number;
  @Field(() => DateTimeScalar, { description: 'When the client was made.' })
  createdAt: Date;
  @Field(() => DateTimeScalar, { description: 'When the client itself was last changed.' })
  updatedAt: Date;
  clientId: number;

  static of(row: ClientRow): Client {
    return Object.assign(new Client(), {
      id: toGlobalId('Client', row.client_id, row.client_id),
      clientId: row.client_id,
      name: row.name,
      timeZone: row.time_zone,
      billingCycleDay: row.billing_cycle_day,
      maxBlockPercentPerHour: row.max_block_percent_per_hour,
      secondPersonAbove: row.second_person_above,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    });
  }
}

@ObjectType({ description: 'A page of clients.' })
export class ClientConnection extends connectionOf(Client, 'Client') {}

/**
 * By `${clientId}:${clientId}`. null for roles that may not ask for a client: from it, edges lead to all that it has, so a key that only ingests
 * must not reach it by way of its own viewer or quarantine.
 */
export const clientLoader = defineLoader<string, Client>('client', (keys, context) =>
  batchByClient(keys, async (clientId) => {
    const client = mayUse('Query.client', context.caller.role) ? await context.read((tx) => findClient(tx, clientId)) : null;
    return new Map(client ? [[String(clientId), client]] : []);
  }),
);

export async function findClient(tx: Transaction, clientId: number): Promise<Client | null> {
  const [row] = await tx.query<ClientRow>(`SELECT ${CLIENT_COLUMNS} FROM client WHERE client_id = $1`, [clientId]);
  return row ? Client.of(row) : null;
}

/** Throws NOT_FOUND: an operator may name a client that isn't there. */
export async function requireClient(tx: Transaction, clientId: number): Promise<void> {
  const rows = await tx.query('SELECT client_id FROM client WHERE client_id = $1', [clientId]);
  if (rows.length === 0) throw new SimwardenError('NOT_FOUND', { what: 'client' }, ['client']);
}

/** An IANA time zone that this process knows. Throws BAD_USER_INPUT. */
export function requireTimeZone(text: string): string {
  const known = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(text) && isTimeZone(text);
  if (!known)
    throw new SimwardenError(
      'BAD_USER_INPUT',
      { what: `timeZone "${text.slice(0, 80)}" is not an IANA time zone, such as Europe/Madrid.` },
      ['timeZone'],
    );
  return text;
}

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
