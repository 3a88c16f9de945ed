/** Errors on their way out: the catalogue's keep their code and message, anything else says only that something went wrong. */
import { GraphQLError, type ASTNode, type GraphQLFormattedError } from 'graphql';
import { ArgumentValidationError } from 'type-graphql';
import { errorMessage, SimwardenError, type ErrorCode, type ErrorDetails } from '../errors';
import type { Log } from '../runtime';

/** A request error of the catalogue as GraphQL carries it. */
export function refusal(code: ErrorCode, details: ErrorDetails = {}, nodes?: ASTNode | readonly ASTNode[]): GraphQLError {
  return new GraphQLError(errorMessage(code, details), { nodes, originalError: new SimwardenError(code, details), extensions: { code } });
}

interface ConstraintFault {
  readonly property: string;
  readonly constraints?: Readonly<Record<string, string>>;
  readonly children?: readonly ConstraintFault[];
}

function constraintMessages(faults: readonly ConstraintFault[], path: string): string[] {
  return faults.flatMap((fault) => [
    ...Object.values(fault.constraints ?? {}).map((message) => (path ? `${path}.${message}` : message)),
    ...constraintMessages(fault.children ?? [], path ? `${path}.${fault.property}` : fault.property),
  ]);
}

/** An error and what it wraps, outermost first. */
function causes(error: unknown): unknown[] {
  const chain = [error];
  for (let cause = error; cause instanceof GraphQLError && cause.originalError;) chain.push((cause = cause.originalError));
  return chain;
}

/** What a caller may read of an error. `requestId` is quoted, and logged with the error, where it is ours to mend. */
export function presentError(error: unknown, requestId: string, log: Log): GraphQLFormattedError {
  const outer = error instanceof GraphQLError ? error : null;
  const where = { ...(outer?.locations ? { locations: outer.locations } : {}), ...(outer?.path ? { path: outer.path } : {}) };
  const chain = causes(error);
  for (const cause of chain) {
    if (cause instanceof SimwardenError) return { message: cause.message, ...where, extensions: { code: cause.code } };
    if (cause instanceof ArgumentValidationError) {
      const what = constraintMessages(cause.extensions.validationErrors, '').join('; ');
      return { message: `The arguments are not valid: ${what}.`, ...where, extensions: { code: 'BAD_USER_INPUT' } };
    }
  }
  const coded = chain.find((cause) => cause instanceof GraphQLError && typeof cause.extensions.code === 'string') as
    GraphQLError | undefined;
  if (coded && coded.extensions.code !== 'INTERNAL_SERVER_ERROR') {
    return { message: coded.message, ...where, extensions: { code: coded.extensions.code } };
  }
  // graphql-js makes errors without code or path for requests that can't start; with a path they are a resolver's fault.
  if (outer && !coded && !outer.originalError && !outer.path)
    return { message: outer.message, ...where, extensions: { code: 'BAD_USER_INPUT' } };
  log.logger.error({ err: chain.at(-1), path: outer?.path, requestId }, 'an operation failed');
  return {
    message: errorMessage('INTERNAL_SERVER_ERROR', { requestId }),
    ...where,
    extensions: { code: 'INTERNAL_SERVER_ERROR', requestId },
  };
}
