/** Features are stored by client and day, follow late dialogues, and their 30-day sums are those of the stored rows, whatever happened in between. */
import { container as root } from 'tsyringe';
import { Database } from '../../../src/database/database';
import { addDays } from '../../../src/detection/days';
import { ClientTurns } from '../../../src/detection/evaluation/client-turns';
import { FeatureMonth } from '../../../src/detection/features/feature-month';
import { MonthPage, PAGE_SIMS } from '../../../src/detection/features/month-page';
import { FeatureRun } from '../../../src/detection/features/feature-run';
import { featureClients, featureValues, readFeatureRows } from '../../../src/detection/features/feature-store';
import { FeatureWorker } from '../../../src/detection/features/feature-worker';
import { PackedDialogues } from '../../../src/detection/features/packed-dialogues';
import { PassThread } from '../../../src/detection/features/pass-thread';
import { FEATURE_COUNT, featureNames } from '../../../src/detector';
import { seededRandom } from '../../../src/detector/numeric';
import { Clock, Entropy, Log, ManualClock, SystemEntropy } from '../../../src/runtime';
import { openTestDatabase, testLog, type TestDatabase } from '../../support/database';
import { byPass, DAY, noteSignaling, passOver, storeDialogues, type DialogueSeed } from './feature-world';

let opened: TestDatabase;
let lastClient = 200;
const clock = new ManualClock(new Date('2026-11-03T13:00:00Z'));

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

function world() {
  const container = root.createChildContainer();
  container.register(Database as never, { useValue: opened.database });
  container.register(Clock as never, { useValue: clock });
  container.register(Entropy as never, { useValue: new SystemEntropy() });
  container.register(Log as never, { useValue: testLog });
  for (const part of [ClientTurns, PassThread, FeatureRun, FeatureWorker]) container.registerSingleton(part as never);
  return { run: container.resolve(FeatureRun), worker: container.resolve(FeatureWorker) };
}

async function arrive(client: number, seeds: readonly DialogueSeed[], day = DAY): Promise<void> {
  await storeDialogues(opened.database, client, seeds, day);
  await noteSignaling(opened.database, client, seeds.length, day, clock.now());
}

const read = (client: number, day = DAY, after?: string, limit = 100) =>
  opened.database.transaction({ name: 'test.read', role: 'ingest', clientId: client, readOnly: true }, (tx) =>
    readFeatureRows(tx, { clientId: client, day, after, limit }),
  );

describe('the features of a client on a day', () => {
  it('are stored per SIM with the country it was in, and read page by page', async () => {
    const client = ++lastClient;
    await arrive(client, [
      { sim: 7, at: 5, plmn: '214-07' },
      { sim: 3, at: 6, plmn: '262-01' },
      { sim: 3, at: 7, plmn: '214-07' },
      { sim: 5, at: 8, plmn: '901-40' },
      { sim: 9, at: 8, plmn: null },
    ]);
    await opened.database.transaction({ name: 'test.other', role: 'ingest' }, async (tx) =>
      expect(await featureClients(tx, DAY)).not.toContain(client),
    );
    expect(await world().run.compute(DAY, client)).toEqual({ clients: 1, sims: 4, dialogues: 5 });
    const rows = await read(client);
    expect(rows.simIds).toEqual(['3', '5', '7', '9']);
    expect(rows.countries).toEqual(['ES', 'ZZ', 'ES', 'ZZ']);
    expect([...rows.blockedByUs]).toEqual([0, 0, 0, 0]);
    const pass = await passOver(opened.database, client);
    expect(rows.values).toEqual(Float32Array.from(pass.flatMap(({ values }) => featureNames.map((name) => values[name]!))));
    expect((await read(client, DAY, '3', 2)).simIds).toEqual(['5', '7']);
    await opened.database.transaction({ name: 'test.other', role: 'ingest' }, async (tx) =>
      expect(await featureClients(tx, DAY)).toContain(client),
    );
  });

  it('are each its own where several clients are read in one pass over the day', async () => {
    const clients = [++lastClient, ++lastClient, ++lastClient];
    const day = '2026-10-20';
    for (let turn = 0; turn < 3; turn++)
      for (const client of clients)
        await arrive(
          client,
          [
            { sim: client * 10 + turn, at: client + turn },
            { sim: client * 10, at: 90_000 },
          ],
          day,
        );
    expect(await world().run.compute(day)).toEqual({ clients: 3, sims: 9, dialogues: 12 });
    for (const client of clients) {
      const rows = await read(client, day);
      expect(rows.simIds).toEqual([0, 1, 2].map((turn) => String(client * 10 + turn)));
      const pass = await passOver(opened.database, client, day);
      expect(rows.values).toEqual(Float32Array.from(pass.flatMap(({ values }) => featureNames.map((name) => values[name]!))));
    }
  });

  it('are computed again when late dialogues arrive, and only then', async () => {
    const client = ++lastClient;
    const { run } = world();
    await arrive(client, [{ sim: 1, at: 5 }]);
    await run.compute(DAY, client);
    expect(await run.compute(DAY, client)).toEqual({ clients: 0, sims: 0, dialogues: 0 });
    await arrive(client, [
      { sim: 1, at: 4 },
      { sim: 2, at: 4 },
    ]);
    expect(await run.compute(DAY, client)).toEqual({ clients: 1, sims: 2, dialogues: 3 });
    const rows = await read(client);
    expect([0, 1].map((row) => rows.values[row * FEATURE_COUNT + featureNames.indexOf('n')])).toEqual([2, 1]);
  });

  it('are computed by themselves once the day is over, however many SIMs there are', async () => {
    const client = ++lastClient;
    const seeds = Array.from({ length: 1_300 }, (_, sim): DialogueSeed => ({ sim: sim + 1, at: sim }));
    await arrive(client, seeds);
    clock.set(new Date('2026-11-03T11:59:00Z'));
    await world().worker.drain();
    expect((await read(client)).simIds).toHaveLength(0);
    clock.set(new Date('2026-11-03T12:00:00Z'));
    await world().worker.drain();
    expect((await read(client, DAY, '1200')).simIds).toHaveLength(100);
  });

  it('come out the same from a thread of its own', async () => {
    const fill = () => {
      const packed = new PackedDialogues();
      for (let row = 0; row < 500; row++)
        packed.add(1 + (row % 7), {
          millisecond: row * 977,
          durationMs: row,
          protocol: 1 + (row % 2),
          procedure: 1 + (row % 6),
          origin: 1 + (row % 4),
          outcome: 1 + (row % 4),
          resultCode: null,
          plmn: 428_014 + (row % 3) * 4,
          nodeId: 1 + (row % 5),
          cancellationType: null,
          formatViolation: false,
        });
      return packed;
    };
    const expected = byPass(fill());
    const packed = fill();
    const simCount = packed.sortSims().length;
    const { words, sims, rows } = packed;
    const thread = new PassThread();
    try {
      const register = require.resolve('../../support/register-typescript.js');
      const answer = await thread.compute({ words, sims, rows, simCount }, ['-r', register]);
      expect(words).toHaveLength(0);
      expect(answer.values).toEqual(Float32Array.from(expected.flatMap(({ values }) => featureNames.map((name) => values[name]!))));
    } finally {
      await thread.stop();
    }
  });
});

