/** The scalars of the schema: each refuses what the database, or the field it stands for, would not take. */
import { GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped, type ValueNode } from 'graphql';
import { jsonFault, textFault } from './safe-text';

const BYTE_COUNT_MAX = 9_223_372_036_854_775_807n;

function refuse(scalar: string, expected: string, given: unknown, node?: ValueNode): never {
  const shown = typeof given === 'string' ? JSON.stringify(given.slice(0, 80)) : String(given).slice(0, 80);
  throw new GraphQLError(`${scalar}: expected ${expected}, got ${shown}.`, {
    ...(node ? { nodes: node } : {}),
    extensions: { code: 'BAD_USER_INPUT' },
  });
}

/** A resolver gave what the scalar can't show: a fault of ours, so not the caller's input. */
function misfit(scalar: string, value: unknown): never {
  throw new TypeError(`${scalar} can't show ${typeof value} ${String(value).slice(0, 80)}`);
}

interface TextLike {
  readonly name: string;
  readonly description: string;
  readonly expected: string;
  /** The value as the resolver receives it, or undefined where it is refused. */
  readonly parse: (given: string) => string | undefined;
  readonly specifiedByURL?: string;
}

/** A scalar that is a string on the wire and in resolvers. */
function textLike({ name, description, expected, parse, specifiedByURL }: TextLike): GraphQLScalarType<string, string> {
  const read = (given: unknown, node?: ValueNode): string =>
    (typeof given === 'string' ? parse(given) : undefined) ?? refuse(name, expected, given, node);
  return new GraphQLScalarType<string, string>({
    name,
    description,
    specifiedByURL,
    serialize: (value) => (typeof value === 'string' ? value : misfit(name, value)),
    parseValue: (value) => read(value),
    parseLiteral: (node) => read(node.kind === Kind.STRING ? node.value : node.kind, node),
  });
}

const DATE = /^(19[7-9]\d|20\d\d|2100)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

function isDay(text: string): boolean {
  if (!DATE.test(text)) return false;
  // 30 February parses as 1 March: only a real day survives the round trip.
  return new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);
}

function parseInstant(text: string): Date | undefined {
  if (text.length < 20 || text.length > 35 || text[10] !== 'T' || !isDay(text.slice(0, 10)) || !TIME.test(text.slice(11))) return undefined;
  const instant = new Date(text.replace(/(\.\d{3})\d+/, '$1'));
  return instant.getTime() >= 0 ? instant : undefined;
}

const INSTANT_EXPECTED = 'an RFC 3339 time with zone from 1970 to 2100, such as 2026-11-01T08:30:00Z';

function readInstant(given: unknown, node?: ValueNode): Date {
  return (typeof given === 'string' ? parseInstant(given) : undefined) ?? refuse('DateTime', INSTANT_EXPECTED, given, node);
}

export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'An instant in RFC 3339 with zone, years 1970 to 2100, such as `2026-11-01T08:30:00Z`. Answers are UTC with milliseconds.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => {
    if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
    return (typeof value === 'string' ? parseInstant(value) : undefined)?.toISOString() ?? misfit('DateTime', value);
  },
  parseValue: (value) => readInstant(value),
  parseLiteral: (node) => readInstant(node.kind === Kind.STRING ? node.value : node.kind, node),
});

export const DateScalar = textLike({
  name: 'Date',
  description: 'A UTC day, `YYYY-MM-DD`, years 1970 to 2100.',
  expected: 'a day from 1970 to 2100 as YYYY-MM-DD',
  parse: (given) => (isDay(given) ? given : undefined),
});

function parseByteCount(given: unknown): string | undefined {
  const text = typeof given === 'bigint' || (typeof given === 'number' && Number.isSafeInteger(given)) ? String(given) : given;
  return typeof text === 'string' && /^(0|[1-9]\d{0,18})$/.test(text) && BigInt(text) <= BYTE_COUNT_MAX ? text : undefined;
}

function readByteCount(given: unknown, node?: ValueNode): string {
  return parseByteCount(given) ?? refuse('ByteCount', 'a whole number of bytes from 0 to 9223372036854775807, as a string', given, node);
}

export const ByteCountScalar = new GraphQLScalarType<string, string>({
  name: 'ByteCount',
  description:
    'A number of bytes, 0 to 9223372036854775807, as a decimal string, since it may exceed what JSON numbers keep exactly. Input also takes a whole number.',
  serialize: (value) => parseByteCount(value) ?? misfit('ByteCount', value),
  parseValue: (value) => readByteCount(value),
  parseLiteral: (node) => readByteCount(node.kind === Kind.STRING || node.kind === Kind.INT ? node.value : node.kind, node),
});

export const IccidScalar = textLike({
  name: 'ICCID',
  description: "A SIM's number (ITU-T E.118): 18 to 20 digits that start with 89, kept as given.",
  specifiedByURL: 'https://www.itu.int/rec/T-REC-E.118',
  expected: '18 to 20 digits that start with 89',
  parse: (given) => (/^89\d{16,18}$/.test(given) ? given : undefined),
});

export const ImsiScalar = textLike({
  name: 'IMSI',
  description: "A subscriber's identity (ITU-T E.212): MCC, MNC and MSIN, 6 to 15 digits.",
  specifiedByURL: 'https://www.itu.int/rec/T-REC-E.212',
  expected: '6 to 15 digits',
  parse: (given) => (/^\d{6,15}$/.test(given) ? given : undefined),
});

export const ImeiScalar = textLike({
  name: 'IMEI',
  description: "A modem's identity (3GPP TS 23.003): 15 digits (IMEI), 16 (IMEISV), or 14 without check digit. Compared by the first 14.",
  specifiedByURL: 'https://www.3gpp.org/dynareport/23003.htm',
  expected: '14, 15 or 16 digits',
  parse: (given) => (/^\d{14,16}$/.test(given) ? given : undefined),
});

export const PlmnScalar = textLike({
  name: 'PLMN',
  description: 'A mobile network: MCC (3 digits) and MNC (2 or 3), such as `214-07`; input also without the hyphen.',
  expected: 'three digits of MCC and two or three of MNC, such as 214-07',
  parse: (given) => {
    const match = /^(\d{3})-?(\d{2,3})$/.exec(given);
    return match ? `${match[1]}-${match[2]}` : undefined;
  },
});

export const SafeTextScalar = textLike({
  name: 'Text',
  description: 'A text of at most 1,000 characters, well-formed and without U+0000.',
  expected: 'a text of at most 1,000 characters without U+0000 or lone surrogates',
  parse: (given) => (given.length <= 1000 && textFault(given) === null ? given : undefined),
});

function readJson(given: unknown, node?: ValueNode): unknown {
  const fault = jsonFault(given);
  return fault ? refuse('JSON', `a JSON value (${fault})`, JSON.stringify(given) ?? given, node) : given;
}

export const JsonScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value, nested at most 32 deep; its texts are well-formed and without U+0000.',
  serialize: (value) => value,
  parseValue: (value) => readJson(value),
  parseLiteral: (node, variables) => readJson(valueFromASTUntyped(node, variables), node),
});
