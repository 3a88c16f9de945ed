/** However telemetry arrives (twice, shuffled, from four senders, before its SIM is known), what is stored and what is raised come out equal. */
import { columns, makePopulation, simsCsv, telemetryBetween, toCsv, type Population } from '../../seeds';
import { seededRandom } from '../../src/detector/numeric';
import { AT_LENGTH } from '../support/at-length';
import { OPERATOR_KEY, startTestApp, type TestApp } from '../support/app';
import { contentOf, difference, digests, type Content } from './order-content';

const HOUR = 3_600_000;
const BATCH_HOURS = AT_LENGTH ? 8 : 24;
const END = new Date('2026-11-15T00:00:00Z');
/** Another order: SIMWARDEN_ORDER_SEED=12 npx jest test/scenarios/order */
const SEED = Number(process.env['SIMWARDEN_ORDER_SEED'] ?? 11);
const population = makePopulation({ sims: AT_LENGTH ? 60 : 30, days: 12, seed: 7, end: END });
/** Two SIMs of each client become known only after some of their telemetry came. */
const lateSims = new Set(population.sims.filter((_, place) => place % 10 >= 8 || place % 10 === 2).map((sim) => sim.iccid));

type Kind = 'usage' | 'connection-events' | 'device-events';
const columnsOf = { usage: columns.usage, 'connection-events': columns.connectionEvents, 'device-events': columns.deviceEvents } as const;

interface Batch {
  readonly kind: Kind;
  readonly rows: readonly object[];
  /** null: its content names it. */
  readonly key: string | null;
}

/** Usage from minutes before an hour and a midnight to minutes after, in bytes that no number of minutes divides. */
function straddling(): object[] {
  const [sim, other] = population.sims as [Population['sims'][number], Population['sims'][number]];
  const row = (recordId: string, iccid: string, from: string, to: string) => ({
    record_id: recordId,
    iccid,
    started_at: from,
    ended_at: to,
    uplink_bytes: 100_003,
    downlink_bytes: 1_000_000_007,
    plmn: sim.plmn,
    rat: 'LTE_M',
  });
  return [
    row('over-midnight', sim.iccid, '2026-11-09T23:37:11.250Z', '2026-11-10T01:22:05Z'),
    row('over-the-hour', other.iccid, '2026-11-11T07:59:59.999Z', '2026-11-11T08:00:00.002Z'),
    row('over-a-week', sim.iccid, '2026-11-05T12:00:00Z', '2026-11-12T12:34:56Z'),
  ];
}

/** Rows that can't be stored; each comes in several batches and is one row of quarantine. */
function badRows(): object[] {
  const [sim] = population.sims;
  const good = {
    record_id: 'bad',
    iccid: sim!.iccid,
    started_at: '2026-11-10T00:00:00Z',
    ended_at: '2026-11-10T01:00:00Z',
    uplink_bytes: 1,
    downlink_bytes: 1,
  };
  return [
    { ...good, started_at: 'infinity' },
    { ...good, ended_at: '2026-11-09T00:00:00Z' },
    { ...good, uplink_bytes: -1 },
    { ...good, iccid: '8988307000099999997', record_id: 'nobody' },
    { ...good, ended_at: '2027-11-10T01:00:00Z' },
  ];
}

/** The telemetry in time order, cut by hours: at noon too, so that days come in parts. */
function batches(): Batch[] {
  const bad = badRows();
  const cut: Batch[] = [];
  for (let from = population.from.getTime() - 12 * HOUR; from < END.getTime(); from += BATCH_HOURS * HOUR) {
    const until = Math.min(from + BATCH_HOURS * HOUR, END.getTime());
    const telemetry = telemetryBetween(population, new Date(Math.max(from, population.from.getTime())), new Date(until));
    const usage: object[] = [...telemetry.usage, ...bad.filter((_, index) => (cut.length + index) % 3 === 0)];
    if (from === Date.parse('2026-11-12T12:00:00Z')) usage.push(...straddling());
    for (const [kind, rows] of [
      ['usage', usage],
      ['connection-events', telemetry.connectionEvents],
      ['device-events', telemetry.deviceEvents],
    ] as const) {
      if (rows.length > 0) cut.push({ kind, rows, key: `${kind} ${new Date(from).toISOString()}` });
    }
  }
  return cut;
}

/** Each batch twice, shuffled; the second time as it was, or backwards under no name. */
function twiceShuffled(inOrder: readonly Batch[], seed: number): Batch[] {
  const random = seededRandom(seed);
  const again = inOrder.map((batch): Batch => (random() < 0.5 ? batch : { ...batch, rows: [...batch.rows].reverse(), key: null }));
  const all = [...inOrder, ...again];
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [all[last], all[other]] = [all[other]!, all[last]!];
  }
  return all;
}

