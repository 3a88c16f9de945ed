/** Telemetry lies in day partitions: made once by whoever comes first, loaded in bulk, read through the parent, dropped when old. */
import { openTestDatabase, testServerUrl, type TestDatabase } from '../../support/database';
import { openDatabase } from '../../../src/database/open';
import { testLog } from '../../support/database';

let db: TestDatabase;

beforeAll(async () => {
  db = await openTestDatabase({ onStatement: undefined });
});
afterAll(() => db.close());

const partitions = async (table: string): Promise<string[]> => {
  const rows = await db.database.transaction({ name: 'test', role: 'owner' }, (tx) =>
    tx.query<{ name: string }>('SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1', [
      table,
    ]),
  );
  return rows.map(({ name }) => name);
};

const insertEvent = (id: string, clientId = 7, day = '2026-11-01'): Promise<unknown> =>
  db.database.transaction({ name: 'test', role: 'ingest', clientId }, (tx) =>
    tx.query(
      `INSERT INTO device_event (client_id, source, day, event_id, content_hash, sim_id, type, occurred_at, received_at)
       VALUES ($1, 'test', $3, $2, 1, 1, 'REBOOT', $3::date, 'epoch')`,
      [clientId, id, day],
    ),
  );

test('many callers at once make each partition once', async () => {
  await Promise.all(
    Array.from({ length: 12 }, (_, index) => db.database.ensurePartitions('usage_record', ['2026-11-01', `2026-11-0${1 + (index % 3)}`])),
  );
  await db.database.ensurePartitions('usage_record', ['2026-11-02']);
  expect(await partitions('usage_record')).toEqual(['usage_record_20261101', 'usage_record_20261102', 'usage_record_20261103']);
});

test("a partition has the table's keys and indexes, and only ingest may touch it directly", async () => {
  await db.database.ensurePartitions('device_event', ['2026-11-01', '2026-12-31', '2028-02-29']);
  const grants = await db.database.transaction({ name: 'test', role: 'owner' }, (tx) =>
    tx.query(
      `SELECT DISTINCT grantee::regrole::text AS grantee, privilege_type AS privilege FROM pg_class, aclexplode(relacl)
       WHERE relname = 'device_event_20261101' AND grantee <> relowner ORDER BY 1, 2`,
    ),
  );
  expect(grants).toEqual([
    { grantee: 'simwarden_ingest', privilege: 'INSERT' },
    { grantee: 'simwarden_ingest', privilege: 'SELECT' },
  ]);
  await insertEvent('once');
  await expect(insertEvent('once')).rejects.toMatchObject({ code: '23505' });
  await insertEvent('leap day', 7, '2028-02-29');
  const readLeaf = db.database.transaction({ name: 'test', role: 'tenant', clientId: 7 }, (tx) =>
    tx.query('SELECT 1 FROM device_event_20261101'),
  );
  await expect(readLeaf).rejects.toMatchObject({ code: '42501' });
  const count = (clientId: number): Promise<unknown[]> =>
    db.database.transaction({ name: 'test', role: 'tenant', clientId }, (tx) => tx.query('SELECT count(*)::int4 AS n FROM device_event'));
  expect(await count(7)).toEqual([{ n: 2 }]);
  expect(await count(8)).toEqual([{ n: 0 }]);
});

test("a day's partition can be loaded in binary, in the transaction, by ingest only", async () => {
  await db.database.ensurePartitions('connection_event', ['2026-11-01']);
  const load = (role: 'ingest' | 'operator', ids: readonly string[], fail = false): Promise<number> =>
    db.database.transaction({ name: 'test', role }, async (tx) => {
      const loaded = await tx.copyBinary('connection_event_20261101', columns, binaryRows(ids));
      if (fail) throw new Error('rolled back');
      return loaded;
    });
  expect(await load('ingest', ['a', 'b', 'c'])).toBe(3);
  await expect(load('ingest', ['d'], true)).rejects.toThrow('rolled back');
  await expect(load('ingest', ['e', 'a'])).rejects.toMatchObject({ code: '23505' });
  await expect(load('operator', ['f'])).rejects.toMatchObject({ code: '42501' });
  const stored = await db.database.transaction({ name: 'test', role: 'operator' }, (tx) =>
    tx.query('SELECT client_id, event_id, day, sim_id, occurred_at FROM connection_event ORDER BY event_id'),
  );
  expect(stored).toEqual(
    ['a', 'b', 'c'].map((id) => ({
      client_id: 7,
      event_id: id,
      day: '2026-11-01',
      sim_id: '1',
      occurred_at: new Date('2026-11-01T00:00:00Z'),
    })),
  );
});

