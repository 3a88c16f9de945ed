/** Hostile documents, over HTTP and over the socket: refused at once, with a reason; whatever the schema allows is answered. */
import { seededRandom } from '../../src/detector/numeric';
import { AT_LENGTH } from '../support/at-length';
import { OPERATOR_KEY } from '../support/app';
import { codeIn, SocketPeer } from './graphql/socket-peer';
import { RandomDocuments } from './limits-documents';
import { fault, openLimitsHouse, post, type LimitsHouse } from './limits-house';
import { brokenCursors, brokenIds } from './limits-values';

let house: LimitsHouse;
beforeAll(async () => {
  house = await openLimitsHouse();
});
afterAll(async () => {
  await SocketPeer.closeAll();
  await house.close();
});

const socketUrl = () => new URL('/graphql', house.url.replace(/^http/, 'ws')).href;

/** The code of an answer over the socket; null where there was data. */
async function codeOverSocket(peer: SocketPeer, id: string, query: string, variables?: unknown): Promise<string | null> {
  peer.subscribe(id, query, variables);
  const message = await peer.next();
  if (message.type === 'error') return codeIn(message) ?? 'none';
  const code = message.payload?.errors?.[0]?.extensions.code ?? null;
  await peer.next('complete');
  return code;
}

async function codeOverHttp(query: string, variables?: Record<string, unknown>): Promise<string | null> {
  return (await house.ask(query, variables)).errors?.[0]?.extensions?.code ?? null;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; milliseconds: number }> {
  const started = performance.now();
  return { result: await work(), milliseconds: performance.now() - started };
}

/** `sims { nodes { alerts { nodes { sim { alerts …`: `levels` deep, each text another, so that no memory of documents helps. */
function nested(levels: number, salt: number): string {
  const steps = [
    'sims(first: 100)',
    'nodes',
    ...Array.from({ length: levels }, (_, i) => ['alerts(first: 100)', 'nodes', 'sim'][i % 3]!),
  ].slice(0, levels - 1);
  return `query Deep${salt} { ${steps.join(' { ')} { __typename ${'}'.repeat(steps.length)} }`;
}

describe('a query nested 20 deep', () => {
  const TIMES = 15;

  test('is refused in milliseconds over HTTP', async () => {
    await codeOverHttp(nested(20, -1));
    const taken = [];
    for (let time = 0; time < TIMES; time++) {
      const { result, milliseconds } = await timed(() => codeOverHttp(nested(20, time)));
      expect(result).toBe('QUERY_TOO_DEEP');
      taken.push(milliseconds);
    }
    console.log(`refused over HTTP in ${median(taken).toFixed(2)} ms (median of ${TIMES})`);
    expect(median(taken)).toBeLessThan(1_000);
  });

  test('is refused in milliseconds over the socket', async () => {
    const peer = await SocketPeer.greeted(socketUrl(), OPERATOR_KEY);
    await codeOverSocket(peer, 'first', nested(20, -2));
    const taken = [];
    for (let time = 0; time < TIMES; time++) {
      const { result, milliseconds } = await timed(() => codeOverSocket(peer, `deep ${time}`, nested(20, 1_000 + time)));
      expect(result).toBe('QUERY_TOO_DEEP');
      taken.push(milliseconds);
    }
    console.log(`refused over the socket in ${median(taken).toFixed(2)} ms (median of ${TIMES})`);
    expect(median(taken)).toBeLessThan(1_000);
  });

  test('hidden in fragments it is refused as well', async () => {
    const fragments = Array.from(
      { length: 18 },
      (_, i) => `fragment F${i} on Sim { alerts(first: 1) { nodes { sim { ${i < 17 ? `...F${i + 1}` : 'id'} } } } }`,
    );
    expect(await codeOverHttp(`{ sims { nodes { ...F0 } } } ${fragments.join(' ')}`)).toBe('QUERY_TOO_DEEP');
  });

  test('ten deep is still answered', async () => {
    const query =
      '{ sims(first: 1) { nodes { alerts(first: 1) { nodes { sim { fleet { client { fleets(first: 1) { nodes { id } } } } } } } } } }';
    expect(await codeOverHttp(query)).toBeNull();
  });
});

