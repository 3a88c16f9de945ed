/** A device: the thing that a SIM sits in, with the model family that baselines are kept for. */
import { Field, ObjectType } from 'type-graphql';
import { connectionOf } from '../graphql/connection';
import { defineLoader } from '../graphql/context';
import { toGlobalId } from '../graphql/global-id';
import { Node } from '../graphql/nodes';
import { DateTimeScalar } from '../graphql/scalars';
import { batchByClient } from './client-batch';
import { Criticality } from './states';

export interface DeviceRow {
  readonly client_id: number;
  readonly device_id: string;
  readonly sim_id: string | null;
  readonly name: string | null;
  readonly family: string;
  readonly criticality: Criticality;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const DEVICE_COLUMNS = 'client_id, device_id, sim_id, name, family, criticality, created_at, updated_at';

@ObjectType({ implements: Node, description: 'The thing that a SIM sits in.' })
export class Device extends Node {
  @Field(() => String, { nullable: true, description: 'What the client calls it; null where it has no name.' })
  name: string | null;
  @Field(() => String, { description: 'Device model family: usage is compared within it. UNKNOWN where nobody said.' })
  family: string;
  @Field(() => Criticality, { description: 'What it costs when the device is cut off.' })
  criticality: Criticality;
  @Field(() => DateTimeScalar, { description: 'When the device was registered.' })
  createdAt: Date;
  @Field(() => DateTimeScalar, { description: 'When the device itself was last changed.' })
  updatedAt: Date;
  clientId: number;
  deviceId: string;
  simId: string | null;

  static of(row: DeviceRow): Device {
    return Object.assign(new Device(), {
      id: toGlobalId('Device', row.client_id, row.device_id),
      clientId: row.client_id,
      deviceId: row.device_id,
      simId: row.sim_id,
      name: row.name,
      family: row.family,
      criticality: row.criticality,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    });
  }
}

@ObjectType({ description: 'A page of devices.' })
export class DeviceConnection extends connectionOf(Device, 'Device') {}

/** By `${clientId}:${simId}`. */
export const deviceBySimLoader = defineLoader<string, Device>('deviceBySim', (keys, context) =>
  batchByClient(keys, async (clientId, simIds) => {
    const rows = await context.read((tx) =>
      tx.query<DeviceRow>(`SELECT ${DEVICE_COLUMNS} FROM device WHERE client_id = $1 AND sim_id = ANY($2::int8[])`, [clientId, simIds]),
    );
    return new Map(rows.map((row) => [row.sim_id!, Device.of(row)]));
  }),
);
