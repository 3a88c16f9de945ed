/** Asks the permission matrix: once before an operation runs, and again at every root field. */
import type { MiddlewareFn } from 'type-graphql';
import { SimwardenError } from '../errors';
import type { Caller, Role } from '../graphql/caller';
import type { GraphqlContext } from '../graphql/context';
import { permissions } from './permissions';

const rootTypes = new Set(['Query', 'Mutation', 'Subscription']);

/** Whether a role may use a root field, named `Query.sims`. A field without a row in the matrix is nobody's. */
export function mayUse(field: string, role: Role): boolean {
  return allowedRoles(field).includes(role);
}

/** Throws FORBIDDEN unless the caller may use the root field. */
export function requirePermission(caller: Caller, field: string): void {
  if (mayUse(field, caller.role)) return;
  throw new SimwardenError('FORBIDDEN', { role: caller.role, field, allowed: allowedRoles(field).join(', ') || 'none' });
}

/** A global middleware: no root field runs without a row that names the caller's role, by whatever door the operation came. */
export const authorise: MiddlewareFn<GraphqlContext> = ({ info, context }, next) => {
  const parent = info.parentType.name;
  if (rootTypes.has(parent)) requirePermission(context.caller, `${parent}.${info.fieldName}`);
  return next();
};

function allowedRoles(field: string): readonly Role[] {
  return Object.hasOwn(permissions, field) ? permissions[field]! : [];
}
