/** Whose usage is asked for: a client, one of its fleets, or one SIM; and whether the caller may see it. */
import { Field, ID, InputType } from 'type-graphql';
import { maySee, requireClientId } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { isOperator, type Caller } from '../graphql/caller';
import { requireGlobalId, type GlobalId } from '../graphql/global-id';

@InputType({ description: 'Whose usage: exactly one of client, fleet and sim. A customer who gives none means its own client.' })
export class UsageScope {
  @Field(() => ID, { nullable: true, description: 'All SIMs of this client.' })
  client?: string | null;
  @Field(() => ID, { nullable: true, description: 'The SIMs that were in this fleet when the usage occurred.' })
  fleet?: string | null;
  @Field(() => ID, { nullable: true, description: 'One SIM.' })
  sim?: string | null;
}

export type ResolvedScope =
  | { readonly kind: 'CLIENT'; readonly clientId: number }
  | { readonly kind: 'FLEET'; readonly clientId: number; readonly fleetId: string }
  | { readonly kind: 'SIM'; readonly clientId: number; readonly simId: string };

/** Throws NOT_FOUND for what is missing and, in the same words, for what isn't the caller's to see. */
export async function resolveScope(transaction: Transaction, caller: Caller, scope: UsageScope | null | undefined): Promise<ResolvedScope> {
  const named = (['client', 'fleet', 'sim'] as const).filter((kind) => typeof scope?.[kind] === 'string');
  if (named.length > 1)
    throw new SimwardenError('BAD_USER_INPUT', { what: `scope names ${named.join(' and ')}; give exactly one of client, fleet and sim.` });
  const [kind] = named;
  if (kind === undefined) return ownClient(caller);
  switch (kind) {
    case 'client':
      return clientScope(transaction, caller, scope!.client!);
    case 'fleet':
      return fleetScope(transaction, caller, scope!.fleet!);
    case 'sim':
      return simScope(transaction, caller, scope!.sim!);
  }
}

function ownClient(caller: Caller): ResolvedScope {
  if (isOperator(caller)) throw new SimwardenError('CLIENT_REQUIRED');
  if (caller.fleetIds !== null) {
    throw new SimwardenError('BAD_USER_INPUT', { what: 'This credential sees single fleets only; give scope.fleet or scope.sim.' });
  }
  return { kind: 'CLIENT', clientId: caller.clientId };
}

async function clientScope(transaction: Transaction, caller: Caller, id: string): Promise<ResolvedScope> {
  const parsed = requireVisible(caller, requireClientId(id), 'client');
  if (!isOperator(caller)) return ownClient(caller);
  const rows = await transaction.query('SELECT 1 FROM client WHERE client_id = $1', [parsed.clientId]);
  if (rows.length === 0) throw new SimwardenError('NOT_FOUND', { what: 'client' });
  return { kind: 'CLIENT', clientId: parsed.clientId };
}

async function fleetScope(transaction: Transaction, caller: Caller, id: string): Promise<ResolvedScope> {
  const parsed = requireVisible(caller, requireGlobalId(id, 'Fleet', 'uuid'), 'fleet');
  const rows = await transaction.query('SELECT 1 FROM fleet WHERE client_id = $1 AND fleet_id = $2', [parsed.clientId, parsed.key]);
  if (rows.length === 0 || !seesFleet(caller, parsed.key)) throw new SimwardenError('NOT_FOUND', { what: 'fleet' });
  return { kind: 'FLEET', clientId: parsed.clientId, fleetId: parsed.key };
}

async function simScope(transaction: Transaction, caller: Caller, id: string): Promise<ResolvedScope> {
  const parsed = requireVisible(caller, requireGlobalId(id, 'Sim', 'int8'), 'SIM');
  const [sim] = await transaction.query<{ fleet_id: string | null }>('SELECT fleet_id FROM sim WHERE client_id = $1 AND sim_id = $2', [
    parsed.clientId,
    parsed.key,
  ]);
  if (!sim || !seesFleet(caller, sim.fleet_id)) throw new SimwardenError('NOT_FOUND', { what: 'SIM' });
  return { kind: 'SIM', clientId: parsed.clientId, simId: parsed.key };
}

function requireVisible(caller: Caller, id: GlobalId | null, what: string): GlobalId {
  if (maySee(caller, id)) return id;
  throw new SimwardenError('NOT_FOUND', { what });
}

function seesFleet(caller: Caller, fleetId: string | null): boolean {
  return caller.fleetIds === null || (fleetId !== null && caller.fleetIds.includes(fleetId));
}
