/** A fleet: SIMs of one client that share limits and people. */
import { Field, ObjectType } from 'type-graphql';
import type { Transaction } from '../database/database';
import { connectionOf } from '../graphql/connection';
import { defineLoader } from '../graphql/context';
import { toGlobalId } from '../graphql/global-id';
import { Node } from '../graphql/nodes';
import { DateTimeScalar } from '../graphql/scalars';
import { batchByClient } from './client-batch';

export interface FleetRow {
  readonly client_id: number;
  readonly fleet_id: string;
  readonly name: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const FLEET_COLUMNS = 'client_id, fleet_id, name, created_at, updated_at';

@ObjectType({
  implements: Node,
  description: "A group of a client's SIMs that share limits. Usage belongs to the fleet that a SIM was in when it occurred.",
})
export class Fleet extends Node {
  @Field(() => String, { description: 'Name, unique within the client; inventories name the fleet by it.' })
  name: string;
  @Field(() => DateTimeScalar, { description: 'When the fleet was made.' })
  createdAt: Date;
  @Field(() => DateTimeScalar, { description: 'When the fleet itself was last changed.' })
  updatedAt: Date;
  clientId: number;
  fleetId: string;

  static of(row: FleetRow): Fleet {
    return Object.assign(new Fleet(), {
      id: toGlobalId('Fleet', row.client_id, row.fleet_id),
      clientId: row.client_id,
      fleetId: row.fleet_id,
      name: row.name,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    });
  }
}

@ObjectType({ description: 'A page of fleets.' })
export class FleetConnection extends connectionOf(Fleet, 'Fleet') {}

/** By `${clientId}:${fleetId}`. */
export const fleetLoader = defineLoader<string, Fleet>('fleet', (keys, context) =>
  batchByClient(keys, async (clientId, fleetIds) => {
    const rows = await context.read((tx) =>
      tx.query<FleetRow>(`SELECT ${FLEET_COLUMNS} FROM fleet WHERE client_id = $1 AND fleet_id = ANY($2::uuid[])`, [clientId, fleetIds]),
    );
    return new Map(rows.map((row) => [row.fleet_id, Fleet.of(row)]));
  }),
);

export async function findFleet(tx: Transaction, clientId: number, fleetId: string): Promise<Fleet | null> {
  const [row] = await tx.query<FleetRow>(`SELECT ${FLEET_COLUMNS} FROM fleet WHERE client_id = $1 AND fleet_id = $2`, [clientId, fleetId]);
  return row ? Fleet.of(row) : null;
}
