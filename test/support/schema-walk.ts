/** Makes whole documents out of a schema: every field that can be asked for, cut into as many documents as the limits ask. What the crawls stand on. */
import {
  getNamedType,
  getVariableValues,
  isAbstractType,
  isCompositeType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { DOCUMENT_LIMITS } from '../../src/graphql/document-size';
import { MOST_COST, operationCost } from '../../src/graphql/query-cost';

export type Operation = 'query' | 'mutation' | 'subscription';

/** A root field: `Query.sims`. */
export interface RootField {
  readonly name: string;
  readonly operation: Operation;
  readonly field: GraphQLField<unknown, unknown>;
}

export function rootFieldsOf(schema: GraphQLSchema): RootField[] {
  const roots = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const;
  return roots.flatMap(([operation, type]) =>
    Object.values(type?.getFields() ?? {}).map((field) => ({ name: `${type!.name}.${field.name}`, operation, field })),
  );
}

/** A piece of a selection: `sims(first: 3)` or `... on Sim`, with what is asked for below it. */
interface Branch {
  readonly text: string;
  readonly below: readonly Branch[];
}

/** How many items of a nested list are asked for: enough to see a stranger among them. */
const NESTED_ITEMS = 3;

/** An argument of a field below the root, asked for by a variable: `Detector.mode(client)` by `$Detector_mode_client`. */
export interface NestedArgument {
  readonly path: string;
  readonly variable: string;
  readonly argument: GraphQLArgument;
}

class Selections {
  readonly nested = new Map<string, NestedArgument>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly isNaming: (typeName: string) => boolean,
  ) {}

  /** Everything that can be asked of the type, `depth` selection sets deep. `only`: the one type of an abstract one. */
  below(type: GraphQLNamedType, depth: number, only?: string): Branch[] {
    if (isAbstractType(type)) {
      const members = this.schema.getPossibleTypes(type).filter((member) => only === undefined || member.name === only);
      return [leaf('__typename'), ...members.map((member) => ({ text: `... on ${member.name}`, below: this.below(member, depth) }))];
    }
    if (!isObjectType(type)) return [];
    if (isConnection(type)) return this.page(type, depth);
    return Object.values(type.getFields()).flatMap((field) => this.field(type, field, depth));
  }

  private field(parent: GraphQLObjectType, field: GraphQLField<unknown, unknown>, depth: number): Branch[] {
    const type = getNamedType(field.type);
    if (isCompositeType(type) && depth <= 1) return [];
    const given = field.args.flatMap((argument) => {
      if (argument.name === 'first') return [`first: ${NESTED_ITEMS}`];
      if (argument.name === 'after' || !this.isNaming(getNamedType(argument.type).name)) return [];
      const variable = `${parent.name}_${field.name}_${argument.name}`;
      this.nested.set(variable, { path: `${parent.name}.${field.name}(${argument.name})`, variable, argument });
      return [`${argument.name}: $${variable}`];
    });
    const text = given.length > 0 ? `${field.name}(${given.join(', ')})` : field.name;
    if (!isCompositeType(type)) return [leaf(text)];
    const below = this.below(type, depth - 1);
    return below.length > 0 ? [{ text, below }] : [];
  }

  /** The edges hold the nodes once more; their ids and cursors are enough. */
  private page(type: GraphQLObjectType, depth: number): Branch[] {
    const node = getNamedType(type.getFields()['nodes']!.type);
    const id = isObjectType(node) && node.getFields()['id'] ? 'id' : '__typename';
    return [
      leaf('totalCount'),
      { text: 'pageInfo', below: [leaf('hasNextPage'), leaf('startCursor'), leaf('endCursor')] },
      { text: 'edges', below: [leaf('cursor'), { text: 'node', below: [leaf(id)] }] },
      ...(depth > 1 ? [{ text: 'nodes', below: this.below(node, depth - 1) }] : []),
    ];
  }
}

function leaf(text: string): Branch {
  return { text, below: [] };
}

function isConnection(type: GraphQLObjectType): boolean {
  return type.name.endsWith('Connection');
}

function print({ text, below }: Branch): string {
  return below.length > 0 ? `${text} { ${below.map(print).join(' ')} }` : text;
}

/** Cuts a branch into pieces that fit, each with the whole way down to it. */
function cut(branch: Branch, fits: (branch: Branch) => boolean): Branch[] {
  if (fits(branch)) return [branch];
  if (branch.below.length === 0) throw new Error(`${branch.text} alone is more than the limits allow`);
  const wrap = (below: readonly Branch[]): Branch => ({ text: branch.text, below });
  const pieces = branch.below.flatMap((child) => cut(child, (piece) => fits(wrap([piece]))));
  const full: Branch[][] = [[]];
  for (const piece of pieces) {
    const last = full.at(-1)!;
    if (last.length === 0 || fits(wrap([...last, piece]))) last.push(piece);
    else full.push([piece]);
  }
  return full.map(wrap);
}

