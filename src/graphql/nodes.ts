/** Relay's object identification: the Node interface, and `node(id)` over what the slices register. */
import { Arg, Ctx, Field, ID, InterfaceType, Query, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { isOperator } from './caller';
import type { GraphqlContext } from './context';
import { parseGlobalId, requireGlobalId } from './global-id';

type FindNode = (context: GraphqlContext, clientId: number, key: string) => Promise<object | null>;

interface NodeType {
  readonly keyIs: 'uuid' | 'int8' | 'text';
  readonly find: FindNode;
}

const nodeTypes = new Map<string, NodeType>();
/** Which type `node(id)` looked an object up as: rows from the database need no class of their own. */
const typeNames = new WeakMap<object, string>();

/** Makes a type reachable through `node(id)`. `find` is called only for callers who may see the client. */
export function registerNode(typeName: string, keyIs: NodeType['keyIs'], find: FindNode): void {
  nodeTypes.set(typeName, { keyIs, find });
}

@InterfaceType({
  description: 'An object with an id of its own, reachable through `node(id)`.',
  resolveType: (value: object) => typeNames.get(value) ?? value.constructor.name,
})
export abstract class Node {
  @Field(() => ID, { description: 'Opaque id, stable for the life of the object.' })
  id: string;
}

@singleton()
@Resolver()
export class NodeResolver {
  @Query(() => Node, { nullable: true, description: 'Any object by its id; null when there is none, or it is not yours to see.' })
  async node(
    @Arg('id', () => ID, { description: 'Opaque id of the object.' }) id: string,
    @Ctx() context: GraphqlContext,
  ): Promise<object | null> {
    const type = nodeTypes.get(parseGlobalId(id)?.type ?? '');
    if (!type) return null;
    const parsed = requireGlobalId(id, parseGlobalId(id)!.type, type.keyIs);
    if (!parsed || !(isOperator(context.caller) || context.caller.clientId === parsed.clientId)) return null;
    const found = await type.find(context, parsed.clientId, parsed.key);
    if (found) typeNames.set(found, parsed.type);
    return found;
  }
}
