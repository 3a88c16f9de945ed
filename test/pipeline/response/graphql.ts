/** Runs GraphQL operations of the response and insights slices against a test database, as a given caller. */
import { graphql, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { container } from 'tsyringe';
import type { Database } from '../../../src/database/database';
import { Role, type Caller } from '../../../src/graphql/caller';
import { NodeResolver } from '../../../src/graphql/nodes';
import { OperationContext } from '../../../src/graphql/operation-context';
import { buildGraphqlSchema } from '../../../src/graphql/schema';
import { insightsResolvers } from '../../../src/insights';
import { responseResolvers } from '../../../src/response';
import type { Clock, Entropy } from '../../../src/runtime';
import { testLog } from '../../support/database';

export function schemaUnderTest(): Promise<GraphQLSchema> {
  return buildGraphqlSchema({ resolvers: [NodeResolver, ...responseResolvers, ...insightsResolvers], container });
}

export function callerOf(clientId: number, person = 'ana', role = clientId === 0 ? Role.OPERATOR : Role.CLIENT_ADMIN): Caller {
  return {
    role,
    clientId,
    credentialId: `key of ${person}`,
    credentialKind: 'API_KEY',
    name: `key of ${person}`,
    person,
    expiresAt: null,
    fleetIds: null,
  };
}

export interface Services {
  readonly database: Database;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** Answers the data; throws on top-level errors unless they are asked for. */
export async function run(
  schema: GraphQLSchema,
  services: Services,
  caller: Caller,
  source: string,
  variables: Record<string, unknown> = {},
): Promise<any> {
  const result = await execute(schema, services, caller, source, variables);
  if (result.errors) throw result.errors[0]!.originalError ?? result.errors[0]!;
  return JSON.parse(JSON.stringify(result.data));
}

export async function execute(
  schema: GraphQLSchema,
  services: Services,
  caller: Caller,
  source: string,
  variables: Record<string, unknown> = {},
): Promise<ExecutionResult> {
  const contextValue = new OperationContext({ ...services, log: testLog }, caller, 'test');
  try {
    return await graphql({ schema, source, variableValues: variables, contextValue });
  } finally {
    await contextValue.end();
  }
}
