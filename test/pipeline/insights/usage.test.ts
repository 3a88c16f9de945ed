/** Usage over time, by SIM and by day's rank, from roll-ups of a known fleet. */
import { Role, type Caller } from '../../../src/graphql/caller';
import { toGlobalId } from '../../../src/graphql/global-id';
import { topConsumers } from '../../../src/insights/top-consumers';
import { Granularity } from '../../../src/insights/usage-buckets';
import { simUsageCursor, usageBySim, countSimsWithUsage, type SimUsageRow } from '../../../src/insights/usage-by-sim';
import { usageByTime } from '../../../src/insights/usage-by-time';
import { resolveScope, type ResolvedScope } from '../../../src/insights/usage-scope';
import { encodeCursor } from '../../../src/graphql/connection';
import { openTestDatabase, type TestDatabase } from '../../support/database';
import type { Transaction } from '../../../src/database/database';

const CLIENT = 7;
const HOMES = '00000000-0000-7000-8000-000000000001';
const CARS = '00000000-0000-7000-8000-000000000002';
const SIMS = 60;
const FIRST_DAY = Date.UTC(2026, 9, 20); // the clocks of Europe change on the 25th
const DAYS = 15;
const HOUR = 3_600_000;

let db: TestDatabase;

/** Bytes up of SIM `sim` in hour `hour` (from FIRST_DAY on); down is twice as much. Odd SIMs sleep at night. */
function bytesOf(sim: number, hour: number): number {
  if (sim % 2 === 1 && hour % 24 < 8) return 0;
  return (sim % 10) * 1_000 + (hour % 7) * 10 + (sim === 5 && Math.floor(hour / 24) === 12 ? 500_000 : 0);
}
const fleetOf = (sim: number): string => (sim < 40 ? HOMES : CARS);

beforeAll(async () => {
  db = await openTestDatabase();
  await db.database.transaction({ name: 'test.rollups', role: 'operator' }, async (transaction) => {
    for (const clientId of [CLIENT, CLIENT + 1]) {
      await transaction.query(`INSERT INTO client (client_id, name, created_at, updated_at) VALUES ($1, $2, 'epoch', 'epoch')`, [
        clientId,
        `client ${clientId}`,
      ]);
    }
    for (const fleetId of [HOMES, CARS]) {
      await transaction.query(
        `INSERT INTO fleet (client_id, fleet_id, name, created_at, updated_at) VALUES ($1, $2, $3, 'epoch', 'epoch')`,
        [CLIENT, fleetId, fleetId],
      );
    }
    for (let sim = 1; sim <= SIMS; sim++) {
      await transaction.query(
        `INSERT INTO sim (client_id, sim_id, iccid, fleet_id, created_at, updated_at) VALUES ($1, $2, $3, $4, 'epoch', 'epoch')`,
        [CLIENT, sim, `89${sim}`, fleetOf(sim)],
      );
      await transaction.query(
        `INSERT INTO device (client_id, device_id, sim_id, family, created_at, updated_at) VALUES ($1, $2, $3, 'meter', 'epoch', 'epoch')`,
        [CLIENT, `00000000-0000-7000-8000-1000000000${String(sim).padStart(2, '0')}`, sim],
      );
    }
    await insertHours(transaction);
    await transaction.query(
      `INSERT INTO usage_sim_day SELECT client_id, (hour AT TIME ZONE 'UTC')::date, sim_id, CASE WHEN sim_id < 40 THEN $2::uuid ELSE $3::uuid END, max(hour),
         sum(uplink_bytes), sum(downlink_bytes), sum(uplink_bytes + downlink_bytes) FROM usage_sim_hour WHERE client_id = $1 GROUP BY 1, 2, 3, 4 RETURNING 1`,
      [CLIENT, HOMES, CARS],
    );
    await transaction.query(
      `INSERT INTO usage_fleet_hour SELECT client_id, CASE WHEN sim_id < 40 THEN $2::uuid ELSE $3::uuid END, hour, sum(uplink_bytes), sum(downlink_bytes)
       FROM usage_sim_hour WHERE client_id = $1 GROUP BY 1, 2, 3 RETURNING 1`,
      [CLIENT, HOMES, CARS],
    );
    await transaction.query(
      'INSERT INTO usage_client_hour SELECT client_id, hour, sum(uplink_bytes), sum(downlink_bytes) FROM usage_sim_hour WHERE client_id = $1 GROUP BY 1, 2 RETURNING 1',
      [CLIENT],
    );
    await transaction.query(`INSERT INTO baseline VALUES ($1, 'meter', 'DAY', '2026-11-01', 150000, 60, 28, 'epoch')`, [CLIENT]);
  });
});
afterAll(() => db.close());

