/** Test databases refuse statements that couldn't run on a cluster; this shows that each rule bites, and what it lets pass. */
import { brokenRules, tenantTables } from '../../support/statement-rules';
import { openTestDatabase, type TestDatabase } from '../../support/database';

const ofClient = { role: 'operator', clientId: 1 } as const;
const ofAll = { role: 'operator' } as const;

test.each([
  ['SELECT pg_advisory_xact_lock(1)', 'no advisory locks'],
  [`SELECT set_config('simwarden.client_id', '1', true)`, 'no set_config'],
  ['SELECT 1 FROM sim WHERE client_id = $1 ORDER BY sim_id OFFSET 10', 'keyset'],
  ['INSERT INTO sim (client_id, sim_id) VALUES ($1, $2) ON CONFLICT (client_id, sim_id) DO UPDATE SET updated_at = now()', 'DO UPDATE SET'],
  [
    'INSERT INTO sim (client_id, sim_id) VALUES ($1, $2) ON CONFLICT (client_id, sim_id) DO UPDATE SET iccid = (SELECT 1) RETURNING 1',
    'DO UPDATE SET',
  ],
  ['UPDATE sim SET iccid = random() WHERE client_id = $1', 'volatile'],
  [
    'UPDATE outbox SET state = $2 WHERE client_id = $1 AND message_id IN (SELECT message_id FROM outbox WHERE client_id = $1 LIMIT 3 FOR UPDATE SKIP LOCKED)',
    'SKIP LOCKED',
  ],
  ['SELECT iccid FROM sim WHERE sim_id = $1', 'carries client_id'],
  ['DELETE FROM alert WHERE alert_id = $1', 'carries client_id'],
  [
    'INSERT INTO event_pending (client_id, event_id) SELECT $1, event_id FROM jsonb_to_recordset($2::jsonb) AS e(event_id uuid)',
    'RETURNING',
  ],
])('%s is refused: %s', (sql, rule) => {
  expect(brokenRules(sql, ofClient).join()).toContain(rule);
});

test.each([
  ['SELECT 1 FROM outbox WHERE state = $1 FOR UPDATE', 'FOR UPDATE'],
  ['SELECT 1 FROM sim LEFT JOIN device USING (sim_id)', 'LEFT JOIN'],
])('across clients %s is refused: %s', (sql, rule) => {
  expect(brokenRules(sql, ofAll).join()).toContain(rule);
});

test.each([
  'SELECT iccid FROM sim WHERE client_id = $1 AND sim_id = ANY($2::int8[])',
  'SELECT DISTINCT client_id FROM outbox WHERE state = $1',
  'WITH claimed AS MATERIALIZED (SELECT message_id FROM outbox WHERE client_id = $1 LIMIT 3 FOR UPDATE SKIP LOCKED) UPDATE outbox SET state = $2 FROM claimed WHERE outbox.client_id = $1 RETURNING 1',
  'INSERT INTO lease (name, held_until) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET held_until = EXCLUDED.held_until WHERE lease.held_until <= $3 RETURNING name',
  'INSERT INTO event_pending (client_id, event_id) SELECT $1, event_id FROM jsonb_to_recordset($2::jsonb) AS e(event_id uuid) RETURNING event_id',
  `INSERT INTO incident_log (client_id, text) VALUES ($1, 'no random() in a text')`,
])('%s may run', (sql) => {
  expect(brokenRules(sql, ofAll)).toEqual([]);
});

describe('a test database', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await openTestDatabase();
  });
  afterAll(() => db.close());

  test('refuses such a statement by name of its transaction', async () => {
    expect(tenantTables).toContain('usage_record');
    const broken = db.database.transaction({ name: 'sim.read', role: 'tenant', clientId: 1 }, (tx) => tx.query('SELECT 1 FROM sim'));
    await expect(broken).rejects.toThrow(/"sim.read".*client_id = \$n/);
  });
});
