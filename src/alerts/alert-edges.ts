/** From an alert to its client, SIM and fleet, and back. */
import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { Client, clientLoader, Fleet, fleetLoader, loaderKey, Sim, simLoader } from '../fleet';
import { PageArgs, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { Alert, AlertConnection } from './alert';
import { AlertOrder } from './alert-filter';
import { alertPage } from './alert-queries';
import { AlertState } from './lifecycle';

@singleton()
@Resolver(() => Alert)
export class AlertEdges {
  @FieldResolver(() => Client, {
    nullable: true,
    description: 'The client that it is about; null for an alert of the platform as a whole, and for embed tokens.',
  })
  async client(@Root() { record }: Alert, @Ctx() context: GraphqlContext): Promise<Client | null> {
    return record.clientId === 0 ? null : context.load(clientLoader, loaderKey(record.clientId, String(record.clientId)));
  }

  @FieldResolver(() => Sim, {
    nullable: true,
    description: 'The SIM that it is about; null where it is about a fleet, a network or the client.',
  })
  async sim(@Root() { record }: Alert, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return record.simId === null ? null : context.load(simLoader, `${record.clientId}:${record.simId}`);
  }

  @FieldResolver(() => Fleet, {
    nullable: true,
    description: 'The fleet of the SIM in the latest window, or the fleet that it is about; null without one.',
  })
  async fleet(@Root() { record }: Alert, @Ctx() context: GraphqlContext): Promise<Fleet | null> {
    return record.fleetId === null ? null : context.load(fleetLoader, `${record.clientId}:${record.fleetId}`);
  }
}

@singleton()
@Resolver(() => Sim)
export class SimAlertEdge {
  @FieldResolver(() => AlertConnection, { description: 'Alerts of the SIM, latest raised first unless ordered otherwise.' })
  async alerts(
    @Root() sim: Sim,
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('state', () => [AlertState], { nullable: true, description: 'Only alerts in one of these states; default: all.' })
    state?: AlertState[] | null,
    @Arg('orderBy', () => AlertOrder, { nullable: true, description: 'How they are sorted; default: by CREATED_AT, DESC.' })
    orderBy?: AlertOrder | null,
  ): Promise<Connection<Alert>> {
    return alertPage(context, { sim: sim.id, state }, page, orderBy);
  }
}

@singleton()
@Resolver(() => Fleet)
export class FleetAlertEdge {
  @FieldResolver(() => AlertConnection, {
    description: 'Alerts of the fleet and of the SIMs in it, latest raised first unless ordered otherwise.',
  })
  async alerts(
    @Root() fleet: Fleet,
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('state', () => [AlertState], { nullable: true, description: 'Only alerts in one of these states; default: all.' })
    state?: AlertState[] | null,
    @Arg('orderBy', () => AlertOrder, { nullable: true, description: 'How they are sorted; default: by CREATED_AT, DESC.' })
    orderBy?: AlertOrder | null,
  ): Promise<Connection<Alert>> {
    return alertPage(context, { fleet: fleet.id, state }, page, orderBy);
  }
}
