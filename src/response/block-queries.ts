/** Reads block requests, and resolves their edges. */
import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage, maySee, mayUse, readScope, requirePermission, RowFilter } from '../access';
import { Fleet, fleetLoader, loaderKey, Sim, simLoader } from '../fleet';
import { decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId } from '../graphql/global-id';
import { registerNode } from '../graphql/nodes';
import { BlockRequestState } from './block-lifecycle';
import { BlockOperation, BlockOrder, BlockOrderConnection, BlockRequest, BlockRequestConnection } from './block-request';
import { findRequest, REQUEST_COLUMNS, type StoredOrder, type StoredRequest } from './block-store';
import { BlockImpactFleet, BlockImpactSim } from './shown-impact';

@InputType({ description: 'Which block requests to show; all conditions hold at once.' })
export class BlockRequestFilter {
  @Field(() => ID, { nullable: true, description: "Only this client's. Operators who leave it out see all." })
  client?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only requests that name this SIM.' })
  sim?: string | null;
  @Field(() => [BlockRequestState], { nullable: true, description: 'Only requests in one of these states.' })
  states?: BlockRequestState[] | null;
  @Field(() => BlockOperation, { nullable: true, description: 'Only blocks, or only releases.' })
  operation?: BlockOperation | null;
}

@singleton()
@Resolver(() => BlockRequest)
export class BlockRequestResolver {
  @Query(() => BlockRequest, {
    nullable: true,
    description: 'A block request by its id; null when there is none, or it is not yours to see.',
  })
  async blockRequest(
    @Ctx() context: GraphqlContext,
    @Arg('id', () => ID, { description: 'Id of the request.' }) id: string,
  ): Promise<BlockRequest | null> {
    const parsed = requireGlobalId(id, 'BlockRequest');
    return maySee(context.caller, parsed) ? oneRequest(context, parsed.clientId, parsed.key) : null;
  }

  @Query(() => BlockRequestConnection, { description: 'Block requests, newest first.' })
  async blockRequests(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => BlockRequestFilter, { nullable: true, description: 'Which requests to show.' }) filter?: BlockRequestFilter | null,
  ): Promise<Connection<BlockRequest>> {
    const scope = readScope(context.caller, filter?.client);
    if (scope === null) return emptyPage(page);
    const sim = filter?.sim ? requireGlobalId(filter.sim, 'Sim', 'int8') : null;
    if (filter?.sim && (!maySee(context.caller, sim) || (scope.clientId !== null && sim.clientId !== scope.clientId)))
      return emptyPage(page);
    return requestPage(context, page, () => {
      const conditions = new RowFilter();
      const clientId = sim?.clientId ?? scope.clientId;
      if (clientId !== null) conditions.and('client_id = ?', clientId);
      if (sim) conditions.and(OF_SIM, sim.clientId, sim.key);
      if (filter?.states) conditions.and('state = ANY(?::text[])', filter.states);
      if (filter?.operation) conditions.and('operation = ?', filter.operation);
      return conditions;
    });
  }

  @FieldResolver(() => BlockOrderConnection, { description: "The request's SIMs and what became of each, by SIM." })
  async sims(
    @Root() request: BlockRequest,
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<Connection<BlockOrder>> {
    const { clientId, requestId } = request;
    const after = page.after ? decodeCursor(page.after, ['int8'])[0] : '0';
    const rows = await context.read((transaction) =>
      transaction.query<StoredOrder>(
        `SELECT request_id, sim_id, state, error_code, error, carried_out_at, verified_at FROM block_request_sim
       WHERE client_id = $1 AND request_id = $2 AND sim_id > $3::int8 ORDER BY sim_id LIMIT $4`,
        [clientId, requestId, after, page.first + 1],
      ),
    );
    const count = async (): Promise<number> =>
      (
        await context.read((transaction) =>
          transaction.query<{ count: number }>(
            'SELECT count(*)::int4 AS count FROM block_request_sim WHERE client_id = $1 AND request_id = $2',
            [clientId, requestId],
          ),
        )
      )[0]!.count;
    return pageOf(
      rows,
      page,
      (row) => [row.sim_id],
      (row) => BlockOrder.of(clientId, row),
      count,
    );
  }
}

@singleton()
@Resolver(() => Sim)
export class SimBlockResolver {
  @FieldResolver(() => BlockRequestConnection, { description: 'Requests to block or unblock this SIM, newest first.' })
  async blockRequests(
    @Root() sim: Sim,
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<Connection<BlockRequest>> {
    requirePermission(context.caller, 'Query.blockRequests');
    return requestPage(context, page, () => new RowFilter().and('client_id = ?', sim.clientId).and(OF_SIM, sim.clientId, sim.simId));
  }
}

@singleton()
@Resolver(() => BlockOrder)
export class BlockOrderResolver {
  @FieldResolver(() => Sim, { description: 'The SIM.' })
  sim(@Root() order: BlockOrder, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return context.load(simLoader, loaderKey(order.clientId, order.simId));
  }
}

@singleton()
@Resolver(() => BlockImpactSim)
export class BlockImpactSimResolver {
  @FieldResolver(() => Sim, { description: 'The SIM.' })
  sim(@Root() impact: BlockImpactSim, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return context.load(simLoader, loaderKey(impact.clientId, impact.simId));
  }
}

@singleton()
@Resolver(() => BlockImpactFleet)
export class BlockImpactFleetResolver {
  @FieldResolver(() => Fleet, { nullable: true, description: 'The fleet; null for SIMs without one.' })
  async fleet(@Root() impact: BlockImpactFleet, @Ctx() context: GraphqlContext): Promise<Fleet | null> {
    return impact.fleetId === null ? null : context.load(fleetLoader, loaderKey(impact.clientId, impact.fleetId));
  }
}

const OF_SIM = `EXISTS (SELECT 1 FROM block_request_sim AS ordered
  WHERE ordered.client_id = ? AND ordered.sim_id = ? AND ordered.request_id = block_request.request_id)`;

async function requestPage(context: GraphqlContext, page: PageArgs, conditions: () => RowFilter): Promise<Connection<BlockRequest>> {
  const shown = conditions();
  if (page.after) shown.and('(created_at, request_id) < (?::timestamptz, ?::uuid)', ...decodeCursor(page.after, ['instant', 'uuid']));
  const rows = await context.read((transaction) =>
    transaction.query<StoredRequest>(
      `SELECT ${REQUEST_COLUMNS} FROM block_request ${shown.where} ORDER BY created_at DESC, request_id DESC LIMIT ${page.first + 1}`,
      shown.parameters,
    ),
  );
  const count = async (): Promise<number> => {
    const all = conditions();
    const [counted] = await context.read((transaction) =>
      transaction.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM block_request ${all.where}`, all.parameters),
    );
    return counted!.count;
  };
  return pageOf(
    rows,
    page,
    (row) => [row.created_at.toISOString(), row.request_id],
    (row) => BlockRequest.of(row),
    count,
  );
}

async function oneRequest(context: GraphqlContext, clientId: number, requestId: string): Promise<BlockRequest | null> {
  const row = await context.read((transaction) => findRequest(transaction, clientId, requestId));
  return row ? BlockRequest.of(row) : null;
}

registerNode('BlockRequest', 'uuid', async (context, clientId, requestId) =>
  mayUse('Query.blockRequest', context.caller.role) ? oneRequest(context, clientId, requestId) : null,
);
