/** Keys: made, used, ended, and never seen again. */
import { Authenticator, ensureOperatorKey, mayUse, permissions } from '../../../src/access';
import { Config } from '../../../src/config';
import { Role } from '../../../src/graphql/caller';
import { toGlobalId } from '../../../src/graphql/global-id';
import { SystemEntropy } from '../../../src/runtime';
import { testLog } from '../../support/database';
import { openFleet, operator, row, tenant } from '../fleet/fleet-fixture';

let fleet: Awaited<ReturnType<typeof openFleet>>;
let acme: number;
let bolt: number;
const authenticators: Authenticator[] = [];

beforeAll(async () => {
  fleet = await openFleet();
  const outcomes = await fleet.registry.register([row(1, { client: 'Acme' }), row(2, { client: 'Bolt' })], operator);
  [acme, bolt] = outcomes.map((outcome) => outcome.clientId!) as [number, number];
});
afterAll(async () => {
  await Promise.all(authenticators.map((each) => each.stop()));
  await fleet.close();
});

function newAuthenticator(config: Partial<Config> = {}): Authenticator {
  const made = new Authenticator(new Config(config), fleet.database, fleet.clock, testLog);
  authenticators.push(made);
  made.start();
  return made;
}

const CREATE = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  secret apiKey { id prefix role name owner createdBy expiresAt revokedAt lastUsedAt client { name } } userErrors { code path } } }`;
const REVOKE = 'mutation ($id: ID!) { revokeApiKey(input: { apiKey: $id }) { apiKey { id revokedAt } userErrors { code path } } }';
const wanted = (given: object = {}) => ({ input: { name: 'dashboard', role: 'CLIENT_VIEWER', owner: 'zoe@example.com', ...given } });
const create = async (caller = tenant(acme), given: object = {}) => (await fleet.ask(caller, CREATE, wanted(given))).createApiKey;

test('a key that an admin makes lets its bearer in as what was said', async () => {
  const authenticator = newAuthenticator();
  const { secret, apiKey, userErrors } = await create();
  expect(userErrors).toEqual([]);
  expect(secret).toMatch(/^swk_[0-9a-z]{8}_[A-Za-z0-9_-]{43}$/);
  expect(apiKey).toEqual({
    id: expect.any(String),
    prefix: secret.split('_')[1],
    role: 'CLIENT_VIEWER',
    name: 'dashboard',
    owner: 'zoe@example.com',
    createdBy: `key of ${acme}`,
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
    client: { name: 'Acme' },
  });
  const caller = await authenticator.authenticate(`Bearer ${secret}`);
  expect(caller).toEqual({
    role: Role.CLIENT_VIEWER,
    clientId: acme,
    credentialId: expect.any(String),
    credentialKind: 'API_KEY',
    name: 'dashboard',
    person: 'zoe@example.com',
    expiresAt: null,
    fleetIds: null,
  });
  expect(await fleet.ask(caller!, '{ viewer { role name person expiresAt client { name } } }')).toEqual({
    viewer: { role: 'CLIENT_VIEWER', name: 'dashboard', person: 'zoe@example.com', expiresAt: null, client: { name: 'Acme' } },
  });
});

test.each([
  ['no header', undefined],
  ['nothing', ''],
  ['another scheme', 'Basic abc'],
  ['an unknown key', `Bearer swk_aaaaaaaa_${'A'.repeat(43)}`],
  ['nonsense', 'Bearer nonsense'],
  ['a long one', `Bearer ${'x'.repeat(5000)}`],
  ['two keys', `Bearer a b`],
  ['control characters', 'Bearer a\0b'],
])('%s lets nobody in', async (_, header) => {
  expect(await newAuthenticator({ operatorKey: 'o'.repeat(32) }).authenticate(header)).toBeNull();
});

test('a key with one character changed lets nobody in', async () => {
  const { secret } = await create();
  const authenticator = newAuthenticator();
  const other = secret.slice(0, -1) + (secret.endsWith('A') ? 'B' : 'A');
  expect(await authenticator.authenticate(`Bearer ${other}`)).toBeNull();
  expect(await authenticator.authenticate(`bearer ${secret}`)).not.toBeNull();
});

test('a revoked key stops in every process, and their sockets hear of it; revoking again changes nothing', async () => {
  const here = newAuthenticator();
  const there = newAuthenticator();
  const { secret, apiKey } = await create();
  const caller = await here.authenticate(`Bearer ${secret}`);
  expect(await there.authenticate(`Bearer ${secret}`)).toEqual(caller);
  const heard: string[] = [];
  here.onRevoked((id) => heard.push(`here ${id}`));
  const stop = there.onRevoked((id) => heard.push(`stopped ${id}`));
  stop();
  there.onRevoked((id) => heard.push(`there ${id}`));
  const { revokeApiKey } = await fleet.ask(tenant(acme), REVOKE, { id: apiKey.id });
  expect(revokeApiKey).toEqual({ apiKey: { id: apiKey.id, revokedAt: fleet.clock.now().toISOString() }, userErrors: [] });
  await here.drain();
  await there.drain();
  expect(heard.filter((line) => line.endsWith(caller!.credentialId)).sort()).toEqual([
    `here ${caller!.credentialId}`,
    `there ${caller!.credentialId}`,
  ]);
  expect(await here.authenticate(`Bearer ${secret}`)).toBeNull();
  expect(await there.authenticate(`Bearer ${secret}`)).toBeNull();
  const revokedAt = fleet.clock.now().toISOString();
  fleet.clock.advance(60_000);
  expect((await fleet.ask(tenant(acme), REVOKE, { id: apiKey.id })).revokeApiKey.apiKey.revokedAt).toBe(revokedAt);
  await here.drain();
  expect(heard.filter((line) => line.startsWith('here') && line.endsWith(caller!.credentialId))).toHaveLength(1);
});

test('even if no poke arrives, a revoked key is believed for a second at most', async () => {
  const deaf = new Authenticator(new Config(), fleet.database, fleet.clock, testLog);
  const { secret, apiKey } = await create();
  expect(await deaf.authenticate(`Bearer ${secret}`)).not.toBeNull();
  await fleet.ask(tenant(acme), REVOKE, { id: apiKey.id });
  fleet.clock.advance(1000);
  expect(await deaf.authenticate(`Bearer ${secret}`)).toBeNull();
});

test('a flood of invented keys is turned away, and does not keep out who was let in before', async () => {
  const authenticator = newAuthenticator();
  const { secret } = await create();
  await authenticator.authenticate(`Bearer ${secret}`);
  fleet.clock.advance(1_001); // so that it must be looked up again
  let answered = 0;
  const invented = Array.from({ length: 1_000 }, () => {
    const key = `swk_00000000_${new SystemEntropy().bytes(32).toString('base64url')}`;
    return authenticator.authenticate(`Bearer ${key}`).finally(() => (answered += 1));
  });
  const outcomes = Promise.allSettled(invented);
  expect(await authenticator.authenticate(`Bearer ${secret}`)).toMatchObject({ clientId: acme });
  expect(answered).toBeLessThan(900);
  const refused = (await outcomes).filter((outcome) => outcome.status === 'rejected');
  expect(refused).toHaveLength(800);
  expect(refused.every(({ reason }) => (reason as { code: string }).code === 'RATE_LIMITED')).toBe(true);
  expect(await authenticator.authenticate(`Bearer ${(await create()).secret}`)).toMatchObject({ clientId: acme });
});

test('a key ends when it was said to, also while it is remembered', async () => {
  const authenticator = newAuthenticator();
  const expiresAt = new Date(fleet.clock.now().getTime() + 500).toISOString();
  const { secret } = await create(tenant(acme), { expiresAt });
  expect((await authenticator.authenticate(`Bearer ${secret}`))?.expiresAt?.toISOString()).toBe(expiresAt);
  fleet.clock.advance(500);
  expect(await authenticator.authenticate(`Bearer ${secret}`)).toBeNull();
  expect(await newAuthenticator().authenticate(`Bearer ${secret}`)).toBeNull();
  expect((await create(tenant(acme), { expiresAt })).userErrors).toEqual([{ code: 'BAD_USER_INPUT', path: ['expiresAt'] }]);
});

test('last use is noted, at most once a minute', async () => {
  const authenticator = newAuthenticator();
  const { secret, apiKey } = await create();
  const lastUsedAt = async () =>
    (await fleet.ask(tenant(acme), 'query ($id: ID!) { node(id: $id) { ... on ApiKey { lastUsedAt } } }', { id: apiKey.id })).node
      .lastUsedAt;
  const first = fleet.clock.now().toISOString();
  await authenticator.authenticate(`Bearer ${secret}`);
  expect(await lastUsedAt()).toBe(first);
  fleet.clock.advance(59_999);
  await authenticator.authenticate(`Bearer ${secret}`);
  expect(await lastUsedAt()).toBe(first);
  fleet.clock.advance(1);
  await newAuthenticator().authenticate(`Bearer ${secret}`);
  expect(await lastUsedAt()).toBe(fleet.clock.now().toISOString());
});

test('the configured operator key is the operator, and only whole', async () => {
  const key = 'configured-operator-key-0123456789';
  const authenticator = newAuthenticator({ operatorKey: key });
  expect(await authenticator.authenticate(`Bearer ${key}`)).toMatchObject({
    role: Role.OPERATOR,
    clientId: 0,
    credentialId: 'operator',
    person: 'operator',
    expiresAt: null,
  });
  expect(await authenticator.authenticate(`Bearer ${key.slice(0, -1)}`)).toBeNull();
  expect(await authenticator.authenticate(`Bearer ${key}x`)).toBeNull();
});

test('nobody hands out more than they have', async () => {
  expect((await fleet.execute(tenant(acme), CREATE, wanted({ role: 'OPERATOR' }))).errors).toEqual(['FORBIDDEN']);
  const foreign = await fleet.execute(tenant(acme), CREATE, wanted({ client: toGlobalId('Client', bolt, bolt) }));
  const missing = await fleet.execute(tenant(acme), CREATE, wanted({ client: toGlobalId('Client', 999_999, 999_999) }));
  expect(foreign.data.createApiKey).toEqual({ secret: null, apiKey: null, userErrors: [{ code: 'NOT_FOUND', path: ['client'] }] });
  expect(JSON.stringify(foreign)).toBe(JSON.stringify(missing));
  for (const role of [Role.CLIENT_OPERATOR, Role.CLIENT_VIEWER, Role.INGEST, Role.EMBED]) {
    expect((await fleet.execute(tenant(acme, role), CREATE, wanted())).errors).toEqual(['FORBIDDEN']);
  }
  expect((await create(operator)).userErrors).toEqual([{ code: 'CLIENT_REQUIRED', path: ['client'] }]);
  expect((await create(operator, { client: toGlobalId('Client', 999_999, 999_999) })).userErrors).toEqual([
    { code: 'NOT_FOUND', path: ['client'] },
  ]);
  expect((await create(operator, { role: 'OPERATOR', client: toGlobalId('Client', acme, acme) })).userErrors).toEqual([
    { code: 'BAD_USER_INPUT', path: ['client'] },
  ]);
  expect((await create(operator, { role: 'OPERATOR' })).apiKey).toMatchObject({ role: 'OPERATOR', client: null });
  expect((await create(tenant(acme), { name: ' ' })).userErrors).toEqual([{ code: 'BAD_USER_INPUT', path: ['name'] }]);
});

test("another client's key is as missing as one that never was", async () => {
  const { apiKey } = await create(tenant(acme));
  const nobody = toGlobalId('ApiKey', bolt, '01900000-0000-7000-8000-000000000000');
  const look = async (id: string) =>
    JSON.stringify([
      await fleet.execute(tenant(bolt), REVOKE, { id }),
      await fleet.execute(tenant(bolt), 'query ($id: ID!) { node(id: $id) { id } }', { id }),
    ]);
  expect(await look(apiKey.id)).toBe(await look(nobody));
  expect(await look(apiKey.id)).toContain('NOT_FOUND');
  expect(await fleet.ask(tenant(acme, Role.CLIENT_VIEWER), 'query ($id: ID!) { node(id: $id) { id } }', { id: apiKey.id })).toEqual({
    node: null,
  });
  expect(await fleet.ask(tenant(bolt), '{ apiKeys { totalCount } }')).toEqual({ apiKeys: { totalCount: 0 } });
});

test('keys and audit log are read page by page, newest first', async () => {
  for (const field of ['apiKeys', 'auditLog']) {
    for (const caller of [tenant(acme), operator]) {
      const seen: string[] = [];
      const totals = new Set<number>();
      for (let after: string | null = null; ;) {
        const data: Record<string, { nodes: { id: string }[]; totalCount: number; pageInfo: { hasNextPage: boolean; endCursor: string } }> =
          await fleet.ask(
            caller,
            `query ($after: String) { ${field}(first: 3, after: $after) { nodes { id } totalCount pageInfo { hasNextPage endCursor } } }`,
            { after },
          );
        const page = data[field]!;
        seen.push(...page.nodes.map((node) => node.id));
        totals.add(page.totalCount);
        if (!page.pageInfo.hasNextPage) break;
        after = page.pageInfo.endCursor;
      }
      expect([...totals]).toEqual([seen.length]);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.length).toBeGreaterThan(3);
    }
  }
});

test("the secret is nowhere: neither in the key's row, nor the directory, nor the audit log", async () => {
  const { secret } = await create(tenant(acme), { name: 'hidden' });
  const random = secret.split('_').slice(2).join('_');
  const stored = JSON.stringify([
    await fleet.asOperator('SELECT * FROM api_key'),
    await fleet.asOperator('SELECT * FROM directory'),
    await fleet.asOperator('SELECT * FROM audit_log'),
  ]);
  expect(stored).toContain('hidden');
  expect(stored).not.toContain(random);
});

test('the audit log can be added to, never changed', async () => {
  for (const sql of [`UPDATE audit_log SET person = 'x' WHERE client_id = $1`, 'DELETE FROM audit_log WHERE client_id = $1']) {
    for (const role of ['tenant', 'operator', 'ingest'] as const) {
      await expect(
        fleet.database.transaction({ name: 'test.tamper', role, clientId: acme }, (tx) => tx.query(sql, [acme])),
      ).rejects.toThrow(/permission denied/);
    }
  }
});

test('the first start makes one operator key, whoever starts at once; a configured key makes none', async () => {
  const fresh = await openFleet();
  try {
    const ensure = (config = new Config()) => ensureOperatorKey(config, fresh.database, fresh.clock, new SystemEntropy());
    expect(await ensure(new Config({ operatorKey: 'o'.repeat(32) }))).toBeNull();
    const made = (await Promise.all([ensure(), ensure(), ensure()])).filter((key) => key !== null);
    expect(made).toHaveLength(1);
    expect(await ensure()).toBeNull();
    const authenticator = new Authenticator(new Config(), fresh.database, fresh.clock, testLog);
    const caller = await authenticator.authenticate(`Bearer ${made[0]}`);
    expect(caller).toMatchObject({ role: Role.OPERATOR, clientId: 0 });
    await fresh.ask(caller!, REVOKE, { id: toGlobalId('ApiKey', 0, caller!.credentialId) });
    expect(await ensure()).toMatch(/^swk_/);
  } finally {
    await fresh.close();
  }
});

test("a root field without a row in the matrix is nobody's", () => {
  expect(mayUse('Query.secrets', Role.OPERATOR)).toBe(false);
  expect(mayUse('toString', Role.OPERATOR)).toBe(false);
  expect(mayUse('Query.viewer', Role.EMBED)).toBe(true);
  for (const [field, roles] of Object.entries(permissions)) expect([field, new Set(roles).size]).toEqual([field, roles.length]);
});