async function insertHours(transaction: Transaction): Promise<void> {
  const [sims, hours, bytes] = [[] as number[], [] as string[], [] as number[]];
  for (let sim = 1; sim <= SIMS; sim++) {
    for (let hour = 0; hour < DAYS * 24; hour++) {
      if (bytesOf(sim, hour) === 0) continue;
      sims.push(sim);
      hours.push(new Date(FIRST_DAY + hour * HOUR).toISOString());
      bytes.push(bytesOf(sim, hour));
    }
  }
  await transaction.query(
    `INSERT INTO usage_sim_hour SELECT $1, sim_id, hour, up, 2 * up FROM unnest($2::int8[], $3::timestamptz[], $4::int8[]) AS row (sim_id, hour, up) RETURNING 1`,
    [CLIENT, sims, hours, bytes],
  );
}

const whole: ResolvedScope = { kind: 'CLIENT', clientId: CLIENT };
const homes: ResolvedScope = { kind: 'FLEET', clientId: CLIENT, fleetId: HOMES };
const one = (sim: number): ResolvedScope => ({ kind: 'SIM', clientId: CLIENT, simId: String(sim) });

function read<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return db.database.transaction({ name: 'test.read', role: 'tenant', clientId: CLIENT, readOnly: true }, work);
}

/** What the fleet really sent, without any roll-up: total bytes by SIM, most first. */
function expectedBySim(from: number, to: number, counts: (sim: number) => boolean = () => true): string[] {
  const totals: [number, number][] = [];
  for (let sim = 1; sim <= SIMS; sim++) {
    if (!counts(sim)) continue;
    let total = 0;
    let active = false;
    for (let hour = Math.max(0, (from - FIRST_DAY) / HOUR); hour < Math.min(DAYS * 24, (to - FIRST_DAY) / HOUR); hour++) {
      total += 3 * bytesOf(sim, hour);
      active ||= bytesOf(sim, hour) > 0;
    }
    if (active) totals.push([sim, total]);
  }
  return totals.sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([sim, total]) => `${sim} ${total}`);
}

async function allPages(scope: ResolvedScope, from: Date, to: Date, first: number): Promise<string[]> {
  const shown: SimUsageRow[] = [];
  for (let after: string | undefined; ; after = encodeCursor(simUsageCursor(shown.at(-1)!))) {
    const rows = await read((transaction) => usageBySim(transaction, scope, from, to, { first, ...(after ? { after } : {}) }));
    shown.push(...rows.slice(0, first));
    if (rows.length <= first) return shown.map((row) => `${row.sim_id} ${row.total}`);
  }
}

