/** Random documents that the schema allows: nested fields with arguments of every shape, written as literals. */
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isUnionType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLNamedOutputType,
  type GraphQLObjectType,
} from 'graphql';
import type { LimitsHouse } from './limits-house';
import { brokenCursors } from './limits-values';

const DAY = 86_400_000;

export class RandomDocuments {
  constructor(
    private readonly house: Pick<LimitsHouse, 'schema' | 'ids' | 'cursors'>,
    private readonly random: () => number,
  ) {}

  /** A query with one to three root fields. */
  query(): string {
    const fields = Object.values(this.house.schema.getQueryType()!.getFields());
    const roots = Array.from(
      { length: 1 + this.below(3) },
      (_, place) => `root${place}: ${this.field(this.oneOf(fields), 3 + this.below(4))}`,
    );
    return `query Random { ${roots.join(' ')} }`;
  }

  private field(field: GraphQLField<unknown, unknown>, depth: number): string {
    return `${field.name}${this.argumentsOf(field.args)} ${this.selection(getNamedType(field.type), depth - 1)}`;
  }

  private selection(type: GraphQLNamedOutputType, depth: number): string {
    if (isLeafType(type)) return '';
    if (isUnionType(type) || isInterfaceType(type)) {
      return `{ __typename ... on ${this.fragment(this.oneOf(this.house.schema.getPossibleTypes(type)), depth)} }`;
    }
    return this.fields(type, depth);
  }

  private fragment(type: GraphQLObjectType, depth: number): string {
    return `${type.name} ${this.fields(type, depth)}`;
  }

  private fields(type: GraphQLObjectType, depth: number): string {
    const parts = ['__typename'];
    for (const field of Object.values(type.getFields())) {
      if (isLeafType(getNamedType(field.type))) {
        if (this.random() < 0.6) parts.push(this.field(field, 1));
      } else if (depth > 0 && this.random() < (/^(nodes|edges|node)$/.test(field.name) ? 0.9 : 0.3)) parts.push(this.field(field, depth));
    }
    return `{ ${parts.join(' ')} }`;
  }

  private argumentsOf(args: readonly GraphQLArgument[]): string {
    const given = args
      .filter((argument) => this.isGiven(argument))
      .map((argument) => `${argument.name}: ${this.literal(argument.type, argument.name)}`);
    return given.length > 0 ? `(${given.join(', ')})` : '';
  }

  /** Pages stay small, so that cost doesn't refuse everything. */
  private isGiven(input: GraphQLArgument | GraphQLInputField): boolean {
    const required = isNonNullType(input.type) && input.defaultValue === undefined;
    return required || input.name === 'first' || this.random() < (input.name === 'after' ? 0.15 : 0.35);
  }

  private literal(type: GraphQLInputType, name: string): string {
    const bare = isNonNullType(type) ? type.ofType : type;
    if (isListType(bare)) return `[${Array.from({ length: this.below(3) }, () => this.literal(bare.ofType, name)).join(', ')}]`;
    const named = getNamedType(bare);
    if (isInputObjectType(named)) {
      const fields = Object.values(named.getFields())
        .filter((field) => this.isGiven(field))
        .map((field) => `${field.name}: ${this.literal(field.type, field.name)}`);
      return `{ ${fields.join(', ')} }`;
    }
    if (isEnumType(named)) return this.oneOf(named.getValues()).name;
    return this.scalar(named.name, name);
  }

  private scalar(typeName: string, name: string): string {
    const instant = () => new Date(Date.UTC(2026, 10, 10) + Math.floor(this.random() * 8 * DAY)).toISOString();
    switch (typeName) {
      case 'ID':
        return JSON.stringify(this.oneOf(this.oneOf([...this.house.ids.values()].filter((ids) => ids.length > 0))));
      case 'Int':
        return String(name === 'first' ? (this.random() < 0.03 ? this.oneOf([0, -1, 101]) : 1 + this.below(3)) : 1 + this.below(9));
      case 'Float':
        return (this.random() * 100).toFixed(3);
      case 'Boolean':
        return String(this.random() < 0.5);
      case 'DateTime':
        return JSON.stringify(instant());
      case 'Date':
        return JSON.stringify(instant().slice(0, 10));
      case 'ByteCount':
        return JSON.stringify(String(this.below(1_000_000)));
      case 'ICCID':
        return '"8988307000000000012"';
      case 'IMSI':
        return '"901400000000001"';
      case 'IMEI':
        return '"351758100000019"';
      case 'PLMN':
        return '"208-01"';
      case 'JSON':
        return '{}';
      default:
        return name === 'after' ? this.cursor() : JSON.stringify(this.oneOf(['', '8', 'charger-x7', 'Volta', '%', 'threshold']));
    }
  }

  /** Of some list, or of none. */
  private cursor(): string {
    const cursors = [...this.house.cursors.values()];
    return JSON.stringify(this.random() < 0.5 ? this.oneOf(cursors) : this.oneOf(brokenCursors.filter(isWritable)));
  }

  private below(most: number): number {
    return Math.floor(this.random() * most);
  }

  private oneOf<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
}

/** A text that a document may hold; the others are sent as variables elsewhere. */
function isWritable(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0') && value.length < 1_000;
}
