/**
 * What an operation may cost at most: one for each object it may answer. A list answers as many as its `first` says (a connection hands that
 * number to its `edges` and `nodes`); lists without it count as ten. Leaves are free, a page costs three (it is a statement of its own), a
 * mutation's root field ten. A field that makes the database work harder than that says so itself, by `costs`.
 */
import {
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  Kind,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  typeFromAST,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLOutputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

export const MOST_COST = 5000;
const LIST_WITHOUT_SIZE = 10;
const MUTATION_FIELD = 10;
const INTROSPECTION_FIELD = 10;
const PAGE = 3;

/** What a field costs beside what is asked of its answer: a number, or told by its arguments. */
export type FieldCost = number | ((args: Readonly<Record<string, unknown>>) => number);

/** For type-graphql's `@Extensions`. */
export function costs(cost: FieldCost): { readonly cost: FieldCost } {
  return { cost };
}

type Variables = Readonly<Record<string, unknown>>;

class CostMeasure {
  private readonly fragments = new Map<string, FragmentDefinitionNode>();
  private readonly measured = new Map<string, number>();

  constructor(
    private readonly schema: GraphQLSchema,
    document: DocumentNode,
    private readonly variables: Variables,
  ) {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.fragments.set(definition.name.value, definition);
    }
  }

  /** `pageSize`: the `first` of the connection whose selections these are; null elsewhere. */
  selections(set: SelectionSetNode, type: GraphQLCompositeType, pageSize: number | null): number {
    let cost = 0;
    for (const selection of set.selections) {
      if (!this.isIncluded(selection)) continue;
      if (selection.kind === Kind.FIELD) cost += this.field(selection, type, pageSize);
      else if (selection.kind === Kind.FRAGMENT_SPREAD) cost += this.fragment(selection.name.value, pageSize);
      else cost += this.selections(selection.selectionSet, this.conditionType(selection.typeCondition, type), pageSize);
    }
    return cost;
  }

  private fragment(name: string, pageSize: number | null): number {
    const key = `${name}:${pageSize}`;
    const known = this.measured.get(key);
    if (known !== undefined) return known;
    const fragment = this.fragments.get(name)!;
    const type = typeFromAST(this.schema, fragment.typeCondition) as GraphQLCompositeType;
    const cost = this.selections(fragment.selectionSet, type, pageSize);
    this.measured.set(key, cost);
    return cost;
  }

  private field(node: FieldNode, parent: GraphQLCompositeType, pageSize: number | null): number {
    if (node.name.value === SchemaMetaFieldDef.name || node.name.value === TypeMetaFieldDef.name) return INTROSPECTION_FIELD;
    const definition = isUnionType(parent) ? undefined : parent.getFields()[node.name.value];
    const type = definition && getNamedType(definition.type);
    if (!definition || !type) return 0;
    const own = this.ownCost(node, definition);
    if (!node.selectionSet || !isCompositeType(type)) return own ?? 0;
    const first = this.argument(node, definition, 'first');
    const base = own ?? (parent === this.schema.getMutationType() ? MUTATION_FIELD : first === null ? 1 : PAGE);
    if (isList(definition.type)) {
      const items = first ?? pageSize ?? LIST_WITHOUT_SIZE;
      return base + items * (1 + this.selections(node.selectionSet, type, null));
    }
    return base + this.selections(node.selectionSet, type, first);
  }

  private ownCost(node: FieldNode, definition: GraphQLField<unknown, unknown>): number | null {
    const cost = definition.extensions['cost'] as FieldCost | undefined;
    if (typeof cost !== 'function') return cost ?? null;
    return Math.max(1, Math.ceil(cost(getArgumentValues(definition, node, this.variables))));
  }

  /** A page size as a number of at least 1: what it costs must never fall by asking for less than nothing. */
  private argument(node: FieldNode, definition: GraphQLField<unknown, unknown>, name: string): number | null {
    const declared = definition.args.find((argument) => argument.name === name);
    if (!declared) return null;
    const given = node.arguments?.find((argument) => argument.name.value === name)?.value;
    let value: unknown = declared.defaultValue;
    if (given?.kind === Kind.INT) value = Number(given.value);
    else if (given?.kind === Kind.VARIABLE) value = this.variables[given.name.value] ?? declared.defaultValue;
    return typeof value === 'number' && value >= 1 ? value : 1;
  }

  private isIncluded(node: SelectionSetNode['selections'][number]): boolean {
    if (!node.directives?.length) return true;
    return (
      getDirectiveValues(GraphQLSkipDirective, node, this.variables)?.if !== true &&
      getDirectiveValues(GraphQLIncludeDirective, node, this.variables)?.if !== false
    );
  }

  private conditionType(condition: Parameters<typeof typeFromAST>[1] | undefined, parent: GraphQLCompositeType): GraphQLCompositeType {
    const type = condition ? typeFromAST(this.schema, condition as never) : parent;
    return isObjectType(type) || isInterfaceType(type) || isUnionType(type) ? type : parent;
  }
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}

/** The cost of a valid operation with coerced variables. */
export function operationCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): number {
  const root = schema.getRootType(operation.operation);
  if (!root) return 0;
  const cost = new CostMeasure(schema, document, variables).selections(operation.selectionSet, root, null);
  return Math.min(Math.ceil(cost), Number.MAX_SAFE_INTEGER);
}
