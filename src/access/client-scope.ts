/** Whose rows a request is about: a customer's are its own, the operator names a client or reads them all. */
import { SimwardenError } from '../errors';
import { isOperator, type Caller } from '../graphql/caller';
import { requireGlobalId, type GlobalId } from '../graphql/global-id';

/** Whether a caller may see that an object of this client exists. False is answered exactly as for a missing object. */
export function maySee(caller: Caller, id: Pick<GlobalId, 'clientId'> | null): id is GlobalId {
  return id !== null && (isOperator(caller) || caller.clientId === id.clientId);
}

/** clientId null: every client's. */
export interface ReadScope {
  readonly clientId: number | null;
}

/** The clients that a list is about, from its optional `client` argument; null where the list is empty, because that client is missing or another's. */
export function readScope(caller: Caller, client: string | null | undefined): ReadScope | null {
  if (client === null || client === undefined) return { clientId: isOperator(caller) ? null : caller.clientId };
  const id = requireClientId(client);
  return maySee(caller, id) ? { clientId: id.clientId } : null;
}

/**
 * The client that a mutation is for, from its optional `client` argument. Throws CLIENT_REQUIRED where an operator names none, NOT_FOUND where the
 * client can't be the caller's. That the client exists is for the caller's transaction to find out.
 */
export function writeScope(caller: Caller, client: string | null | undefined): number {
  if (client === null || client === undefined) {
    if (isOperator(caller)) throw new SimwardenError('CLIENT_REQUIRED', {}, ['client']);
    return caller.clientId;
  }
  const id = requireClientId(client);
  if (!maySee(caller, id)) throw new SimwardenError('NOT_FOUND', { what: 'client' }, ['client']);
  return id.clientId;
}

/** The id of a Client names the client twice, as its owner and as its key: both must agree, and client 0 is no customer. */
export function requireClientId(id: string): GlobalId | null {
  const parsed = requireGlobalId(id, 'Client', 'int8');
  return parsed !== null && parsed.key === String(parsed.clientId) && parsed.clientId > 0 ? parsed : null;
}