interface Hostile {
  readonly what: string;
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly code: string;
}

const many = (count: number, part: (index: number) => string) => Array.from({ length: count }, (_, index) => part(index)).join(' ');

const hostile: readonly Hostile[] = [
  { what: 'a flood of aliases', query: `{ ${many(60, (i) => `a${i}: viewer { role }`)} }`, code: 'QUERY_TOO_LARGE' },
  {
    what: 'aliases multiplied by fragments',
    query: `{ ...A ...B } fragment A on Query { ${many(30, (i) => `a${i}: viewer { role }`)} } fragment B on Query { ${many(30, (i) => `b${i}: viewer { role }`)} }`,
    code: 'QUERY_TOO_LARGE',
  },
  { what: 'a flood of directives', query: `{ viewer { role ${'@include(if: true) '.repeat(30)} } }`, code: 'QUERY_TOO_LARGE' },
  { what: 'one field ten thousand times', query: `{ ${'__typename '.repeat(1_500)} }`, code: 'QUERY_TOO_LARGE' },
  { what: 'more tokens than anyone needs', query: `{ ${'viewer { role } '.repeat(2_000)} }`, code: 'GRAPHQL_PARSE_FAILED' },
  { what: 'a fragment that spreads itself', query: '{ ...A } fragment A on Query { ...A }', code: 'BAD_REQUEST' },
  {
    what: 'a ring of fragments',
    query: '{ ...A } fragment A on Query { ...B } fragment B on Query { ...C } fragment C on Query { ...A }',
    code: 'BAD_REQUEST',
  },
  {
    what: 'fragments that double at every step',
    query: `{ viewer { ...F0 } } ${many(40, (i) => `fragment F${i} on Viewer { ...F${i + 1} ...F${i + 1} }`)} fragment F40 on Viewer { role }`,
    code: 'QUERY_TOO_LARGE',
  },
  {
    what: 'pages of pages of pages',
    query: '{ clients(first: 100) { nodes { fleets(first: 100) { nodes { sims(first: 100) { nodes { id } } } } } } }',
    code: 'QUERY_TOO_COSTLY',
  },
  { what: 'brackets without end', query: '{'.repeat(1_900), code: 'GRAPHQL_PARSE_FAILED' },
  {
    what: 'a list in a list in a list',
    query: `query Q($f: JSON) { viewer { role } } { a(x: ${'['.repeat(900)}`,
    code: 'GRAPHQL_PARSE_FAILED',
  },
  {
    what: 'a variable nested 1,000 deep',
    query: 'mutation M($input: ConfigureDetectorInput!) { configureDetector(input: $input) { userErrors { code } } }',
    variables: {
      input: { detector: 'threshold', scope: {}, options: JSON.parse(`${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`) as unknown },
    },
    code: 'BAD_USER_INPUT',
  },
  {
    what: 'a text with U+0000 as a literal',
    query: String.raw`{ sims(filter: { search: "\u0000" }) { nodes { id } } }`,
    code: 'BAD_USER_INPUT',
  },
  {
    what: 'half a surrogate pair as a literal',
    query: String.raw`{ sims(filter: { search: "\ud800" }) { nodes { id } } }`,
    code: 'GRAPHQL_PARSE_FAILED',
  },
  { what: 'a field of another type', query: '{ viewer { role { deeper } } }', code: 'GRAPHQL_VALIDATION_FAILED' },
];