async function post(app: TestApp, kind: string, body: string, key: string | null): Promise<void> {
  const response = await fetch(new URL(`/ingest/${kind}`, app.url), {
    method: 'POST',
    body,
    headers: {
      'content-type': 'text/csv',
      authorization: `Bearer ${OPERATOR_KEY}`,
      'simwarden-source': 'platform',
      ...(key === null ? {} : { 'idempotency-key': key }),
    },
  });
  if (response.status !== 200) throw new Error(`${kind} ${String(key)}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

const send = (app: TestApp, batch: Batch) => post(app, batch.kind, toCsv(batch.rows, columnsOf[batch.kind]), batch.key);
const register = (app: TestApp, which: (iccid: string) => boolean) =>
  post(app, 'sims', simsCsv({ ...population, sims: population.sims.filter((sim) => which(sim.iccid)) }), null);

/** Limits of every sort, set before the first record. */
async function setLimits(app: TestApp): Promise<void> {
  const { clients } = await app.operator.graphql<{ clients: { nodes: { id: string; fleets: { nodes: { id: string }[] } }[] } }>(
    '{ clients(first: 50) { nodes { id fleets { nodes { id } } } } }',
  );
  for (const { id: client, fleets } of clients.nodes) {
    const limits = [
      { client, measure: 'PER_SIM', period: 'DAY', limitBytes: '60000000' },
      { client, measure: 'TOTAL', period: 'MONTH', limitBytes: '900000000' },
      ...fleets.nodes.map((fleet) => ({ fleet: fleet.id, measure: 'TOTAL', period: 'DAY', limitBytes: '140000000' })),
    ];
    for (const input of limits)
      await app.operator.graphql('mutation Set($input: SetThresholdInput!) { setThreshold(input: $input) { userErrors { message } } }', {
        input,
      });
  }
}

interface Arrival {
  readonly batches: readonly Batch[];
  readonly senders: number;
  /** After which part of the batches the late SIMs are registered. */
  readonly registerAfter: number;
  /** Whether the background works while batches come in; else all is judged when everything is there. */
  readonly judgedMeanwhile: boolean;
}

/** `requeued`: rows that were held until their SIM was known. */
async function play(arrival: Arrival): Promise<{ content: Content; requeued: number }> {
  const app = await startTestApp({ now: END, workers: arrival.judgedMeanwhile });
  try {
    await register(app, (iccid) => arrival.registerAfter === 0 || !lateSims.has(iccid));
    await setLimits(app);
    const registerAt = Math.floor(arrival.batches.length * arrival.registerAfter);
    let next = 0;
    const sender = async (): Promise<void> => {
      for (let batch = arrival.batches[next]; batch; batch = arrival.batches[next]) {
        const number = next++;
        if (number === registerAt && registerAt > 0) await register(app, (iccid) => lateSims.has(iccid));
        await send(app, batch);
      }
    };
    await Promise.all(Array.from({ length: arrival.senders }, sender));
    await app.app.settle();
    const [row] = await app.app.database.transaction({ name: 'test.requeued', role: 'operator', readOnly: true }, (tx) =>
      tx.query<{ rows: number }>(`SELECT count(*)::int4 AS rows FROM quarantine WHERE state = 'REQUEUED'`),
    );
    return { content: await contentOf(app.app.database), requeued: row!.rows };
  } finally {
    await app.close();
  }
}

test('sent twice, shuffled and by four senders, to SIMs that are half known, telemetry leaves what it leaves sent once in order', async () => {
  const inOrder = batches();
  const once = await play({ batches: inOrder, senders: 1, registerAfter: 0, judgedMeanwhile: false });
  const turmoil = await play({ batches: twiceShuffled(inOrder, SEED), senders: 4, registerAfter: 0.4, judgedMeanwhile: true });
  expect(once.content['usage_record']!.length).toBeGreaterThan(80 * population.sims.length);
  expect(once.content['open_alert']!.length).toBeGreaterThan(5);
  expect(once.content['quarantine']).toHaveLength(badRows().length);
  expect(once.content['evaluation_queue']).toEqual([]);
  expect(once.requeued).toBe(0);
  expect(turmoil.requeued).toBeGreaterThan(100);
  expect(difference(once.content, turmoil.content)).toEqual({});
  expect(digests(turmoil.content)).toEqual(digests(once.content));
}, 240_000);
