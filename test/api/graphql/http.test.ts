/** GraphQL over HTTP as a caller meets it: who may ask, what is answered, and what is refused before it costs anything. */
import { request as rawRequest } from 'node:http';
import { getIntrospectionQuery } from 'graphql';
import { openTestDatabase, type TestDatabase } from '../../support/database';
import { seedClients, startLampServer, type LampServer } from './lamp-server';

let db: TestDatabase;
let server: LampServer;

beforeAll(async () => {
  db = await openTestDatabase();
  await seedClients(db.database);
  server = await startLampServer(db.database);
});
afterAll(async () => {
  await server?.close();
  await db?.close();
});

const codeOf = async (answer: Promise<{ body: { errors?: { extensions: { code: string } }[] } }>): Promise<string | undefined> =>
  (await answer).body.errors?.[0]?.extensions.code;

describe('who asks', () => {
  test('without a credential only __typename is answered', async () => {
    expect((await server.post('{ __typename }', { key: null })).body).toMatchObject({ data: { __typename: 'Query' } });
    for (const query of [
      '{ session }',
      '{ __typename session }',
      '{ __schema { types { name } } }',
      '{ ...F } fragment F on Query { session }',
      '{ noSuchField }',
      'query ($x: NoSuchType) { __typename }',
      '{ __typename } fragment F on NoSuchType { a }',
    ]) {
      const answer = await server.post(query, { key: null });
      expect([query, answer.status, answer.body.errors?.[0]?.extensions.code]).toEqual([query, 401, 'UNAUTHENTICATED']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.text).not.toMatch(/NoSuch/);
    }
  });

  test('a wrong key is no credential', async () => {
    expect(await codeOf(server.post('{ session }', { key: 'stolen' }))).toBe('UNAUTHENTICATED');
  });

  test('an operation reads in one read-only transaction under the database role of its caller', async () => {
    expect((await server.post('{ session }')).body.data).toEqual({ session: 'simwarden_tenant 1 read-only=on' });
    expect((await server.post('{ session }', { key: 'operator' })).body.data).toEqual({ session: 'simwarden_operator - read-only=on' });
  });

  test('a customer sees its own rows only', async () => {
    expect((await server.post('{ lamps { nodes { name } totalCount } }', { key: 'two' })).body.data).toEqual({
      lamps: { nodes: [{ name: 'two' }], totalCount: 1 },
    });
    expect((await server.post('{ lamps { nodes { name } } }', { key: 'operator' })).body.data).toEqual({
      lamps: { nodes: [{ name: 'one' }, { name: 'two' }] },
    });
  });

  test('a foreign id answers byte-equal to a missing one', async () => {
    const ask = (client: number, name: string): Promise<{ text: string }> =>
      server.post('query ($id: ID!) { node(id: $id) { id ... on Lamp { name } } }', {
        variables: { id: Buffer.from(`Lamp:${client}:${name}`).toString('base64url') },
      });
    expect((await ask(1, 'one')).text).toContain('"name":"one"');
    const missing = (await ask(1, 'none')).text;
    expect((await ask(2, 'two')).text).toBe(missing);
    expect((await ask(77, 'two')).text).toBe(missing);
  });

  test('a role without the permission is told which role may', async () => {
    const answer = await server.post('mutation { announce(input: { subject: "a", sequence: 1 }) }', { key: 'one-viewer' });
    expect(answer.body.errors?.[0]).toMatchObject({ extensions: { code: 'FORBIDDEN' }, message: expect.stringContaining('CLIENT_ADMIN') });
    expect(answer.status).toBe(403);
  });

  test('introspection is for authenticated callers, embed tokens excepted', async () => {
    expect((await server.post(getIntrospectionQuery())).body.data).toHaveProperty('__schema');
    expect(await codeOf(server.post(getIntrospectionQuery(), { key: 'embed' }))).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf(server.post('{ session }', { key: 'embed' }))).toBeUndefined();
  });

  test('too many requests of one credential are turned away with the seconds to wait, others go on', async () => {
    const strict = await startLampServer(db.database, { requestsPerMinute: 3 });
    const answers = await Promise.all([1, 2, 3, 4].map(() => strict.post('{ __typename }')));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 429]);
    const refused = answers.find((answer) => answer.status === 429)!;
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.body.errors?.[0]?.extensions.code).toBe('RATE_LIMITED');
    expect((await strict.post('{ __typename }', { key: 'two' })).status).toBe(200);
    await strict.close();
  });
});

