/** Row-level security as the net under every resolver: a tenant sees and changes its own rows, whatever the statement says. */
import type { Transaction } from '../../../src/database/database';
import { openTestDatabase, type TestDatabase } from '../../support/database';

let db: TestDatabase;
const acme = 101;
const globex = 102;
const fleetOf = (client: number): string => `00000000-0000-7000-8000-000000000${client}`;

const asTenant = <T>(clientId: number, work: (tx: Transaction) => Promise<T>): Promise<T> =>
  db.database.transaction({ name: 'test', role: 'tenant', clientId }, work);

const insertFleet = (tx: Transaction, clientId: number, fleetId: string, name: string): Promise<unknown[]> =>
  tx.query(`INSERT INTO fleet (client_id, fleet_id, name, created_at, updated_at) VALUES ($1, $2, $3, 'epoch', 'epoch')`, [
    clientId,
    fleetId,
    name,
  ]);

const visibleClients = async (tx: Transaction): Promise<number[]> =>
  (await tx.query<{ client_id: number }>('SELECT DISTINCT client_id FROM fleet ORDER BY 1')).map((row) => row.client_id);

beforeAll(async () => {
  db = await openTestDatabase({ onStatement: undefined });
  await db.database.transaction({ name: 'seed', role: 'operator' }, async (tx) => {
    for (const client of [acme, globex]) {
      await tx.query(`INSERT INTO client (client_id, name, created_at, updated_at) VALUES ($1, $2, 'epoch', 'epoch')`, [
        client,
        `client ${client}`,
      ]);
      await insertFleet(tx, client, fleetOf(client), 'meters');
    }
  });
});
afterAll(() => db.close());

test('a tenant sees its own rows only, the operator and ingest all', async () => {
  expect(await asTenant(acme, visibleClients)).toEqual([acme]);
  expect(await asTenant(globex, visibleClients)).toEqual([globex]);
  for (const role of ['operator', 'ingest'] as const) {
    expect(await db.database.transaction({ name: 'test', role }, visibleClients)).toEqual([acme, globex]);
  }
});

test("without a client a tenant's session sees nothing", async () => {
  const seen = await db.database.transaction({ name: 'test', role: 'operator' }, async (tx) => {
    await tx.query('SET LOCAL ROLE simwarden_tenant');
    return visibleClients(tx);
  });
  expect(seen).toEqual([]);
});

test("the client of one transaction doesn't stay for the next", async () => {
  await asTenant(acme, visibleClients);
  const rows = await db.database.transaction({ name: 'test', role: 'operator' }, (tx) => tx.query('SELECT current_client() AS client'));
  expect(rows).toEqual([{ client: null }]);
});

test("writing another tenant's row is refused, changing or deleting it finds nothing", async () => {
  await expect(asTenant(acme, (tx) => insertFleet(tx, globex, fleetOf(103), 'foreign'))).rejects.toMatchObject({ code: '42501' });
  const changed = await asTenant(acme, (tx) => tx.query(`UPDATE fleet SET name = 'taken' WHERE client_id = $1 RETURNING name`, [globex]));
  expect(changed).toEqual([]);
  await expect(
    asTenant(acme, (tx) => tx.query('UPDATE fleet SET client_id = $1 WHERE client_id = $2', [globex, acme])),
  ).rejects.toMatchObject({ code: '42501' });
});

test("a tenant can't reach the directory, the lease table, another role's tables or the audit log of others", async () => {
  for (const table of ['directory', 'lease', 'ingest_chunk']) {
    await expect(asTenant(acme, (tx) => tx.query(`SELECT 1 FROM ${table}`))).rejects.toMatchObject({ code: '42501' });
  }
  await expect(asTenant(acme, (tx) => tx.query(`COPY fleet TO '/tmp/simwarden-stolen'`))).rejects.toMatchObject({ code: '42501' });
  for (const role of ['operator', 'ingest'] as const) {
    const forge = db.database.transaction({ name: 'test', role }, (tx) => tx.query('UPDATE audit_log SET principal = $1', ['nobody']));
    await expect(forge).rejects.toMatchObject({ code: '42501' });
  }
});

test('a role that someone set for the whole session does not reach the next transaction', async () => {
  await db.database.transaction({ name: 'test', role: 'owner' }, (tx) => tx.query('SET ROLE simwarden_tenant'));
  const roles = await Promise.all(
    Array.from({ length: 8 }, () =>
      db.database.transaction({ name: 'test', role: 'owner' }, (tx) => tx.query('SELECT current_user::text AS role')),
    ),
  );
  expect(roles.flat()).not.toContainEqual({ role: 'simwarden_tenant' });
});

test("400 mixed transactions of two tenants at once: nobody sees or writes the other's", async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 400 }, (_, index) => {
      const client = index % 2 === 0 ? acme : globex;
      return asTenant(client, async (tx) => {
        if (index % 5 === 0) await tx.query(`UPDATE fleet SET updated_at = updated_at WHERE client_id = ANY($1::int4[])`, [[acme, globex]]);
        if (index % 7 === 0) throw new Error('rolled back');
        return { client, seen: await visibleClients(tx) };
      }).catch((error: Error) => error.message);
    }),
  );
  const leaks = outcomes.filter(
    (outcome) => typeof outcome !== 'string' && (outcome.seen.length !== 1 || outcome.seen[0] !== outcome.client),
  );
  expect(leaks).toEqual([]);
  expect(outcomes.filter((outcome) => outcome === 'rolled back')).toHaveLength(58);
});
