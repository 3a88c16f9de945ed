/** Which SIMs a mutation means: ids as given, or what a filter finds; of one client. */
import { maySee, RowFilter, writeScope } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import type { Caller } from '../graphql/caller';
import { requireGlobalId, type GlobalId } from '../graphql/global-id';
import type { BlockTargetFilter } from './block-inputs';

/** How many SIMs one call may name. */
export const MOST_SIMS = 1_000;

interface Targets {
  readonly client?: string | null;
  readonly sims?: readonly string[] | null;
  readonly filter?: BlockTargetFilter | null;
}

export interface NamedSims {
  readonly clientId: number;
  /** What was given → sim_id; null for what can't be a SIM of the client. Without ids: null, the filter says. */
  readonly given: ReadonlyMap<string, string | null> | null;
}

/** Reads the ids without touching the database. A foreign id is one that no SIM has. */
export function namedSims(caller: Caller, targets: Targets): NamedSims {
  const { sims, filter } = targets;
  if (Boolean(sims) === Boolean(filter)) throw new SimwardenError('BAD_USER_INPUT', { what: 'Give either sims or filter.' }, ['sims']);
  if (!sims) return { clientId: writeScope(caller, targets.client), given: null };
  if (sims.length === 0) throw new SimwardenError('BAD_USER_INPUT', { what: 'sims is empty; name at least one SIM.' }, ['sims']);
  if (sims.length > MOST_SIMS) throw new SimwardenError('TOO_MANY_ITEMS', { given: sims.length, most: MOST_SIMS }, ['sims']);
  const ids = sims.map((id) => requireGlobalId(id, 'Sim', 'int8'));
  const clientId = targets.client || caller.clientId !== 0 ? writeScope(caller, targets.client) : clientOf(ids);
  const keyOf = (id: GlobalId | null): string | null => (maySee(caller, id) && id.clientId === clientId ? id.key : null);
  return { clientId, given: new Map(sims.map((id, i) => [id, keyOf(ids[i] ?? null)])) };
}

/** The one client that an operator's ids speak of. */
function clientOf(ids: readonly ReturnType<typeof requireGlobalId>[]): number {
  const clients = new Set(ids.flatMap((id) => (id ? [id.clientId] : [])));
  if (clients.size > 1)
    throw new SimwardenError('BAD_USER_INPUT', { what: 'sims names SIMs of several clients; send one call per client.' }, ['sims']);
  const [clientId] = clients;
  if (clientId === undefined) throw new SimwardenError('NOT_FOUND', { what: 'SIM' }, ['sims']);
  return clientId;
}

/** Ids of the SIMs that a filter finds; throws TOO_MANY_ITEMS rather than leaving some out. */
export async function filteredSims(
  transaction: Transaction,
  caller: Caller,
  clientId: number,
  filter: BlockTargetFilter,
): Promise<string[]> {
  const conditions = new RowFilter().and('sim.client_id = ?', clientId).and('sim.closed_at IS NULL');
  if (filter.fleet) {
    const fleet = requireGlobalId(filter.fleet, 'Fleet');
    if (!maySee(caller, fleet) || fleet.clientId !== clientId)
      throw new SimwardenError('NOT_FOUND', { what: 'fleet' }, ['filter', 'fleet']);
    const found = await transaction.query('SELECT 1 FROM fleet WHERE client_id = $1 AND fleet_id = $2', [clientId, fleet.key]);
    if (found.length === 0) throw new SimwardenError('NOT_FOUND', { what: 'fleet' }, ['filter', 'fleet']);
    conditions.and('sim.fleet_id = ?', fleet.key);
  }
  if (filter.family) conditions.and('device.family = ?', filter.family);
  if (filter.criticality) conditions.and(`coalesce(device.criticality, 'NORMAL') = ?`, filter.criticality);
  if (filter.blockStates) conditions.and('sim.block_state = ANY(?::text[])', filter.blockStates);
  if (!filter.fleet && !filter.family && !filter.criticality && !filter.blockStates) {
    throw new SimwardenError('BAD_USER_INPUT', { what: 'The filter is empty and would mean every SIM; give at least one condition.' }, [
      'filter',
    ]);
  }
  const rows = await transaction.query<{ sim_id: string }>(
    `SELECT sim.sim_id FROM sim LEFT JOIN device ON device.client_id = sim.client_id AND device.sim_id = sim.sim_id
     ${conditions.where} ORDER BY sim.sim_id LIMIT ${MOST_SIMS + 1}`,
    conditions.parameters,
  );
  if (rows.length > MOST_SIMS) throw new SimwardenError('TOO_MANY_ITEMS', { given: `more than ${MOST_SIMS}`, most: MOST_SIMS }, ['filter']);
  return rows.map((row) => row.sim_id);
}
