/** Order of arrival doesn't matter: shuffled, cut otherwise, from parallel senders, the state is the same. */
import fc from 'fast-check';
import { forgetTelemetry, iccidOf, NOW, openHouse, registerSims, send, stateOf, usageLine, USAGE_HEADER, type House } from './house';

let house: House;

beforeAll(async () => {
  house = await openHouse(50);
  await registerSims(house, 'Acme', 'meters', 1, 8);
  await registerSims(house, 'Globex', 'pumps', 9, 8);
});
afterAll(() => house.close());
beforeEach(() => forgetTelemetry(house));

const TYPES = ['ATTACHMENT_ACCEPTED', 'ATTACHMENT_REJECTED', 'DETACHED', 'DATA_SESSION_STARTED', 'DATA_SESSION_ENDED'];
const CONNECTION_HEADER = 'event_id,iccid,type,occurred_at,imei,plmn,rat\n';

/** Several events of a SIM at the same instant, so that ties are met. */
function connectionLine(n: number): string {
  const at = new Date(NOW.getTime() - 600_000 * (n % 9)).toISOString();
  return `c${n},${iccidOf(1 + (n % 18))},${TYPES[n % TYPES.length]},${at},${n % 2 ? '356938035643809' : '3569380356438010'},${n % 3 ? '214-07' : '214-01'},${n % 4 ? '4G' : '5G'}\n`;
}

const lines = {
  usage: { header: USAGE_HEADER, rows: Array.from({ length: 400 }, (_, n) => (n % 50 === 7 ? `bad row ${n}\n` : usageLine(n, 18))) },
  'connection-events': { header: CONNECTION_HEADER, rows: Array.from({ length: 300 }, (_, n) => connectionLine(n)) },
  'device-events': {
    header: 'event_id,iccid,type,occurred_at,count\n',
    rows: Array.from(
      { length: 200 },
      (_, n) => `d${n},${iccidOf(1 + (n % 18))},REBOOT,${new Date(NOW.getTime() - n * 60_000).toISOString()},${n + 1}\n`,
    ),
  },
} as const;
const kinds = Object.keys(lines) as (keyof typeof lines)[];

async function sendAll(order: (rows: readonly string[]) => string[], batchRows: number, senders: number): Promise<void> {
  for (const kind of kinds) {
    const rows = order(lines[kind].rows);
    const batches: string[] = [];
    for (let i = 0; i < rows.length; i += batchRows) batches.push(lines[kind].header + rows.slice(i, i + batchRows).join(''));
    const work = [...batches, ...batches];
    await Promise.all(
      Array.from({ length: senders }, async (_, sender) => {
        for (let i = sender; i < work.length; i += senders) expect((await send(house, kind, work[i]!)).stoppedBy).toBeUndefined();
      }),
    );
  }
}

test('every batch twice, shuffled, from four parallel senders', async () => {
  await sendAll((rows) => [...rows], 1000, 1);
  const expected = await stateOf(house);
  expect(expected['quarantine']!.length).toBeGreaterThan(20);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 11, max: 160 }), fc.nat(), async (batchRows, seed) => {
      await forgetTelemetry(house);
      const shuffle = (rows: readonly string[]): string[] =>
        rows
          .map((row, i) => ({ row, at: (i * 7919 + seed * 104_729) % 99_991 }))
          .sort((a, b) => a.at - b.at)
          .map(({ row }) => row);
      await sendAll(shuffle, batchRows, 4);
      expect(await stateOf(house)).toEqual(expected);
    }),
    { numRuns: 6 },
  );
});

test('a record that covers a closed day marks it for another look', async () => {
  await house.database.transaction({ name: 'test', role: 'operator' }, (tx) =>
    tx.query(
      `INSERT INTO day_close (client_id, day, closed_at, incomplete) SELECT client_id, day::date, now(), false FROM client, unnest(ARRAY['2026-11-17', '2026-11-18', '2026-11-19']) AS day WHERE client_id > 0`,
    ),
  );
  await send(
    house,
    'usage',
    `iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n${iccidOf(1)},2026-11-18T23:00:00Z,2026-11-19T01:00:00Z,5,5\n`,
  );
  const rows = await house.database.transaction({ name: 'test', role: 'operator' }, (tx) =>
    tx.query<{ day: string }>('SELECT day FROM day_close WHERE dirty ORDER BY client_id, day'),
  );
  expect(rows.map((row) => row.day)).toEqual(['2026-11-18', '2026-11-19']);
  const queued = await house.database.transaction({ name: 'test', role: 'operator' }, (tx) =>
    tx.query<{ day: string }>('SELECT day FROM evaluation_queue ORDER BY day'),
  );
  expect(queued.map((row) => row.day)).toEqual(['2026-11-18', '2026-11-19']);
});