describe('the sums of 30 days', () => {
  it('are exactly those of the stored rows: over new days, late ones, replays, gaps and silent SIMs', async () => {
    const client = ++lastClient;
    const { run } = world();
    const random = seededRandom(11);
    const first = '2026-09-20';
    const dayAfter = (days: number) => addDays(first, days);
    // Out of order, some days twice, a gap of forty days at the end; SIM 4 falls silent early.
    const order = [0, 1, 3, 2, 3, 10, 28, 29, 30, 31, 5, 31, 33, 45, 2, 85, 84];
    for (const days of order) {
      const seeds = Array.from({ length: 12 }, (): DialogueSeed => {
        const sim = 1 + Math.floor(random() * (days < 4 ? 4 : 3));
        return { sim, at: Math.floor(random() * 86_400_000), protocol: random() < 0.3 ? 'DIAMETER' : 'MAP' };
      });
      await arrive(client, seeds, dayAfter(days));
      await run.compute(dayAfter(days), client);
      expect(await storedMonths(client)).toEqual(await recomputedMonths(client));
    }
  });
});

interface MonthRow {
  page: string;
  from_day: string;
  sums: Buffer;
}

const query = <Row extends object>(client: number, sql: string) =>
  opened.database.transaction({ name: 'test.months', role: 'ingest', clientId: client, readOnly: true }, (tx) =>
    tx.query<Row>(sql, [client]),
  );

async function storedMonths(client: number) {
  const rows = await query<MonthRow>(client, 'SELECT page, from_day, sums FROM sim_feature_sums WHERE client_id = $1 ORDER BY page');
  return rows.flatMap((row) => {
    const page = MonthPage.read(Number(row.page), row.from_day, row.sums);
    const simIds = Array.from({ length: PAGE_SIMS }, (_, place) => page.page * PAGE_SIMS + place);
    return simIds.flatMap((simId) => {
      const month = page.month(simId);
      return month ? [[String(simId), month.fromDay, [...month.sums]]] : [];
    });
  });
}

async function recomputedMonths(client: number) {
  const [latest] = await query<{ day: string }>(client, 'SELECT max(day) AS day FROM feature_day WHERE client_id = $1');
  const from = addDays(latest!.day, -29);
  const rows = await query<{ sim_id: string; day: string; feature_values: Buffer }>(
    client,
    'SELECT sim_id, day, feature_values FROM sim_feature_day WHERE client_id = $1 ORDER BY sim_id, day',
  );
  const months = new Map<string, FeatureMonth>();
  for (const row of rows.filter(({ day }) => day >= from)) {
    const month = months.get(row.sim_id) ?? new FeatureMonth(from);
    month.add(featureValues(row.feature_values));
    months.set(row.sim_id, month);
  }
  return [...months].map(([sim, month]) => [sim, from, [...month.sums]]);
}