describe('what is too much', () => {
  const nested = (depth: number): string => `{ lamps { nodes { ${'behind { '.repeat(depth)} name ${'}'.repeat(depth)} } } }`;
  const bombs: Record<string, [string, string]> = {
    'a query nested 20 deep': [nested(20), 'QUERY_TOO_DEEP'],
    'a query nested 600 deep': [nested(600), 'QUERY_TOO_DEEP'],
    'a query nested 20 deep through fragments': [
      `{ lamps { nodes { ...F0 } } } ${Array.from({ length: 20 }, (_, i) => `fragment F${i} on Lamp { behind { ${i < 19 ? `...F${i + 1}` : 'name'} } }`).join(' ')}`,
      'QUERY_TOO_DEEP',
    ],
    'a fragment that spreads itself': [
      '{ lamps { nodes { ...A } } } fragment A on Lamp { behind { ...B } } fragment B on Lamp { behind { ...A } }',
      'BAD_REQUEST',
    ],
    'a bomb of doubling fragments': [
      `{ lamps { nodes { ...F0 } } } ${Array.from({ length: 60 }, (_, i) => `fragment F${i} on Lamp { ${i < 59 ? `...F${i + 1} ... { ...F${i + 1} }` : 'a: name b: name'} }`).join(' ')}`,
      'QUERY_TOO_LARGE',
    ],
    'a flood of aliases': [`{ ${Array.from({ length: 51 }, (_, i) => `a${i}: __typename`).join(' ')} }`, 'QUERY_TOO_LARGE'],
    'the same field 1,900 times': [`{ ${'__typename '.repeat(1900)} }`, 'QUERY_TOO_LARGE'],
    'a flood of directives': [`{ __typename ${'@skip(if: false) '.repeat(21)} }`, 'QUERY_TOO_LARGE'],
    'more than 2,000 tokens': [`{ ${'__typename '.repeat(2500)} }`, 'GRAPHQL_PARSE_FAILED'],
    'a query that may answer more than 5,000 objects': [
      '{ lamps(first: 100) { nodes { behind { name } } edges { node { behind { behind { name } } } } } l2: lamps(first: 100) { nodes { name } } ' +
        Array.from({ length: 12 }, (_, i) => `m${i}: lamps(first: 100) { nodes { behind { behind { behind { name } } } } }`).join(' ') +
        '}',
      'QUERY_TOO_COSTLY',
    ],
    '5,000 characters of brackets': ['{'.repeat(1999), 'GRAPHQL_PARSE_FAILED'],
    'a list literal nested 1,500 deep': [`{ echo(json: ${'['.repeat(990)}${']'.repeat(990)}) }`, 'GRAPHQL_VALIDATION_FAILED'],
    'introspection nested without end': [
      `{ __schema { types { ${'fields { type { '.repeat(30)} name ${'} }'.repeat(30)} } } }`,
      'QUERY_TOO_DEEP',
    ],
  };

  test.each(Object.entries(bombs))('%s is refused in milliseconds', async (_name, [query, code]) => {
    await server.post('{ __typename }');
    const started = performance.now();
    const answer = await server.post(query);
    const took = performance.now() - started;
    expect(answer.body.errors?.[0]?.extensions.code).toBe(code);
    expect(took).toBeLessThan(2_000);
    expect(answer.body.data).toBeUndefined();
  });

  test('what passes says what it costs', async () => {
    const answer = await server.post(
      'query ($n: Int!) { lamps(first: $n) { nodes { behind { name } } edges { cursor } pageInfo { hasNextPage } } }',
      { variables: { n: 10 } },
    );
    expect(answer.body.errors).toBeUndefined();
    // lamps 3, nodes 1 + 10 × (1 + 1), edges 1 + 10, pageInfo 1
    expect(answer.body.extensions?.cost).toBe(36);
    const counted = await server.post('{ lamps(first: 10) { totalCount } }');
    expect(counted.body.extensions?.cost).toBe(13);
  });

  test('asking for a page of 101, or of none, names the bounds', async () => {
    for (const first of [101, 0, -5]) {
      const answer = await server.post(`{ lamps(first: ${first}) { nodes { name } } }`);
      expect(answer.body.errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' }, message: expect.stringContaining('first') });
    }
  });

  test('a body over 256 KB is refused as JSON', async () => {
    const answer = await server.post('', { body: JSON.stringify({ query: `# ${'x'.repeat(300_000)}\n{ __typename }` }) });
    expect([answer.status, answer.body.errors?.[0]?.extensions.code]).toEqual([413, 'BODY_TOO_LARGE']);
  });

  test('a body that dribbles is cut off', async () => {
    const hurried = await startLampServer(db.database, { bodyDeadlineMilliseconds: 300 });
    const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sending = rawRequest(
        hurried.url,
        { method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer one', 'content-length': '1000' } },
        (response) => {
          let text = '';
          response.on('data', (chunk) => (text += chunk));
          response.on('close', () => resolve({ status: response.statusCode!, text }));
        },
      );
      sending.on('error', reject);
      sending.write('{ "query":');
    });
    expect(answer.status).toBe(408);
    expect(JSON.parse(answer.text).errors[0].extensions.code).toBe('BODY_TIMEOUT');
    await hurried.close();
  });
});

