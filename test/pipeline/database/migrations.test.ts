/** The schema is brought up to date once, by however many processes start at once, and a changed history is refused. */
import { migrate, readMigrations, type Migration } from '../../../src/database/migrations';
import { openDatabase } from '../../../src/database/open';
import { createEmptyDatabase, openTestDatabase, testLog, testServerUrl, type TestDatabase } from '../../support/database';

let db: TestDatabase;

beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

const added = (name: string, sql: string): Migration => ({ name, sql, sha256: `hash of ${sql}` });
const known = readMigrations();

test('nothing is applied twice', async () => {
  expect(await migrate(db.database, known, testLog)).toEqual([]);
});

test('a migration that fails leaves nothing behind and can be mended', async () => {
  const broken = added('9001_broken', 'CREATE TABLE half_made (a int4 PRIMARY KEY); SELECT 1/0');
  await expect(migrate(db.database, [...known, broken], testLog)).rejects.toMatchObject({ code: '22012' });
  const mended = added('9001_broken', 'CREATE TABLE half_made (a int4 PRIMARY KEY)');
  expect(await migrate(db.database, [...known, mended], testLog)).toEqual(['9001_broken']);
});

test('a file that was changed after it was applied is refused by name', async () => {
  const changed = known.map((migration, index) => (index === 1 ? { ...migration, sha256: 'other' } : migration));
  await expect(
    migrate(db.database, [...changed, added('9001_broken', 'CREATE TABLE half_made (a int4 PRIMARY KEY)')], testLog),
  ).rejects.toMatchObject({
    code: 'MIGRATION_CHANGED',
    details: { name: known[1]!.name },
  });
});

test('a database of a newer version is refused', async () => {
  await expect(migrate(db.database, known, testLog)).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW', details: { name: '9001_broken' } });
});

(testServerUrl === null ? test.skip : test)(
  'four processes that start at once on an empty database all come up, and each migration ran once',
  async () => {
    const { url, drop } = await createEmptyDatabase(testServerUrl!);
    const databases = await Promise.all(Array.from({ length: 4 }, () => openDatabase({ url, entities: [], log: testLog, poolSize: 2 })));
    const applied = await databases[0]!.transaction({ name: 'test', role: 'owner' }, (tx) =>
      tx.query<{ name: string }>('SELECT name FROM schema_migration ORDER BY name'),
    );
    expect(applied.map(({ name }) => name)).toEqual(known.map(({ name }) => name));
    await Promise.all(databases.map((database) => database.close()));
    await drop();
  },
);
