/** A binding: an IMEI that a SIM may sit in. A SIM may have several, or none, which allows any. */
import { Field, ObjectType } from 'type-graphql';
import { defineLoader } from '../graphql/context';
import { toGlobalId } from '../graphql/global-id';
import { Node } from '../graphql/nodes';
import { DateTimeScalar, ImeiScalar } from '../graphql/scalars';
import { batchByClient } from './client-batch';

export interface BindingRow {
  readonly client_id: number;
  readonly sim_id: string;
  readonly imei14: string;
  readonly imei: string;
  readonly bound_at: Date;
  readonly bound_by: string;
}

export const BINDING_COLUMNS = 'client_id, sim_id, imei14, imei, bound_at, bound_by';

@ObjectType({ implements: Node, description: 'An IMEI that a SIM may sit in. IMEI and IMEISV are compared by their first 14 digits.' })
export class ImeiBinding extends Node {
  @Field(() => ImeiScalar, { description: 'As it was given.' })
  imei: string;
  @Field(() => String, { description: 'Type allocation code, the first 8 digits: the modem model.' })
  tac: string;
  @Field(() => DateTimeScalar, { description: 'When it was bound.' })
  boundAt: Date;
  @Field(() => String, { description: 'Name of the credential that bound it.' })
  boundBy: string;
  clientId: number;
  simId: string;

  static of(row: BindingRow): ImeiBinding {
    return Object.assign(new ImeiBinding(), {
      id: toGlobalId('ImeiBinding', row.client_id, `${row.sim_id}.${row.imei14}`),
      clientId: row.client_id,
      simId: row.sim_id,
      imei: row.imei,
      tac: row.imei14.slice(0, 8),
      boundAt: row.bound_at,
      boundBy: row.bound_by,
    });
  }
}

/** By `${clientId}:${simId}`; null where a SIM has none. */
export const bindingsBySimLoader = defineLoader<string, ImeiBinding[]>('bindingsBySim', (keys, context) =>
  batchByClient(keys, async (clientId, simIds) => {
    const rows = await context.read((tx) =>
      tx.query<BindingRow>(
        `SELECT ${BINDING_COLUMNS} FROM imei_binding WHERE client_id = $1 AND sim_id = ANY($2::int8[]) ORDER BY sim_id, bound_at, imei14`,
        [clientId, simIds],
      ),
    );
    const bySim = new Map<string, ImeiBinding[]>();
    for (const row of rows) {
      const known = bySim.get(row.sim_id);
      if (known) known.push(ImeiBinding.of(row));
      else bySim.set(row.sim_id, [ImeiBinding.of(row)]);
    }
    return bySim;
  }),
);