test('a bulk load that breaks off, or is refused while most of it is still to be sent, stores nothing, and the next one does', async () => {
  await db.database.ensurePartitions('connection_event', ['2026-11-01']);
  const load = (pieces: Iterable<Uint8Array>): Promise<number> =>
    db.database.transaction({ name: 'test', role: 'ingest' }, (tx) => tx.copyBinary('connection_event_20261101', columns, pieces));
  const rows = binaryRows(['g', 'h']);
  function* breaksOff(): Generator<Uint8Array> {
    yield rows.subarray(0, 30);
    throw new Error('the pieces ended early');
  }
  function* refused(): Generator<Uint8Array> {
    for (let piece = 0; piece < 64; piece++) yield Buffer.alloc(1 << 18, 'no signature');
  }
  await expect(load(breaksOff())).rejects.toThrow('the pieces ended early');
  await expect(load(refused())).rejects.toMatchObject({ code: '22P04' });
  expect(await load([...rows].map((byte) => Uint8Array.of(byte)))).toBe(2);
});

test('old partitions are dropped, newer ones stay, and a dropped day can come back', async () => {
  await db.database.ensurePartitions('usage_record', ['2025-01-01', '2025-01-02', '2025-01-03']);
  expect(await db.database.dropPartitions('usage_record', '2025-01-03')).toEqual(['usage_record_20250101', 'usage_record_20250102']);
  expect(await partitions('usage_record')).toContain('usage_record_20250103');
  await db.database.ensurePartitions('usage_record', ['2025-01-02']);
  expect(await partitions('usage_record')).toContain('usage_record_20250102');
});

test.each(['2026-13-01', '2026-1-1', 'infinity', `2026-01-01'); --`])('%p is no day', async (day) => {
  await expect(db.database.ensurePartitions('usage_record', [day])).rejects.toThrow('is not a day');
});

(testServerUrl === null ? test.skip : test)('two processes make the same partitions while a third reads: all finish', async () => {
  const second = await openDatabase({ url: db.url, entities: [], log: testLog, poolSize: 2 });
  const days = Array.from({ length: 9 }, (_, index) => `2026-10-0${index + 1}`);
  const held = db.database.transaction({ name: 'reader', role: 'operator', readOnly: true }, async (tx) => {
    await tx.query('SELECT count(*) FROM usage_record');
    await Promise.all([db.database.ensurePartitions('usage_record', days), second.ensurePartitions('usage_record', [...days].reverse())]);
  });
  await held;
  await second.close();
  expect((await partitions('usage_record')).filter((name) => name.startsWith('usage_record_202610'))).toHaveLength(9);
});

const columns = ['client_id', 'source', 'day', 'event_id', 'content_hash', 'sim_id', 'type', 'occurred_at', 'received_at'];

/** Rows of PostgreSQL's binary COPY format: one ATTACHMENT_ACCEPTED of client 7 at the start of 2026-11-01 per id. */
function binaryRows(ids: readonly string[]): Buffer {
  const int = (bytes: 2 | 4 | 8, value: number): Buffer => {
    const buffer = Buffer.alloc(bytes);
    if (bytes === 8) buffer.writeBigInt64BE(BigInt(value));
    else buffer.writeIntBE(value, 0, bytes);
    return buffer;
  };
  const days = (Date.UTC(2026, 10, 1) - Date.UTC(2000, 0, 1)) / 86_400_000;
  const field = (value: Buffer): Buffer => Buffer.concat([int(4, value.length), value]);
  const row = (id: string): Buffer[] => [
    int(2, columns.length),
    ...[
      int(4, 7),
      Buffer.from('test'),
      int(4, days),
      Buffer.from(id),
      int(8, 1),
      int(8, 1),
      Buffer.from('ATTACHMENT_ACCEPTED'),
      int(8, days * 86_400_000_000),
      int(8, 0),
    ].map(field),
  ];
  return Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1'), ...ids.flatMap(row), int(2, -1)]);
}