describe('what is malformed', () => {
  test('broken JSON, other content types and batches are JSON errors of their own', async () => {
    const cases: [Parameters<LampServer['post']>[1], number, string][] = [
      [{ body: '{ "query": ' }, 400, 'BAD_REQUEST'],
      [{ body: '"text"' }, 400, 'BAD_REQUEST'],
      [{ body: '[{ "query": "{ __typename }" }]' }, 400, 'BAD_REQUEST'],
      [{ body: '{}' }, 400, 'BAD_REQUEST'],
      [{ body: '{ __typename }', headers: { 'content-type': 'application/graphql' } }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
      [{ body: 'query=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
      [{ body: '{"query":"{ __typename }"}', headers: { 'content-type': 'text/plain' } }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
      [
        { body: '{"query":"{ __typename }"}', headers: { 'content-type': 'application/json; charset=koi8-r' } },
        415,
        'UNSUPPORTED_MEDIA_TYPE',
      ],
    ];
    for (const [options, status, code] of cases) {
      const answer = await server.post('', options);
      expect([options, answer.status, answer.body.errors?.[0]?.extensions.code]).toEqual([options, status, code]);
    }
  });

  test('a GET that a web page could send by itself is refused', async () => {
    const simple = await fetch(`${server.url}?query={__typename}`, { headers: { authorization: 'Bearer one' } });
    expect(simple.status).toBe(400);
    const guarded = await fetch(`${server.url}?query={__typename}`, {
      headers: { authorization: 'Bearer one', 'apollo-require-preflight': '1' },
    });
    expect(await guarded.json()).toMatchObject({ data: { __typename: 'Query' } });
    const writing = await fetch(`${server.url}?query=mutation{announce(input:{subject:"a",sequence:1})}`, {
      headers: { authorization: 'Bearer one', 'apollo-require-preflight': '1' },
    });
    expect(writing.status).toBe(405);
  });

  test('only listed origins may call from a browser', async () => {
    const preflight = async (origin: string): Promise<string | null> =>
      (await fetch(server.url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })).headers.get(
        'access-control-allow-origin',
      );
    expect(await preflight('https://portal.example.com')).toBe('https://portal.example.com');
    expect(await preflight('https://evil.example.com')).toBeNull();
  });

  test('errors suggest no names, and request errors answer 200 to application/json, 400 to application/graphql-response+json', async () => {
    const plain = await server.post('{ sesion }');
    expect(plain.body.errors?.[0]?.message).not.toContain('session');
    expect([plain.status, plain.body.errors?.[0]?.extensions.code]).toEqual([200, 'GRAPHQL_VALIDATION_FAILED']);
    expect((await server.post('{ sesion }', { headers: { accept: 'application/graphql-response+json' } })).status).toBe(400);
    expect(await codeOf(server.post('{ session'))).toBe('GRAPHQL_PARSE_FAILED');
    expect(await codeOf(server.post('query A { session } query B { session }'))).toBe('BAD_REQUEST');
    expect(await codeOf(server.post('subscription { lampChanged { cursor } }'))).toBe('BAD_REQUEST');
  });

  test('our own faults say nothing but a number to quote, and leave no stack', async () => {
    const answer = await server.post('{ fail(how: "crash") }');
    expect(answer.text).not.toMatch(/hunter2|\bat \/|stack/);
    expect(answer.body.errors?.[0]).toMatchObject({
      path: ['fail'],
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    expect((await server.post('{ fail(how: "catalogue") }')).body.errors?.[0]).toMatchObject({ extensions: { code: 'NOT_FOUND' } });
  });

  test('after a failed statement the other fields of the operation are still answered', async () => {
    const answer = await server.post('{ a: fail(how: "statement") }');
    expect(answer.body).toMatchObject({ data: { a: null }, errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] });
    expect((await server.post('{ lamps { nodes { name } } }')).body.data).toEqual({ lamps: { nodes: [{ name: 'one' }] } });
  });

  test('400 callers who hang up leave no transaction open', async () => {
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        const controller = new AbortController();
        const asked = fetch(server.url, {
          method: 'POST',
          signal: controller.signal,
          headers: { 'content-type': 'application/json', authorization: 'Bearer one' },
          body: JSON.stringify({ query: '{ lamps { nodes { name } } session }' }),
        }).catch(() => undefined);
        setImmediate(() => controller.abort());
        await asked;
      }),
    );
    expect((await server.post('{ session }')).status).toBe(200);
  });
});

describe('mutations', () => {
  test('the same idempotency key runs once, another request under it is refused', async () => {
    const announce = 'mutation ($input: AnnounceInput!) { announce(input: $input) }';
    const input = { subject: 'twice', sequence: 1, idempotencyKey: 'k1' };
    const [first, second] = await Promise.all([
      server.post(announce, { variables: { input } }),
      server.post(announce, { variables: { input } }),
    ]);
    expect(first.body.errors).toBeUndefined();
    expect(second.body.data).toEqual(first.body.data);
    expect((await server.post(announce, { variables: { input } })).body.data).toEqual(first.body.data);
    expect(await codeOf(server.post(announce, { variables: { input: { ...input, sequence: 2 } } }))).toBe('IDEMPOTENCY_KEY_REUSED');
    const other = await server.post(announce, { key: 'two', variables: { input } });
    expect(other.body.data).not.toEqual(first.body.data);
  });

  test('an input outside its bounds names the field', async () => {
    const answer = await server.post('mutation { announce(input: { subject: "a", sequence: 2000000 }) }');
    expect(answer.body.errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' }, message: expect.stringContaining('sequence') });
  });
});

describe('GraphiQL', () => {
  test('is served from here, with nothing from elsewhere', async () => {
    const page = await fetch(server.url.replace('/graphql', '/'));
    const html = await page.text();
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!).filter((file) => file !== 'data:,');
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      expect(file).toMatch(/^\/graphiql\//);
      expect((await fetch(new URL(file, server.url))).status).toBe(200);
    }
  });
});
