/** A SIM, with the four dimensions of its state apart. */
import { Field, ObjectType } from 'type-graphql';
import type { Transaction } from '../database/database';
import { connectionOf } from '../graphql/connection';
import { defineLoader } from '../graphql/context';
import { toGlobalId } from '../graphql/global-id';
import { Node } from '../graphql/nodes';
import { DateTimeScalar, IccidScalar } from '../graphql/scalars';
import { batchByClient } from './client-batch';
import { BlockMode, BlockState, SimLifecycle } from './states';

export interface SimColumns {
  readonly client_id: number;
  readonly sim_id: string;
  readonly iccid: string;
  readonly imsi: string | null;
  readonly msisdn: string | null;
  readonly fleet_id: string | null;
  readonly lifecycle: SimLifecycle;
  readonly block_state: BlockState;
  readonly block_mode: BlockMode | null;
  readonly block_reason: string | null;
  readonly block_actor: string | null;
  readonly block_changed_at: Date | null;
  readonly pending_operation: string | null;
  readonly pending_since: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly closed_at: Date | null;
}

/** For `FROM sim s`. */
export const SIM_COLUMNS = [
  'client_id',
  'sim_id',
  'iccid',
  'imsi',
  'msisdn',
  'fleet_id',
  'lifecycle',
  'block_state',
  'block_mode',
  'block_reason',
  'block_actor',
  'block_changed_at',
  'pending_operation',
  'pending_since',
  'created_at',
  'updated_at',
  'closed_at',
]
  .map((column) => `s.${column}`)
  .join(', ');

@ObjectType({ description: 'Something asked of the network that has not answered yet.' })
export class PendingOperation {
  @Field(() => String, { description: 'What was asked: BLOCK or UNBLOCK.' })
  operation: string;
  @Field(() => DateTimeScalar, { description: 'Since when the answer is awaited.' })
  since: Date;
}

@ObjectType({
  implements: Node,
  description:
    'A SIM of one client. Its state has four dimensions that say nothing about each other: lifecycle, reachability, block state, pending operation.',
})
export class Sim extends Node {
  @Field(() => IccidScalar, { description: "The SIM's number as it was given, 19 or 20 digits." })
  iccid: string;
  @Field(() => SimLifecycle, { description: 'Where the subscription stands.' })
  lifecycle: SimLifecycle;
  @Field(() => BlockState, { description: 'Whether we cut it off.' })
  blockState: BlockState;
  @Field(() => BlockMode, { nullable: true, description: 'How it is, or is to be, cut off; null where it is not.' })
  blockMode: BlockMode | null;
  @Field(() => String, { nullable: true, description: 'Why the block state is what it is; null where it never changed.' })
  blockReason: string | null;
  @Field(() => String, { nullable: true, description: 'Who changed the block state last; null where it never changed.' })
  blockActor: string | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When the block state changed last; null: never.' })
  blockChangedAt: Date | null;
  @Field(() => PendingOperation, { nullable: true, description: 'What the network still has to answer; null: nothing.' })
  pendingOperation: PendingOperation | null;
  @Field(() => DateTimeScalar, { description: 'When the SIM was registered with this client.' })
  createdAt: Date;
  @Field(() => DateTimeScalar, { description: 'When the SIM itself was last changed.' })
  updatedAt: Date;
  @Field(() => DateTimeScalar, {
    nullable: true,
    description: "From when the SIM belongs to another client; its history until then stays here. null: it is this client's.",
  })
  closedAt: Date | null;
  clientId: number;
  simId: string;
  fleetId: string | null;
  /** Shown to people, not to portals. */
  imsi: string | null;
  /** Shown to people, not to portals. */
  msisdn: string | null;

  static of(row: SimColumns): Sim {
    return Object.assign(new Sim(), {
      id: toGlobalId('Sim', row.client_id, row.sim_id),
      clientId: row.client_id,
      simId: row.sim_id,
      fleetId: row.fleet_id,
      iccid: row.iccid,
      imsi: row.imsi,
      msisdn: row.msisdn,
      lifecycle: row.lifecycle,
      blockState: row.block_state,
      blockMode: row.block_mode,
      blockReason: row.block_reason,
      blockActor: row.block_actor,
      blockChangedAt: row.block_changed_at,
      pendingOperation:
        row.pending_operation === null || row.pending_since === null
          ? null
          : { operation: row.pending_operation, since: row.pending_since },
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      closedAt: row.closed_at,
    });
  }
}

@ObjectType({ description: 'A page of SIMs.' })
export class SimConnection extends connectionOf(Sim, 'Sim') {}

/** By `${clientId}:${simId}`; closed SIMs too. */
export const simLoader = defineLoader<string, Sim>('sim', (keys, context) =>
  batchByClient(keys, async (clientId, simIds) => {
    const rows = await context.read((tx) =>
      tx.query<SimColumns>(`SELECT ${SIM_COLUMNS} FROM sim s WHERE s.client_id = $1 AND s.sim_id = ANY($2::int8[])`, [clientId, simIds]),
    );
    return new Map(rows.map((row) => [row.sim_id, Sim.of(row)]));
  }),
);

export async function findSim(tx: Transaction, clientId: number, simId: string): Promise<Sim | null> {
  const [row] = await tx.query<SimColumns>(`SELECT ${SIM_COLUMNS} FROM sim s WHERE s.client_id = $1 AND s.sim_id = $2`, [clientId, simId]);
  return row ? Sim.of(row) : null;
}
