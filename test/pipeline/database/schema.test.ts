/** The whole schema keeps the rules that tenancy and a cluster stand on (DESIGN 4.2 and 4.6): proved from the catalogue, for every table. */
import { readMigrations } from '../../../src/database/migrations';
import { openTestDatabase, type TestDatabase } from '../../support/database';

/** Tables without a client. A new one needs a reason to be here. */
const tablesWithoutClient = ['dialogue_indexed_day', 'directory_version', 'event_head', 'lease', 'network_node', 'schema_migration'];
/** A dialogue has no identity, and a key kept up while its day is open would make loading it several times slower. */
const tablesWithoutKey = ['dialogue', 'signaling_part'];
/** Its rows are found before the client is known, so it is keyed by identifier. */
const keyedOtherwise = ['directory'];
/** Tables whose rows of client 0 are the operator's defaults, which every tenant may read. */
const tablesWithDefaults = ['detector_configuration', 'population_cluster'];

let db: TestDatabase;

const rowsOf = <Row extends object>(sql: string): Promise<Row[]> =>
  db.database.transaction({ name: 'test', role: 'owner', readOnly: true }, (tx) => tx.query<Row>(sql));

const ourTables = `SELECT oid, relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`;
const withClient = `${ourTables} AND EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'client_id' AND NOT attisdropped)
  AND relname <> ALL ('{${keyedOtherwise.join(',')}}')`;

beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

test('every table has a client, or is on the list of those that need none', async () => {
  const tenantTables = new Set((await rowsOf<{ name: string }>(withClient)).map(({ name }) => name));
  const others = (await rowsOf<{ name: string }>(ourTables)).map(({ name }) => name).filter((name) => !tenantTables.has(name));
  expect(others.sort()).toEqual([...tablesWithoutClient, ...keyedOtherwise].sort());
  expect(tenantTables.size).toBeGreaterThan(25);
});

test("client_id is an int4 that can't be null", async () => {
  const wrong = await rowsOf(
    `SELECT relation.name FROM (${withClient}) relation JOIN pg_attribute ON attrelid = relation.oid AND attname = 'client_id' WHERE atttypid <> 'int4'::regtype OR NOT attnotnull`,
  );
  expect(wrong).toEqual([]);
});

test('every table has a primary key', async () => {
  expect(
    await rowsOf(
      `SELECT name FROM (${ourTables}) relation WHERE NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conrelid = relation.oid AND contype = 'p') ORDER BY name`,
    ),
  ).toEqual(tablesWithoutKey.map((name) => ({ name })));
});

test('client_id stands first in every primary key, unique key and foreign key', async () => {
  const keys = await rowsOf<{ name: string; first: string }>(
    `SELECT index.relname::text AS name, attname::text AS first FROM (${withClient}) relation
     JOIN pg_index ON indrelid = relation.oid AND indisunique JOIN pg_class index ON index.oid = indexrelid
     JOIN pg_attribute ON attrelid = relation.oid AND attnum = indkey[0]
     UNION ALL
     SELECT conname::text, attname::text FROM (${withClient}) relation
     JOIN pg_constraint ON conrelid = relation.oid AND contype IN ('f', 'p', 'u') JOIN pg_attribute ON attrelid = relation.oid AND attnum = conkey[1]`,
  );
  expect(keys.length).toBeGreaterThan(50);
  expect(keys.filter(({ first }) => first !== 'client_id')).toEqual([]);
});

test("foreign keys delete nothing by themselves and don't touch telemetry", async () => {
  const wrong = await rowsOf(
    `SELECT conname FROM pg_constraint JOIN pg_class child ON child.oid = conrelid JOIN pg_class parent ON parent.oid = confrelid
     WHERE contype = 'f' AND (confdeltype NOT IN ('a', 'c') OR child.relkind = 'p' OR parent.relkind = 'p')`,
  );
  expect(wrong).toEqual([]);
});

test('row-level security is on and forced, with exactly one policy per role', async () => {
  const tables = await rowsOf<{ name: string; secured: boolean; policies: string[] }>(
    `SELECT name, (SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = relation.oid) AS secured,
       (SELECT array_agg(format('%s %s %s %s', polname, polroles::regrole[]::text, polcmd, pg_get_expr(polqual, polrelid)) ORDER BY polname)
        FROM pg_policy WHERE polrelid = relation.oid) AS policies
     FROM (${withClient}) relation`,
  );
  const expected = (name: string): string[] => [
    'ingest_rows {simwarden_ingest} * true',
    ...(tablesWithDefaults.includes(name) ? ['operator_defaults {simwarden_tenant} r (client_id = 0)'] : []),
    'operator_rows {simwarden_operator} * true',
    'tenant_rows {simwarden_tenant} * (client_id = current_client())',
  ];
  expect(tables.filter(({ name, secured, policies }) => !secured || JSON.stringify(policies) !== JSON.stringify(expected(name)))).toEqual(
    [],
  );
});

