/** Opaque ids: which type, whose, which one. The client is inside so that every lookup can name its client; it grants nothing. */
import { SimwardenError } from '../errors';

export interface GlobalId {
  readonly type: string;
  readonly clientId: number;
  readonly key: string;
}

export function toGlobalId(type: string, clientId: number, key: string | number | bigint): string {
  return Buffer.from(`${type}:${clientId}:${key}`, 'utf8').toString('base64url');
}

/** Parses any global id; null when it is not one of ours. */
export function parseGlobalId(id: string): GlobalId | null {
  if (id.length > 1024) return null;
  const match = /^([A-Z][A-Za-z]{0,40}):(0|[1-9][0-9]{0,9}):([^\0]{1,600})$/.exec(Buffer.from(id, 'base64url').toString('utf8'));
  if (!match) return null;
  const clientId = Number(match[2]);
  if (clientId > 2_147_483_647) return null;
  return { type: match[1]!, clientId, key: match[3]! };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const INT8 = /^(0|[1-9][0-9]{0,17})$/;

/**
 * Parses an argument that must name a `type`. Answers null for anything that can't exist, so that a foreign id, a missing one and nonsense
 * of the right type all look alike; throws BAD_USER_INPUT only where the id names another type.
 */
export function requireGlobalId(id: string, type: string, keyIs: 'uuid' | 'int8' | 'text' = 'uuid'): GlobalId | null {
  const parsed = parseGlobalId(id);
  if (!parsed) return null;
  if (parsed.type !== type) throw new SimwardenError('WRONG_ID_TYPE', { given: parsed.type, expected: type });
  if (keyIs === 'uuid' && !UUID.test(parsed.key)) return null;
  if (keyIs === 'int8' && !INT8.test(parsed.key)) return null;
  return parsed;
}