describe('a hostile document', () => {
  test.each(hostile)('$what is refused with a reason, over HTTP and over the socket', async ({ query, variables, code }) => {
    const { result, milliseconds } = await timed(() => codeOverHttp(query, variables));
    expect(result).toBe(code);
    expect(milliseconds).toBeLessThan(5_000);
    const peer = await SocketPeer.greeted(socketUrl(), OPERATOR_KEY);
    expect(await codeOverSocket(peer, '1', query, variables)).toBe(code);
    peer.socket.close();
  });

  test('variables larger than a request may be are refused, and the server goes on', async () => {
    const query = 'query Q($after: String) { sims(after: $after) { nodes { id } } }';
    const answer = await house.ask(query, { after: 'x'.repeat(300_000) });
    expect(answer).toMatchObject({ status: 413, errors: [{ extensions: { code: 'BODY_TOO_LARGE' } }] });
    const peer = await SocketPeer.greeted(socketUrl(), OPERATOR_KEY);
    peer.subscribe('1', query, { after: 'x'.repeat(300_000) });
    expect((await peer.closed).code).toBe(1009);
    expect(await codeOverHttp('{ viewer { role } }')).toBeNull();
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a list', '[{"query":"{ __typename }"}]'],
    ['a number', '7'],
    ['no query', '{}'],
    ['a query that is a number', '{"query":7}'],
    ['variables that are a list', '{"query":"{ __typename }","variables":[1]}'],
    ['an operation that is not there', '{"query":"{ __typename }","operationName":"Nope"}'],
    ['half a character', '{"query":"{ __typename }","variables":{"a":"\\ud800"}}'],
  ])('a body that is %s is answered as a bad request', async (_, body) => {
    const answer = await post(house.url, body, OPERATOR_KEY);
    expect(answer.data ?? null).toBeNull();
    expect(fault(answer)).toBeNull();
  });
});

test('random queries that the schema allows are answered, none with a fault of ours', async () => {
  const documents = new RandomDocuments(house, seededRandom(Number(process.env['SIMWARDEN_FUZZ_SEED'] ?? 5)));
  const runs = Number(process.env['SIMWARDEN_FUZZ_RUNS'] ?? (AT_LENGTH ? 300 : 100));
  const faults: string[] = [];
  let withData = 0;
  for (let run = 0; run < runs; run++) {
    const query = documents.query();
    const answer = await house.ask(query, {}, run % 3 === 0 ? house.adminKey : OPERATOR_KEY);
    const wrong = fault(answer);
    if (wrong || answer.errors?.[0]?.extensions?.code === 'GRAPHQL_VALIDATION_FAILED')
      faults.push(`${query} → ${wrong ?? JSON.stringify(answer.errors)}`);
    if (answer.data) withData += 1;
  }
  expect(faults).toEqual([]);
  expect(withData).toBeGreaterThan(runs / 3);
}, 600_000);

test('a subscription with an odd cursor or filter is refused with a reason, or listens', async () => {
  // the progress of a run takes its id instead of a filter
  const fields = Object.values(house.schema.getSubscriptionType()!.getFields()).filter(({ args }) =>
    args.some(({ name }) => name === 'filter'),
  );
  expect(fields.map(({ name }) => name).sort()).toEqual(['alertChanged', 'incidentChanged', 'simBlockStateChanged']);
  const codes = new Set<string>();
  for (const { name, args } of fields) {
    const filter = String(args.find((argument) => argument.name === 'filter')!.type);
    const peer = await SocketPeer.greeted(socketUrl(), OPERATOR_KEY);
    const query = `subscription S($after: String, $filter: ${filter}) { ${name}(after: $after, filter: $filter) { cursor } }`;
    const variables = [
      ...brokenCursors.map((after) => ({ after })),
      ...[...brokenIds, ...[...house.ids.values()].flatMap(([id]) => id ?? [])].map((sim) => ({ filter: { sim } })),
    ];
    for (const [index, given] of variables.entries()) peer.subscribe(String(index), query, given);
    for (let index = 0; index < variables.length; index++) peer.say({ id: String(index), type: 'complete' });
    peer.subscribe('last', '{ viewer { role } }');
    for (let message = await peer.next(); !(message.type === 'complete' && message.id === 'last'); message = await peer.next()) {
      if (message.type === 'error') codes.add(codeIn(message) ?? 'none');
      for (const error of message.payload?.errors ?? []) codes.add(error.extensions.code);
    }
    peer.socket.close();
  }
  expect([...codes].filter((code) => !['BAD_CURSOR', 'BAD_USER_INPUT', 'WRONG_ID_TYPE', 'NOT_FOUND'].includes(code))).toEqual([]);
  expect(codes).toContain('BAD_CURSOR');
});
