/** How a value from the database becomes a JavaScript value: one table for both databases, given to each connection, never set globally. */
import { types } from 'pg';

type Parse = (text: string) => unknown;

const asText: Parse = (text) => text;
const parseTextArray = types.getTypeParser(1009 as number) as (text: string) => unknown[];

/** Reads an array of any depth; elements that are NULL stay null. */
const arrayOf = (element: Parse): Parse => {
  const convert = (entry: unknown): unknown =>
    entry === null ? null : Array.isArray(entry) ? entry.map(convert) : element(entry as string);
  return (text) => parseTextArray(text).map(convert);
};

const parseInstant = types.getTypeParser(types.builtins.TIMESTAMPTZ) as Parse;
const parseBytes = types.getTypeParser(types.builtins.BYTEA) as Parse;
const parseBoolean: Parse = (text) => text === 't';
const parseJson: Parse = (text) => JSON.parse(text) as unknown;

/** type name → [oid, oid of its array, parser]. A type that is not here arrives as PostgreSQL's text. */
const parsed: Record<string, [number, number, Parse]> = {
  bool: [16, 1000, parseBoolean],
  bytea: [17, 1001, parseBytes],
  int8: [20, 1016, asText],
  int2: [21, 1005, Number],
  int4: [23, 1007, Number],
  text: [25, 1009, asText],
  oid: [26, 1028, Number],
  json: [114, 199, parseJson],
  float4: [700, 1021, Number],
  float8: [701, 1022, Number],
  varchar: [1043, 1015, asText],
  date: [1082, 1182, asText],
  // Without a zone a timestamp names no instant, so it stays text instead of becoming one in the process's zone.
  timestamp: [1114, 1115, asText],
  timestamptz: [1184, 1185, parseInstant],
  numeric: [1700, 1231, asText],
  uuid: [2950, 2951, asText],
  jsonb: [3802, 3807, parseJson],
};

const byOid = new Map<number, Parse>();
for (const [oid, arrayOid, parse] of Object.values(parsed)) {
  byOid.set(oid, parse);
  byOid.set(arrayOid, arrayOf(parse));
}

/** The `types` option of a pg connection. */
export const valueParsers = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    format === 'binary' ? (types.getTypeParser(oid, format) as Parse) : (byOid.get(oid) ?? asText)) as typeof types.getTypeParser,
};