export interface WalkedDocument {
  readonly text: string;
  /** Variables of arguments below the root that this document declares. */
  readonly nested: readonly NestedArgument[];
}

export interface WalkOptions {
  /** Selection sets below the root field. */
  readonly depth: number;
  /** Which input types may name something of a tenant: arguments of these types below the root become variables. */
  readonly isNaming: (typeName: string) => boolean;
  /** Of a field of an abstract type: the only type to ask for. */
  readonly only?: string;
  /** Variables of the root field's arguments as they will be given: the cost depends on them. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** The documents that together ask one root field for everything; its arguments are variables of their own names. */
export function documentsFor(schema: GraphQLSchema, { operation, field }: RootField, options: WalkOptions): WalkedDocument[] {
  const selections = new Selections(schema, options.isNaming);
  const passed = field.args.map(({ name }) => `${name}: $${name}`).join(', ');
  const branch: Branch = {
    text: passed ? `${field.name}(${passed})` : field.name,
    below: selections.below(getNamedType(field.type), options.depth, options.only),
  };
  const documentOf = (piece: Branch): WalkedDocument => {
    const body = print(piece);
    const nested = [...selections.nested.values()].filter(({ variable }) => body.includes(`$${variable}`));
    const declared = [
      // what has a default may be left out
      ...field.args.map(
        ({ name, type, defaultValue }) => `$${name}: ${defaultValue === undefined ? String(type) : String(type).replace(/!$/, '')}`,
      ),
      ...nested.map(({ variable, argument }) => `$${variable}: ${String(argument.type)}`),
    ];
    return { text: `${operation} Crawl${declared.length > 0 ? `(${declared.join(', ')})` : ''} { ${body} }`, nested };
  };
  return cut(branch, (piece) => isWithinLimits(schema, documentOf(piece).text, options.variables)).map(documentOf);
}

function isWithinLimits(schema: GraphQLSchema, text: string, given: Readonly<Record<string, unknown>>): boolean {
  const document = parse(text);
  const operation = document.definitions[0] as OperationDefinitionNode;
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], given);
  if (errors) throw new Error(`${text}: ${errors.map(({ message }) => message).join('; ')}`);
  return document.tokenCount! <= DOCUMENT_LIMITS.tokens && operationCost(schema, document, operation, coerced) <= MOST_COST;
}

/** A place for a value in the arguments of a root field: `input.sims`, and the type of the value there. */
export interface Place {
  readonly path: string;
  readonly typeName: string;
  readonly list: boolean;
  readonly required: boolean;
}

/** Every place for a leaf value in the field's arguments, through input objects. */
export function placesOf(field: GraphQLField<unknown, unknown>): Place[] {
  return field.args.flatMap((argument) => placesIn(argument.type, argument.name, isRequired(argument), false));
}

function placesIn(type: GraphQLInputType, path: string, required: boolean, list: boolean): Place[] {
  const named = getNamedType(type);
  const inList = list || isListType(isNonNullType(type) ? type.ofType : type);
  if (!isInputObjectType(named)) return [{ path, typeName: named.name, list: inList, required }];
  return Object.values(named.getFields()).flatMap((field) =>
    placesIn(field.type, `${path}.${field.name}`, required && isRequired(field), false),
  );
}

function isRequired({ type, defaultValue }: { type: GraphQLInputType; defaultValue?: unknown }): boolean {
  return isNonNullType(type) && defaultValue === undefined;
}

/** Variables of a root field out of a value for each place; `undefined` leaves the place out, and an input object without values too, where it may. */
export function variablesFor(field: GraphQLField<unknown, unknown>, valueAt: (place: Place) => unknown): Record<string, unknown> {
  const build = (type: GraphQLInputType, path: string, required: boolean): unknown => {
    const bare = isNonNullType(type) ? type.ofType : type;
    const named = getNamedType(bare);
    if (!isInputObjectType(named)) return valueAt({ path, typeName: named.name, list: isListType(bare), required });
    const entries = Object.values(named.getFields())
      .map((inner) => [inner.name, build(inner.type, `${path}.${inner.name}`, required && isRequired(inner))] as const)
      .filter(([, value]) => value !== undefined);
    if (entries.length === 0 && !isNonNullType(type)) return undefined;
    return isListType(bare) ? [Object.fromEntries(entries)] : Object.fromEntries(entries);
  };
  const values = field.args.map((argument) => [argument.name, build(argument.type, argument.name, isRequired(argument))] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}