describe('usage by time', () => {
  it('has no holes: night hours of a sleeping SIM are zero, and so is what lies outside the data', async () => {
    const buckets = await read((transaction) =>
      usageByTime(transaction, one(3), new Date(FIRST_DAY - 24 * HOUR), new Date(FIRST_DAY + 24 * HOUR), Granularity.HOUR),
    );
    expect(buckets).toHaveLength(48);
    expect(buckets.map((bucket) => Number(bucket.uplinkBytes))).toEqual([
      ...Array<number>(24).fill(0),
      ...Array.from({ length: 24 }, (_, hour) => bytesOf(3, hour)),
    ]);
    expect(buckets.every((bucket, i) => i === 0 || bucket.from.getTime() === buckets[i - 1]!.to.getTime())).toBe(true);
  });

  it.each([Granularity.HOUR, Granularity.DAY, Granularity.WEEK, Granularity.MONTH])(
    'adds up to the same bytes by %s, for client, fleet and SIM',
    async (granularity) => {
      const sum = async (scope: ResolvedScope): Promise<bigint> => {
        const buckets = await read((transaction) =>
          usageByTime(transaction, scope, new Date(FIRST_DAY), new Date(FIRST_DAY + DAYS * 24 * HOUR), granularity),
        );
        expect(buckets.every((bucket) => BigInt(bucket.totalBytes) === BigInt(bucket.uplinkBytes) + BigInt(bucket.downlinkBytes))).toBe(
          true,
        );
        return buckets.reduce((total, bucket) => total + BigInt(bucket.totalBytes), 0n);
      };
      const total = (counts: (sim: number) => boolean): bigint =>
        expectedBySim(FIRST_DAY, FIRST_DAY + DAYS * 24 * HOUR, counts).reduce((bytes, row) => bytes + BigInt(row.split(' ')[1]!), 0n);
      expect(await sum(whole)).toBe(total(() => true));
      expect(await sum(homes)).toBe(total((sim) => sim < 40));
      expect(await sum(one(5))).toBe(total((sim) => sim === 5));
    },
  );

  it('gives years of days with the same sums', async () => {
    const buckets = await read((transaction) =>
      usageByTime(transaction, whole, new Date('2025-01-01T00:00:00Z'), new Date('2027-01-01T00:00:00Z'), Granularity.DAY),
    );
    expect(buckets).toHaveLength(730);
    const busy = buckets.filter((bucket) => bucket.totalBytes !== '0');
    expect(busy).toHaveLength(DAYS);
    expect(BigInt(busy[0]!.totalBytes)).toBe(
      expectedBySim(FIRST_DAY, FIRST_DAY + 24 * HOUR).reduce((bytes, row) => bytes + BigInt(row.split(' ')[1]!), 0n),
    );
  });
});

describe('usage by SIM', () => {
  it.each([Granularity.HOUR, Granularity.DAY, Granularity.WEEK, Granularity.MONTH])(
    'takes a bucket by %s as it is and adds up to it',
    async (granularity) => {
      const buckets = await read((transaction) =>
        usageByTime(transaction, homes, new Date(FIRST_DAY), new Date(FIRST_DAY + 30 * HOUR), granularity),
      );
      for (const bucket of buckets.slice(0, 3)) {
        const rows = await allPages(homes, bucket.from, bucket.to, 100);
        expect(rows.reduce((bytes, row) => bytes + BigInt(row.split(' ')[1]!), 0n).toString()).toBe(bucket.totalBytes);
      }
    },
  );

  it.each([
    ['one day', 24, 48, 'client'],
    ['several days', 0, 72, 'client'],
    ['some hours', 30, 34, 'client'],
    ['hours before and after whole days', 20, 76, 'client'],
    ['hours over midnight', 22, 26, 'client'],
    ['one day of a fleet', 24, 48, 'fleet'],
    ['hours and days of a fleet', 20, 76, 'fleet'],
  ])('pages through %s, every SIM once, most bytes first', async (_, fromHour, toHour, kind) => {
    const [from, to] = [FIRST_DAY + fromHour * HOUR, FIRST_DAY + toHour * HOUR];
    const scope = kind === 'fleet' ? homes : whole;
    const expected = expectedBySim(from, to, (sim) => kind === 'client' || sim < 40);
    expect(await allPages(scope, new Date(from), new Date(to), 7)).toEqual(expected);
    expect(await read((transaction) => countSimsWithUsage(transaction, scope, new Date(from), new Date(to)))).toBe(expected.length);
  });

  it('refuses a cursor that is not one of its own', async () => {
    await expect(
      read((transaction) =>
        usageBySim(transaction, whole, new Date(FIRST_DAY), new Date(FIRST_DAY + HOUR), { first: 5, after: encodeCursor(['x', '1']) }),
      ),
    ).rejects.toMatchObject({ code: 'BAD_CURSOR' });
  });
});

