/** Devices over GraphQL. */
import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage, maySee, readScope, RowFilter } from '../access';
import type { Caller } from '../graphql/caller';
import { decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId } from '../graphql/global-id';
import { registerNode } from '../graphql/nodes';
import { SafeTextScalar } from '../graphql/scalars';
import { Device, DeviceConnection, DEVICE_COLUMNS, type DeviceRow } from './device';
import { Sim } from './sim';
import { loadSim } from './sim-resolver';
import { Criticality } from './states';

@InputType({ description: 'Which devices to show; all conditions hold at once.' })
export class DeviceFilter {
  @Field(() => ID, { nullable: true, description: 'Only devices of this client. Operators who leave it out see all.' })
  client?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only devices of this model family.' })
  family?: string | null;
  @Field(() => Criticality, { nullable: true, description: 'Only devices of this criticality.' })
  criticality?: Criticality | null;
}

@singleton()
@Resolver(() => Device)
export class DeviceResolver {
  @Query(() => Device, { nullable: true, description: 'A device by its id; null when there is none, or it is not yours to see.' })
  async device(
    @Arg('id', () => ID, { description: 'Id of the device.' }) id: string,
    @Ctx() context: GraphqlContext,
  ): Promise<Device | null> {
    const device = requireGlobalId(id, 'Device');
    return maySee(context.caller, device) ? findDevice(context, device.clientId, device.key) : null;
  }

  @Query(() => DeviceConnection, { description: 'Devices, newest first.' })
  async devices(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => DeviceFilter, { nullable: true, description: 'Which devices to show; default: all that the caller sees.' })
    filter?: DeviceFilter | null,
  ): Promise<Connection<Device>> {
    const scope = readScope(context.caller, filter?.client);
    if (scope === null) return emptyPage(page);
    const shown = deviceConditions(context.caller, scope.clientId, filter ?? {});
    if (page.after) shown.and('(d.created_at, d.device_id) < (?::timestamptz, ?::uuid)', ...decodeCursor(page.after, ['instant', 'uuid']));
    const rows = await context.read((tx) =>
      tx.query<DeviceRow>(
        `SELECT ${DEVICE_COLUMNS} FROM device d ${shown.where} ORDER BY d.created_at DESC, d.device_id DESC LIMIT ${page.first + 1}`,
        shown.parameters,
      ),
    );
    return pageOf(
      rows,
      page,
      (row) => [row.created_at.toISOString(), row.device_id],
      (row) => Device.of(row),
      async () => {
        const all = deviceConditions(context.caller, scope.clientId, filter ?? {});
        const [counted] = await context.read((tx) =>
          tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM device d ${all.where}`, all.parameters),
        );
        return counted!.count;
      },
    );
  }

  @FieldResolver(() => Sim, { nullable: true, description: 'The SIM that sits in the device; null: none.' })
  sim(@Root() device: Device, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return device.simId === null ? Promise.resolve(null) : loadSim(context, device.clientId, device.simId);
  }
}

function deviceConditions(caller: Caller, clientId: number | null, { family, criticality }: DeviceFilter): RowFilter {
  const filter = new RowFilter();
  if (clientId !== null) filter.and('d.client_id = ?', clientId);
  if (family) filter.and('d.family = ?', family);
  if (criticality) filter.and('d.criticality = ?', criticality);
  if (caller.fleetIds) {
    filter.and(
      'EXISTS (SELECT 1 FROM sim s WHERE s.client_id = d.client_id AND s.sim_id = d.sim_id AND s.fleet_id = ANY(?::uuid[]))',
      caller.fleetIds,
    );
  }
  return filter;
}

async function findDevice(context: GraphqlContext, clientId: number, deviceId: string): Promise<Device | null> {
  const [row] = await context.read((tx) =>
    tx.query<DeviceRow>(`SELECT ${DEVICE_COLUMNS} FROM device WHERE client_id = $1 AND device_id = $2`, [clientId, deviceId]),
  );
  if (!row) return null;
  const mayShow = context.caller.fleetIds === null || (row.sim_id !== null && (await loadSim(context, clientId, row.sim_id)) !== null);
  return mayShow ? Device.of(row) : null;
}

registerNode('Device', 'uuid', findDevice);
