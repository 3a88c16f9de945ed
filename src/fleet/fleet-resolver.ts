/** Fleets over GraphQL. */
import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage, maySee, readScope, recordAudit, RowFilter, writeScope } from '../access';
import { sqlState } from '../database/sql-error';
import { SimwardenError } from '../errors';
import type { Caller } from '../graphql/caller';
import { decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId } from '../graphql/global-id';
import { registerNode } from '../graphql/nodes';
import { SafeTextScalar } from '../graphql/scalars';
import { UserError, withUserErrors } from '../graphql/user-error';
import { Client, clientLoader, requireClient } from './client';
import { loaderKey } from './client-batch';
import { findFleet, Fleet, FleetConnection, fleetLoader, FLEET_COLUMNS, type FleetRow } from './fleet';
import { requireName } from './registration-rows';
import { SimConnection, type Sim } from './sim';
import { listSims, NEWEST_FIRST } from './sim-list';

@InputType({ description: 'A fleet to make.' })
export class CreateFleetInput {
  @Field(() => ID, { nullable: true, description: 'Client that the fleet belongs to. Operators must give it; others may leave it out.' })
  client?: string | null;
  @Field(() => SafeTextScalar, { description: 'Name, unique within the client, 1 to 200 characters on one line.' })
  name: string;
}

@InputType({ description: 'Changes of a fleet.' })
export class UpdateFleetInput {
  @Field(() => ID, { description: 'The fleet.' })
  fleet: string;
  @Field(() => SafeTextScalar, { description: 'New name, unique within the client, 1 to 200 characters on one line.' })
  name: string;
}

@ObjectType({ description: 'The fleet that was made.' })
export class CreateFleetPayload {
  @Field(() => Fleet, { nullable: true, description: 'The fleet; null where there are user errors.' })
  fleet: Fleet | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where the fleet was made.' })
  userErrors: UserError[];
}

@ObjectType({ description: 'The fleet that was changed.' })
export class UpdateFleetPayload {
  @Field(() => Fleet, { nullable: true, description: 'The fleet; null where there are user errors.' })
  fleet: Fleet | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where the fleet was changed.' })
  userErrors: UserError[];
}

@singleton()
@Resolver(() => Fleet)
export class FleetResolver {
  @Query(() => Fleet, { nullable: true, description: 'A fleet by its id; null when there is none, or it is not yours to see.' })
  async fleet(@Arg('id', () => ID, { description: 'Id of the fleet.' }) id: string, @Ctx() context: GraphqlContext): Promise<Fleet | null> {
    const fleet = requireGlobalId(id, 'Fleet');
    return maySee(context.caller, fleet) ? loadFleet(context, fleet.clientId, fleet.key) : null;
  }

  @Query(() => FleetConnection, { description: 'Fleets by name.' })
  async fleets(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('client', () => ID, { nullable: true, description: 'Only fleets of this client. Operators who leave it out see all.' })
    client?: string | null,
  ): Promise<Connection<Fleet>> {
    const scope = readScope(context.caller, client);
    return scope === null ? emptyPage(page) : listFleets(context, scope.clientId, page);
  }

  @Mutation(() => CreateFleetPayload, { description: 'Makes a fleet.' })
  async createFleet(
    @Arg('input', () => CreateFleetInput, { description: 'The fleet.' }) input: CreateFleetInput,
    @Ctx() context: GraphqlContext,
  ): Promise<CreateFleetPayload> {
    return withUserErrors<CreateFleetPayload>(
      async () => {
        const clientId = writeScope(context.caller, input.client);
        const name = requireName(input.name, 'name', ['name']);
        const fleet = await context.write('fleet.createFleet', clientId, async (tx) => {
          await requireClient(tx, clientId);
          const [row] = await tx.query<FleetRow>(
            `INSERT INTO fleet (client_id, fleet_id, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
           ON CONFLICT (client_id, name) DO NOTHING RETURNING ${FLEET_COLUMNS}`,
            [clientId, context.entropy.uuid(), name, context.clock.now()],
          );
          if (!row) throw nameTaken(name);
          await recordAudit(tx, context, { clientId, action: 'createFleet', subject: `Fleet:${row.fleet_id}`, detail: { name } });
          return Fleet.of(row);
        });
        return { fleet, userErrors: [] };
      },
      (userErrors) => ({ fleet: null, userErrors }),
    );
  }