describe('top consumers', () => {
  it('ranks the day, with share, ratio to the family and the days on the list', async () => {
    const rows = await read((transaction) => topConsumers(transaction, whole, { day: '2026-11-01', first: 20, days: 7 }));
    const day = expectedBySim(Date.UTC(2026, 10, 1), Date.UTC(2026, 10, 2));
    expect(rows.map((row) => `${row.simId} ${row.totalBytes}`)).toEqual(day.slice(0, 20));
    const [first] = rows;
    expect(first).toMatchObject({ rank: 1, simId: '5', family: 'meter', listedOn: ['2026-11-01'] });
    expect(first!.ratioToBaseline).toBeCloseTo(Number(first!.totalBytes) / 150_000);
    const clientTotal = day.reduce((bytes, row) => bytes + Number(row.split(' ')[1]), 0);
    expect(first!.shareOfClient).toBeCloseTo(Number(first!.totalBytes) / clientTotal);
    expect(rows.find((row) => row.simId === '8')!.listedOn).toEqual([
      '2026-10-26',
      '2026-10-27',
      '2026-10-28',
      '2026-10-29',
      '2026-10-30',
      '2026-10-31',
      '2026-11-01',
    ]);
  });

  it('looks back as far as asked and says nothing of a baseline that is not there', async () => {
    const [first] = await read((transaction) => topConsumers(transaction, homes, { day: '2026-10-31', first: 1, days: 3 }));
    expect(first).toMatchObject({
      rank: 1,
      ratioToBaseline: null,
      baselineBytes: null,
      listedOn: ['2026-10-29', '2026-10-30', '2026-10-31'],
    });
    expect(await read((transaction) => topConsumers(transaction, whole, { day: '2020-01-01', first: 20, days: 7 }))).toEqual([]);
  });
});

describe('the scope', () => {
  const caller = (role: Role, clientId: number, fleetIds: string[] | null = null): Caller => ({
    role,
    clientId,
    credentialId: 'k',
    credentialKind: 'API_KEY',
    name: 'k',
    person: 'ana',
    expiresAt: null,
    fleetIds,
  });
  const tenant = caller(Role.CLIENT_VIEWER, CLIENT);
  const code = (who: Caller, scope: Parameters<typeof resolveScope>[2]): Promise<string> =>
    read((transaction) =>
      resolveScope(transaction, who, scope).then(
        (resolved) => resolved.kind,
        (error: { code: string; message: string }) => `${error.code} ${error.message}`,
      ),
    );

  it("is the caller's own client when none is named; the operator names one", async () => {
    expect(await code(tenant, undefined)).toBe('CLIENT');
    expect(await code(caller(Role.OPERATOR, 0), {})).toMatch(/^CLIENT_REQUIRED/);
    expect(await code(tenant, { fleet: toGlobalId('Fleet', CLIENT, HOMES), sim: toGlobalId('Sim', CLIENT, 1) })).toMatch(/^BAD_USER_INPUT/);
  });

  it('of another client answers in the very words of one that does not exist', async () => {
    expect(await code(tenant, { fleet: toGlobalId('Fleet', CLIENT + 1, HOMES) })).toBe(
      await code(tenant, { fleet: toGlobalId('Fleet', CLIENT, '00000000-0000-7000-8000-00000000ffff') }),
    );
    expect(await code(tenant, { sim: toGlobalId('Sim', CLIENT + 1, 1) })).toBe(await code(tenant, { sim: toGlobalId('Sim', CLIENT, 999) }));
    expect(await code(tenant, { client: toGlobalId('Client', CLIENT + 1, CLIENT + 1) })).toBe(
      await code(tenant, { client: toGlobalId('Client', 999, 999) }),
    );
    expect(await code(tenant, { sim: toGlobalId('Sim', CLIENT, 1) })).toBe('SIM');
  });

  it('of a credential that is bound to fleets stays within them', async () => {
    const embedded = caller(Role.EMBED, CLIENT, [HOMES]);
    expect(await code(embedded, { fleet: toGlobalId('Fleet', CLIENT, HOMES) })).toBe('FLEET');
    expect(await code(embedded, { fleet: toGlobalId('Fleet', CLIENT, CARS) })).toMatch(/^NOT_FOUND/);
    expect(await code(embedded, { sim: toGlobalId('Sim', CLIENT, 50) })).toMatch(/^NOT_FOUND/);
    expect(await code(embedded, {})).toMatch(/^BAD_USER_INPUT/);
  });
});
