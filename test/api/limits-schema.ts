/** One document for each root field, everything it can tell two steps deep, its arguments as variables whose values a test picks. */
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isUnionType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';

/** Every field of the type, nested to `depth`; fields that need arguments are left out below the root. */
export function selectionOf(schema: GraphQLSchema, type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isUnionType(named) || isInterfaceType(named)) {
    const possible = schema
      .getPossibleTypes(named)
      .map((member) => `... on ${member.name} ${selectionOf(schema, member, depth - 1) || '{ __typename }'}`);
    return `{ __typename ${possible.join(' ')} }`;
  }
  if (!isObjectType(named)) return '';
  const parts = Object.values(named.getFields()).flatMap((field) => {
    if (field.args.some((argument) => isNonNullType(argument.type) && argument.defaultValue === undefined)) return [];
    const leaf =
      !isObjectType(getNamedType(field.type)) && !isInterfaceType(getNamedType(field.type)) && !isUnionType(getNamedType(field.type));
    if (leaf) return [field.name];
    if (depth <= 1) return [];
    const small = field.args.some((argument) => argument.name === 'first') ? '(first: 3)' : '';
    const nested = selectionOf(schema, field.type, depth - 1);
    return nested ? [`${field.name}${small} ${nested}`] : [];
  });
  return parts.length > 0 ? `{ ${parts.join(' ')} }` : '{ __typename }';
}

/** Gives a value for an argument or input field; undefined leaves it out (only where it may be). `path` as `input.sims`. */
export type PickValue = (path: string, typeName: string, list: boolean) => unknown;

export function argumentsOf(field: GraphQLField<unknown, unknown>, pick: PickValue): Record<string, unknown> {
  return Object.fromEntries(
    field.args
      .map((argument) => [argument.name, valueOf(argument.type, argument.name, pick, argument.defaultValue !== undefined)])
      .filter(([, value]) => value !== undefined),
  );
}

function valueOf(type: GraphQLInputType, path: string, pick: PickValue, hasDefault: boolean): unknown {
  const required = isNonNullType(type) && !hasDefault;
  const bare = isNonNullType(type) ? type.ofType : type;
  const list = isListType(bare);
  const named = getNamedType(bare);
  const picked = pick(path, named.name, list);
  if (picked !== undefined) return list && !Array.isArray(picked) ? [picked] : picked;
  if (isInputObjectType(named)) {
    const entries = Object.values(named.getFields())
      .map((field) => [field.name, valueOf(field.type, `${path}.${field.name}`, pick, field.defaultValue !== undefined)] as const)
      .filter(([, value]) => value !== undefined);
    if (entries.length === 0 && !required) return undefined;
    return list ? [Object.fromEntries(entries)] : Object.fromEntries(entries);
  }
  if (!required) return undefined;
  const value = isEnumType(named) ? named.getValues()[0]!.name : isScalarType(named) ? sampleScalar(named.name, path) : undefined;
  return list ? [value] : value;
}

function sampleScalar(name: string, path: string): unknown {
  switch (name) {
    case 'DateTime':
      return /to$|until|end/i.test(path) ? '2026-11-12T00:00:00Z' : '2026-11-10T00:00:00Z';
    case 'Date':
      return '2026-11-10';
    case 'ByteCount':
      return '1000';
    case 'Int':
      return 5;
    case 'Float':
      return 50;
    case 'Boolean':
      return false;
    case 'ICCID':
      return '8988307000000000012';
    case 'IMSI':
      return '901400000000001';
    case 'IMEI':
      return '351758100000019';
    case 'PLMN':
      return '214-07';
    case 'JSON':
      return {};
    default:
      return 'crawl';
  }
}

/** A document for one root field, its arguments as variables so that nothing needs quoting. */
export function documentFor(
  schema: GraphQLSchema,
  operation: 'query' | 'mutation' | 'subscription',
  field: GraphQLField<unknown, unknown>,
  depth: number,
): string {
  const variables = field.args.map((argument) => `$${argument.name}: ${String(argument.type)}`).join(', ');
  const passed = field.args.map((argument) => `${argument.name}: $${argument.name}`).join(', ');
  return `${operation} Crawl${variables && `(${variables})`} { ${field.name}${passed && `(${passed})`} ${selectionOf(schema, field.type, depth)} }`;
}
