/** Builds the schema from the slices' resolvers, and prints it the same way every time. */
import { GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';
import type { DependencyContainer, InjectionToken } from 'tsyringe';
import { buildSchema, type BuildSchemaOptions, type NonEmptyArray } from 'type-graphql';

type ResolverClass = new (...collaborators: never[]) => object;

export interface SchemaParts {
  readonly resolvers: readonly ResolverClass[];
  /** Makes the resolvers; each must be a singleton, since type-graphql asks for it with every call. */
  readonly container: Pick<DependencyContainer, 'resolve'>;
  readonly globalMiddlewares?: BuildSchemaOptions['globalMiddlewares'];
  /** Types that no field names, only an interface or a union resolves to. */
  readonly orphanedTypes?: BuildSchemaOptions['orphanedTypes'];
}

/** type-graphql asks for one where there are subscriptions; ours come from the event log. */
const noPubSub = {
  publish(topic: string): never {
    throw new Error(`${topic}: events are published by appendEvent`);
  },
  subscribe(topic: string): never {
    throw new Error(`${topic}: live fields are declared with liveField`);
  },
};

export async function buildGraphqlSchema(parts: SchemaParts): Promise<GraphQLSchema> {
  return buildSchema({
    resolvers: [...parts.resolvers] as unknown as NonEmptyArray<ResolverClass>,
    container: { get: (resolver) => parts.container.resolve(resolver as InjectionToken<unknown>) },
    ...(parts.globalMiddlewares ? { globalMiddlewares: parts.globalMiddlewares } : {}),
    ...(parts.orphanedTypes ? { orphanedTypes: parts.orphanedTypes } : {}),
    // class-validator on every argument and input; an input class without a rule of its own is not an error.
    validate: { forbidUnknownValues: false, skipMissingProperties: true },
    nullableByDefault: false,
    pubSub: noPubSub,
  });
}

/** The schema as text, in an order that doesn't depend on the order of loading. */
export function printSimwardenSchema(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}
