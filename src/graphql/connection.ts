/** Relay connections over keyset pages: opaque cursors that carry the sort key, never an offset. */
import { ArgsType, Extensions, Field, Int, ObjectType, type ClassType } from 'type-graphql';
import { Max, Min } from 'class-validator';
import { SimwardenError } from '../errors';
import { costs } from './query-cost';

@ArgsType()
export class PageArgs {
  @Field(() => Int, { defaultValue: 20, description: 'How many items, 1 to 100; default 20.' })
  @Min(1)
  @Max(100)
  first: number;

  @Field(() => String, { nullable: true, description: 'Cursor of the item before the page; from `pageInfo.endCursor` of the page before.' })
  after?: string;
}

@ObjectType({ description: 'Where a page stands in its list.' })
export class PageInfo {
  @Field(() => Boolean, { description: 'True when more items follow this page.' })
  hasNextPage: boolean;
  @Field(() => Boolean, { description: 'True when the page was asked for with a cursor.' })
  hasPreviousPage: boolean;
  @Field(() => String, { nullable: true, description: 'Cursor of the first item of the page; null for an empty page.' })
  startCursor: string | null;
  @Field(() => String, { nullable: true, description: 'Cursor of the last item of the page, for `after`; null for an empty page.' })
  endCursor: string | null;
}

export interface Edge<Node> {
  cursor: string;
  node: Node;
}
export interface Connection<Node> {
  edges: Edge<Node>[];
  nodes: Node[];
  pageInfo: PageInfo;
  /** Counts the whole list; called only where the field is asked for. */
  count: () => Promise<number>;
}

/** Makes the Connection and Edge types of a node: `@ObjectType() class SimConnection extends connectionOf(Sim, 'Sim') {}` names neither by hand. */
export function connectionOf<Node extends object>(node: ClassType<Node>, name: string): ClassType<Connection<Node>> {
  @ObjectType(`${name}Edge`, { description: `One ${name} in a list, with its cursor.` })
  class EdgeType implements Edge<Node> {
    @Field(() => String, { description: 'Opaque position of this item, for `after`.' })
    cursor: string;
    @Field(() => node, { description: 'The item.' })
    node: Node;
  }
  @ObjectType(`${name}Connection`, { description: `A page of ${name} items.` })
  class ConnectionType implements Connection<Node> {
    @Field(() => [EdgeType], { description: 'The items with their cursors.' })
    edges: EdgeType[];
    @Field(() => [node], { description: 'The items without cursors.' })
    nodes: Node[];
    @Field(() => PageInfo, { description: 'Where this page stands.' })
    pageInfo: PageInfo;
    count: () => Promise<number>;
    // It looks at every row of the list.
    @Extensions(costs(10))
    @Field(() => Int, { nullable: true, description: 'Number of items in the whole list; counted only when asked for.' })
    totalCount(): Promise<number> {
      return this.count();
    }
  }
  return ConnectionType;
}

export type CursorValue = string | number | null;

export function encodeCursor(values: readonly CursorValue[]): string {
  return Buffer.from(JSON.stringify(values), 'utf8').toString('base64url');
}

/** Decodes a cursor of ours; `kinds` says what each value must be: anything else is BAD_CURSOR, so no foreign value reaches SQL. */
export function decodeCursor(cursor: string, kinds: readonly ('instant' | 'uuid' | 'int8' | 'date' | 'text' | 'number')[]): CursorValue[] {
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor.slice(0, 2048), 'base64url').toString('utf8'));
  } catch {
    throw new SimwardenError('BAD_CURSOR', { given: cursor.slice(0, 80) });
  }
  if (!Array.isArray(values) || values.length !== kinds.length || !values.every((value, i) => fits(value, kinds[i]!))) {
    throw new SimwardenError('BAD_CURSOR', { given: cursor.slice(0, 80) });
  }
  return values as CursorValue[];
}

function fits(value: unknown, kind: string): boolean {
  // what PostgreSQL calls an int4
  if (kind === 'number') return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31;
  if (typeof value !== 'string' || value.includes('\0') || !value.isWellFormed()) return false;
  switch (kind) {
    case 'instant':
      return isInstant(value);
    case 'uuid':
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
    case 'int8':
      return /^-?[0-9]{1,18}$/.test(value);
    case 'date':
      return isInstant(`${value}T00:00:00.000Z`);
    default:
      return value.length <= 512;
  }
}

/** A moment as we write it, of a day that there is; PostgreSQL knows no year 0. */
function isInstant(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) || text.startsWith('0000')) return false;
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text;
}

/** Cuts a page out of `first + 1` rows. `cursorOf` gives the sort key of a row, in the order of the ORDER BY. */
export function pageOf<Row, Node>(
  rows: readonly Row[],
  page: PageArgs,
  cursorOf: (row: Row) => readonly CursorValue[],
  nodeOf: (row: Row) => Node,
  count: () => Promise<number>,
): Connection<Node> {
  const edges = rows.slice(0, page.first).map((row) => ({ cursor: encodeCursor(cursorOf(row)), node: nodeOf(row) }));
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: rows.length > page.first,
      hasPreviousPage: page.after !== undefined && page.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    count,
  };
}
