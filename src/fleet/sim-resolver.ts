/** SIMs over GraphQL: finding them, and what hangs on them. */
import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { maySee } from '../access';
import { isOperator, Role } from '../graphql/caller';
import { PageArgs, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId } from '../graphql/global-id';
import { registerNode } from '../graphql/nodes';
import { IccidScalar, ImsiScalar } from '../graphql/scalars';
import { Client, clientLoader } from './client';
import { loaderKey } from './client-batch';
import { Device, deviceBySimLoader } from './device';
import { lookup } from './directory';
import { Fleet, fleetLoader } from './fleet';
import { iccidSpellings, normaliseIccid, normaliseImsi } from './identifiers';
import { BINDING_COLUMNS, bindingsBySimLoader, ImeiBinding, type BindingRow } from './imei-binding';
import { LastSeen, presenceBySimLoader, Reachability, UNREACHED } from './presence';
import { Sim, SimConnection, simLoader } from './sim';
import { listSims, NEWEST_FIRST, SimFilter, SimOrder } from './sim-list';

@singleton()
@Resolver(() => Sim)
export class SimResolver {
  @Query(() => Sim, { nullable: true, description: 'A SIM by its id; null when there is none, or it is not yours to see.' })
  async sim(@Arg('id', () => ID, { description: 'Id of the SIM.' }) id: string, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    const sim = requireGlobalId(id, 'Sim', 'int8');
    return maySee(context.caller, sim) ? loadSim(context, sim.clientId, sim.key) : null;
  }

  @Query(() => Sim, {
    nullable: true,
    description: 'The SIM that has this ICCID now, in whichever spelling; null when there is none, or it is not yours to see.',
  })
  async simByIccid(
    @Arg('iccid', () => IccidScalar, { description: 'ICCID: 19 digits, or 20 with the check digit.' }) iccid: string,
    @Ctx() context: GraphqlContext,
  ): Promise<Sim | null> {
    const key = normaliseIccid(iccid);
    return key === null ? null : findByIdentifier(context, 'ICCID', key, iccidSpellings(key));
  }

  @Query(() => Sim, { nullable: true, description: 'The SIM that has this IMSI now; null when there is none, or it is not yours to see.' })
  async simByImsi(
    @Arg('imsi', () => ImsiScalar, { description: 'IMSI, 6 to 15 digits.' }) imsi: string,
    @Ctx() context: GraphqlContext,
  ): Promise<Sim | null> {
    const key = normaliseImsi(imsi);
    return key === null ? null : findByIdentifier(context, 'IMSI', key, [key]);
  }