  @Mutation(() => UpdateFleetPayload, { description: 'Changes a fleet.' })
  async updateFleet(
    @Arg('input', () => UpdateFleetInput, { description: 'What to change.' }) input: UpdateFleetInput,
    @Ctx() context: GraphqlContext,
  ): Promise<UpdateFleetPayload> {
    return withUserErrors<UpdateFleetPayload>(
      async () => {
        const id = requireGlobalId(input.fleet, 'Fleet');
        if (!maySee(context.caller, id)) throw fleetNotFound();
        const name = requireName(input.name, 'name', ['name']);
        return { fleet: await rename(context, id.clientId, id.key, name), userErrors: [] };
      },
      (userErrors) => ({ fleet: null, userErrors }),
    );
  }

  @FieldResolver(() => Client, { nullable: true, description: 'The client that the fleet belongs to; null for embed tokens.' })
  client(@Root() fleet: Fleet, @Ctx() context: GraphqlContext): Promise<Client | null> {
    return context.load(clientLoader, loaderKey(fleet.clientId, String(fleet.clientId)));
  }

  @FieldResolver(() => SimConnection, { description: 'SIMs that are in the fleet now, newest first.' })
  sims(@Root() fleet: Fleet, @Ctx() context: GraphqlContext, @Args(() => PageArgs) page: PageArgs): Promise<Connection<Sim>> {
    return listSims(context, { fleet: fleet.id }, NEWEST_FIRST, page);
  }
}

@singleton()
@Resolver(() => Client)
export class ClientFleetResolver {
  @FieldResolver(() => FleetConnection, { description: 'Fleets of the client, by name.' })
  fleets(@Root() client: Client, @Ctx() context: GraphqlContext, @Args(() => PageArgs) page: PageArgs): Promise<Connection<Fleet>> {
    return listFleets(context, client.clientId, page);
  }

  @FieldResolver(() => SimConnection, { description: 'SIMs of the client, newest first.' })
  sims(@Root() client: Client, @Ctx() context: GraphqlContext, @Args(() => PageArgs) page: PageArgs): Promise<Connection<Sim>> {
    return listSims(context, { client: client.id }, NEWEST_FIRST, page);
  }
}

async function listFleets(context: GraphqlContext, clientId: number | null, page: PageArgs): Promise<Connection<Fleet>> {
  const shown = fleetConditions(context.caller, clientId);
  if (page.after) shown.and('(name, fleet_id) > (?::text, ?::uuid)', ...decodeCursor(page.after, ['text', 'uuid']));
  const rows = await context.read((tx) =>
    tx.query<FleetRow>(
      `SELECT ${FLEET_COLUMNS} FROM fleet ${shown.where} ORDER BY name, fleet_id LIMIT ${page.first + 1}`,
      shown.parameters,
    ),
  );
  return pageOf(
    rows,
    page,
    (row) => [row.name, row.fleet_id],
    (row) => Fleet.of(row),
    async () => {
      const all = fleetConditions(context.caller, clientId);
      const [counted] = await context.read((tx) =>
        tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM fleet ${all.where}`, all.parameters),
      );
      return counted!.count;
    },
  );
}

function fleetConditions(caller: Caller, clientId: number | null): RowFilter {
  const filter = new RowFilter();
  if (clientId !== null) filter.and('client_id = ?', clientId);
  if (caller.fleetIds) filter.and('fleet_id = ANY(?::uuid[])', caller.fleetIds);
  return filter;
}

async function loadFleet(context: GraphqlContext, clientId: number, fleetId: string): Promise<Fleet | null> {
  const { fleetIds } = context.caller;
  return fleetIds === null || fleetIds.includes(fleetId) ? context.load(fleetLoader, loaderKey(clientId, fleetId)) : null;
}

async function rename(context: GraphqlContext, clientId: number, fleetId: string, name: string): Promise<Fleet> {
  try {
    return await context.write('fleet.updateFleet', clientId, async (tx) => {
      const before = await findFleet(tx, clientId, fleetId);
      if (!before) throw fleetNotFound();
      if (before.name === name) return before;
      const [row] = await tx.query<FleetRow>(
        `UPDATE fleet SET name = $3, updated_at = $4 WHERE client_id = $1 AND fleet_id = $2 RETURNING ${FLEET_COLUMNS}`,
        [clientId, fleetId, name, context.clock.now()],
      );
      await recordAudit(tx, context, {
        clientId,
        action: 'updateFleet',
        subject: `Fleet:${fleetId}`,
        detail: { name: { from: before.name, to: name } },
      });
      return Fleet.of(row!);
    });
  } catch (error) {
    if (sqlState(error) === '23505') throw nameTaken(name);
    throw error;
  }
}

function fleetNotFound(): SimwardenError {
  return new SimwardenError('NOT_FOUND', { what: 'fleet' }, ['fleet']);
}

function nameTaken(name: string): SimwardenError {
  return new SimwardenError('ALREADY_EXISTS', { what: 'fleet', key: 'name', given: name }, ['name']);
}

registerNode('Fleet', 'uuid', loadFleet);
