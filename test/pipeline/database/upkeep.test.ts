/** The embedded database keeps its planner informed, as autovacuum does on a server. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedDataSource } from '../../../src/database/embedded/embedded';
import { Upkeep } from '../../../src/database/embedded/upkeep';
import { readMigrations } from '../../../src/database/migrations';
import { openDatabase } from '../../../src/database/open';
import { testLog } from '../../support/database';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'simwarden-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const FLEET = [
  `INSERT INTO client (client_id, name, created_at, updated_at) VALUES (1, 'one', 'epoch', 'epoch')`,
  `INSERT INTO sim (client_id, sim_id, iccid, created_at, updated_at) SELECT 1, n, '8988' || n, 'epoch', 'epoch' FROM generate_series(1, 4000) AS n`,
  `INSERT INTO device (client_id, device_id, sim_id, family, created_at, updated_at)
   SELECT 1, gen_random_uuid(), n, 'meter', 'epoch', 'epoch' FROM generate_series(1, 4000) AS n`,
];
const METERS = `SELECT count(*) FROM sim JOIN device ON device.client_id = sim.client_id AND device.sim_id = sim.sim_id
  WHERE sim.client_id = 1 AND sim.closed_at IS NULL AND device.family = 'meter'`;

test('a fleet that was loaded is joined by a plan for its size, and is looked after once', async () => {
  const database = await openDatabase({ dataDirectory: directory, entities: [], log: testLog });
  for (const sql of FLEET) await database.transaction({ name: 'test', role: 'ingest', clientId: 1 }, (tx) => tx.query(sql));
  await database.close();

  const { session, dataSource, close } = embeddedDataSource({
    directory,
    leaseTimeoutMs: 15_000,
    entities: [],
    migrations: readMigrations(),
    log: testLog,
  });
  try {
    await session.open();
    await dataSource.initialize();
    const plan = async (): Promise<string> => JSON.stringify(await dataSource.query(`EXPLAIN ${METERS}`));
    expect(await plan()).toContain('Nested Loop');
    const upkeep = new Upkeep({ session, dataSource, log: testLog });
    expect(await upkeep.lookAfter()).toEqual(['device', 'sim']);
    expect(await plan()).not.toContain('Nested Loop');
    expect(await upkeep.lookAfter()).toEqual([]);
  } finally {
    await close();
  }
});
