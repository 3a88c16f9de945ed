/** A page of a fleet's alerts or incidents is read from an index, however many the client has. */
import { Client } from 'pg';
import { openTestDatabase, testServerUrl, type TestDatabase } from '../../support/database';

let db: TestDatabase;
let outside: Client;

(testServerUrl === null ? describe.skip : describe)('on PostgreSQL', () => {
  beforeAll(async () => {
    db = await openTestDatabase();
    outside = new Client({ connectionString: db.url! });
    await outside.connect();
    const fleet = `('00000000-0000-7000-8000-00000000000' || n % 10)::uuid`;
    await outside.query(
      `INSERT INTO alert (client_id, alert_id, fingerprint, detector_id, kind, subject, subject_id, fleet_id, severity, state, title, score, evidence,
         first_window_start, last_window_start, last_window_end, occurrence_count, sequence, created_at, updated_at)
       SELECT 1, gen_random_uuid(), n::text, 'threshold', 'DAILY_LIMIT', 'SIM', n::text, ${fleet}, 'WARNING', 'RESOLVED', 'Over', 1, '[]',
         'epoch', 'epoch', 'epoch', 1, 1, '2026-11-01'::timestamptz + n * interval '1 s', 'epoch' FROM generate_series(1, 20000) AS n`,
    );
    await outside.query(
      `INSERT INTO incident (client_id, incident_id, correlation_key, state, title, severity, fleet_id, live_alerts, opened_at, sequence, created_at, updated_at)
       SELECT 1, gen_random_uuid(), n::text, 'OPEN', 'Over', 'WARNING', ${fleet}, 0, 'epoch', 1, '2026-11-01'::timestamptz + n * interval '1 s', 'epoch'
       FROM generate_series(1, 20000) AS n`,
    );
    await outside.query('ANALYZE alert, incident');
  });
  afterAll(async () => {
    await outside?.end();
    await db?.close();
  });

  test.each(['alert', 'incident'])('%s', async (table) => {
    const { rows } = await outside.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT * FROM ${table} WHERE client_id = 1 AND fleet_id = '00000000-0000-7000-8000-000000000003'
         AND (created_at, ${table}_id) < ('2026-11-01T03:00:00Z', 'ffffffff-ffff-ffff-ffff-ffffffffffff')
       ORDER BY created_at DESC, ${table}_id DESC LIMIT 21`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain(`${table}_fleet_page`);
    expect(plan).not.toMatch(/Sort|Seq Scan/);
  });
});