test('the three roles can neither log in nor step over row-level security', async () => {
  const roles = await rowsOf(
    `SELECT rolname::text AS name, rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb AS powerful FROM pg_roles WHERE rolname LIKE 'simwarden%' ORDER BY 1`,
  );
  expect(roles).toEqual(['simwarden_ingest', 'simwarden_operator', 'simwarden_tenant'].map((name) => ({ name, powerful: false })));
});

test('there are no triggers, and identities only where the table was created with one', async () => {
  expect(await rowsOf(`SELECT tgname FROM pg_trigger WHERE NOT tgisinternal`)).toEqual([]);
  expect(
    await rowsOf(`SELECT attname FROM pg_attribute JOIN (${ourTables}) relation ON attrelid = relation.oid WHERE attidentity <> ''`),
  ).toEqual([{ attname: 'client_id' }]);
});

test('nothing is granted to everybody, and nobody can rewrite the audit log', async () => {
  const grants = `SELECT name, grantee::regrole::text AS role, privilege_type AS privilege FROM (${ourTables}) relation JOIN pg_class ON pg_class.oid = relation.oid, aclexplode(relacl)`;
  expect(await rowsOf(`SELECT * FROM (${grants}) granted WHERE role = '-'`)).toEqual([]);
  expect(
    await rowsOf(
      `SELECT * FROM (${grants}) granted WHERE name = 'audit_log' AND role LIKE 'simwarden%' AND privilege NOT IN ('SELECT', 'INSERT')`,
    ),
  ).toEqual([]);
});

describe('each migration', () => {
  /** Statements, without comments, string literals and function bodies. */
  const statementsOf = (sql: string): string[] =>
    sql
      .replace(/--[^\n]*/g, '')
      .replace(/\$\$[\s\S]*?\$\$/g, '$$$$')
      .replace(/'[^']*'/g, "''")
      .split(';')
      .map((statement) => statement.replace(/\s+/g, ' ').trim())
      .filter((statement) => statement !== '');

  const forbidden: [string, RegExp][] = [
    ['a trigger', /\bCREATE (CONSTRAINT )?TRIGGER\b/i],
    ['a serial column', /\b(small|big)?serial\b/i],
    ['an identity that is added later', /\bALTER TABLE\b.*\bADD (COLUMN )?.*\bIDENTITY\b/i],
    ['ON DELETE SET NULL or SET DEFAULT', /\bON DELETE SET (NULL|DEFAULT)\b/i],
    ['a renamed constraint', /\bRENAME CONSTRAINT\b/i],
    ['DETACH … CONCURRENTLY', /\bDETACH PARTITION\b.*\bCONCURRENTLY\b/i],
    ['an advisory lock', /\bpg_(try_)?advisory/i],
    ['a grant on all tables', /\bON ALL (TABLES|SEQUENCES)\b/i],
    ['a column added together with a constraint', /\bADD (?!CONSTRAINT\b)(COLUMN )?\w+ \w+.*\b(REFERENCES|UNIQUE|PRIMARY KEY|CHECK)\b/i],
    ['two changes in one ALTER TABLE', /^ALTER TABLE\b[^(]*,/i],
    ['an unnamed constraint', /^ALTER TABLE \w+ ADD (CHECK|UNIQUE|PRIMARY|FOREIGN)/i],
    ['set_config, which never reaches a worker', /\bset_config\s*\(/i],
    ['its own transaction', /^(BEGIN|COMMIT|ROLLBACK|START TRANSACTION)\b/i],
  ];

  test.each(readMigrations().map(({ name, sql }) => [name, sql]))('%s keeps to what a cluster accepts', (_name, sql) => {
    const statements = statementsOf(sql);
    expect(statements[0]).toMatch(/^SET LOCAL citus\.multi_shard_modify_mode = ''$/);
    for (const statement of statements) {
      for (const [what, pattern] of forbidden) {
        if (what.startsWith('a column added') && !/^ALTER TABLE/i.test(statement)) continue;
        expect({ what, found: pattern.test(statement) ? statement : null }).toEqual({ what, found: null });
      }
    }
  });

  test('the lint bites', () => {
    const caught = (sql: string): string[] =>
      statementsOf(sql).flatMap((statement) => forbidden.filter(([, pattern]) => pattern.test(statement)).map(([what]) => what));
    expect(caught('CREATE TRIGGER t BEFORE INSERT ON sim EXECUTE FUNCTION f()')).toContain('a trigger');
    expect(caught('CREATE TABLE t (a bigserial)')).toContain('a serial column');
    expect(caught('ALTER TABLE sim ADD COLUMN a int4, ADD COLUMN b int4')).toContain('two changes in one ALTER TABLE');
    expect(caught('ALTER TABLE sim ADD COLUMN a int4 REFERENCES client (client_id)')).toContain(
      'a column added together with a constraint',
    );
    expect(caught('-- CREATE TRIGGER in a comment\nSELECT 1')).toEqual([]);
  });
});
