/** Whose SIMs a detector is configured for, or tried on: a client, a fleet or a SIM. */
import { Field, ID, InputType } from 'type-graphql';
import { maySee, requireClientId } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { isOperator, type Caller } from '../graphql/caller';
import { requireGlobalId } from '../graphql/global-id';
import { OPERATOR } from './host/configuration';
import { ConfigurationScope } from './host/modes';

@InputType({
  description:
    "Whose SIMs are meant: exactly one of client, fleet and sim. All left out: the caller's client; for operators, who have none, it says where it is asked.",
})
export class DetectorScopeInput {
  @Field(() => ID, { nullable: true, description: 'Every SIM of this client.' })
  client?: string | null;
  @Field(() => ID, { nullable: true, description: 'Every SIM of this fleet.' })
  fleet?: string | null;
  @Field(() => ID, { nullable: true, description: 'This SIM.' })
  sim?: string | null;
}

export interface Target {
  readonly clientId: number;
  readonly scope: ConfigurationScope;
  /** SIM: sim_id; FLEET: fleet_id; CLIENT: ''. */
  readonly scopeId: string;
}

export function targetOf(caller: Caller, { client, fleet, sim }: DetectorScopeInput): Target {
  const given = [client, fleet, sim].filter((id) => id !== null && id !== undefined);
  if (given.length > 1)
    throw new SimwardenError('BAD_USER_INPUT', { what: 'Give one of client, fleet and sim in the scope, not several.' }, ['scope']);
  const named = (what: 'client' | 'fleet' | 'sim', id: ReturnType<typeof requireClientId>) => {
    if (!maySee(caller, id)) throw new SimwardenError('NOT_FOUND', { what }, ['scope', what]);
    return id;
  };
  if (sim) {
    const id = named('sim', requireGlobalId(sim, 'Sim', 'int8'));
    return { clientId: id.clientId, scope: ConfigurationScope.SIM, scopeId: id.key };
  }
  if (fleet) {
    const id = named('fleet', requireGlobalId(fleet, 'Fleet'));
    return { clientId: id.clientId, scope: ConfigurationScope.FLEET, scopeId: id.key };
  }
  const clientId = client ? named('client', requireClientId(client)).clientId : isOperator(caller) ? OPERATOR : caller.clientId;
  return { clientId, scope: ConfigurationScope.CLIENT, scopeId: '' };
}

/** Throws where there is none, in the words of a foreign one. */
export async function requireTarget(tx: Transaction, { clientId, scope, scopeId }: Target): Promise<void> {
  const found =
    scope === ConfigurationScope.SIM
      ? await tx.query('SELECT sim_id FROM sim WHERE client_id = $1 AND sim_id = $2 AND closed_at IS NULL', [clientId, scopeId])
      : scope === ConfigurationScope.FLEET
        ? await tx.query('SELECT fleet_id FROM fleet WHERE client_id = $1 AND fleet_id = $2', [clientId, scopeId])
        : await tx.query('SELECT client_id FROM client WHERE client_id = $1', [clientId]);
  const what = scope.toLowerCase();
  if (found.length === 0) throw new SimwardenError('NOT_FOUND', { what }, ['scope', what]);
}