  @Query(() => SimConnection, { description: 'SIMs, newest first unless another order is asked for.' })
  sims(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => SimFilter, { nullable: true, description: 'Which SIMs to show; default: all that the caller sees.' })
    filter?: SimFilter | null,
    @Arg('orderBy', () => SimOrder, { nullable: true, description: 'How to sort; default: newest first.' }) orderBy?: SimOrder | null,
  ): Promise<Connection<Sim>> {
    return listSims(context, filter ?? {}, orderBy ?? NEWEST_FIRST, page);
  }

  @FieldResolver(() => ImsiScalar, { nullable: true, description: 'Subscriber identity; null where it is unknown, and for embed tokens.' })
  imsi(@Root() sim: Sim, @Ctx() { caller }: GraphqlContext): string | null {
    return caller.role === Role.EMBED ? null : sim.imsi;
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'Telephone number, digits in international form; null where it is unknown, and for embed tokens.',
  })
  msisdn(@Root() sim: Sim, @Ctx() { caller }: GraphqlContext): string | null {
    return caller.role === Role.EMBED ? null : sim.msisdn;
  }

  @FieldResolver(() => Client, { nullable: true, description: 'The client that the SIM belongs to; null for embed tokens.' })
  client(@Root() sim: Sim, @Ctx() context: GraphqlContext): Promise<Client | null> {
    return context.load(clientLoader, loaderKey(sim.clientId, String(sim.clientId)));
  }

  @FieldResolver(() => Fleet, { nullable: true, description: 'The fleet that the SIM is in now; null: none.' })
  fleet(@Root() sim: Sim, @Ctx() context: GraphqlContext): Promise<Fleet | null> {
    return sim.fleetId === null ? Promise.resolve(null) : context.load(fleetLoader, loaderKey(sim.clientId, sim.fleetId));
  }

  @FieldResolver(() => Device, { nullable: true, description: 'The device that the SIM sits in.' })
  device(@Root() sim: Sim, @Ctx() context: GraphqlContext): Promise<Device | null> {
    return context.load(deviceBySimLoader, loaderKey(sim.clientId, sim.simId));
  }

  @FieldResolver(() => [ImeiBinding], { description: 'The IMEIs that the SIM may sit in, oldest first; none: it may sit anywhere.' })
  async bindings(@Root() sim: Sim, @Ctx() context: GraphqlContext): Promise<ImeiBinding[]> {
    return (await context.load(bindingsBySimLoader, loaderKey(sim.clientId, sim.simId))) ?? [];
  }

  @FieldResolver(() => Reachability, { description: 'Whether the SIM could be reached, and as of when.' })
  async reachability(@Root() sim: Sim, @Ctx() context: GraphqlContext): Promise<Reachability> {
    return (await context.load(presenceBySimLoader, loaderKey(sim.clientId, sim.simId)))?.reachability ?? UNREACHED;
  }

  @FieldResolver(() => LastSeen, { nullable: true, description: 'The last that was seen of the SIM; null: nothing yet.' })
  async lastSeen(@Root() sim: Sim, @Ctx() context: GraphqlContext): Promise<LastSeen | null> {
    return (await context.load(presenceBySimLoader, loaderKey(sim.clientId, sim.simId)))?.lastSeen ?? null;
  }
}

/** A SIM of a fleet that the caller may see; `clientId` was checked. */
export async function loadSim(context: GraphqlContext, clientId: number, simId: string): Promise<Sim | null> {
  const sim = await context.load(simLoader, loaderKey(clientId, simId));
  const { fleetIds } = context.caller;
  return sim && (fleetIds === null || (sim.fleetId !== null && fleetIds.includes(sim.fleetId))) ? sim : null;
}

/** Operators ask the directory; customers, who don't see it, look among their own. */
async function findByIdentifier(
  context: GraphqlContext,
  kind: 'ICCID' | 'IMSI',
  key: string,
  spellings: readonly string[],
): Promise<Sim | null> {
  const { caller } = context;
  if (isOperator(caller)) {
    const owner = (await context.read((tx) => lookup(tx, kind, [key]))).find((entry) => entry.validTo === null);
    return owner?.simId ? loadSim(context, owner.clientId, owner.simId) : null;
  }
  const column = kind === 'ICCID' ? 'iccid' : 'imsi';
  const [found] = await context.read((tx) =>
    tx.query<{ sim_id: string }>(
      `SELECT sim_id FROM sim WHERE client_id = $1 AND ${column} = ANY($2::text[]) AND closed_at IS NULL LIMIT 1`,
      [caller.clientId, spellings],
    ),
  );
  return found ? loadSim(context, caller.clientId, found.sim_id) : null;
}

registerNode('Sim', 'int8', loadSim);

registerNode('ImeiBinding', 'text', async (context, clientId, key) => {
  const [simId, imei14] = /^(\d{1,18})\.(\d{14})$/.exec(key)?.slice(1) ?? [];
  if (simId === undefined || imei14 === undefined || !(await loadSim(context, clientId, simId))) return null;
  const [row] = await context.read((tx) =>
    tx.query<BindingRow>(`SELECT ${BINDING_COLUMNS} FROM imei_binding WHERE client_id = $1 AND sim_id = $2 AND imei14 = $3`, [
      clientId,
      simId,
      imei14,
    ]),
  );
  return row ? ImeiBinding.of(row) : null;
});
