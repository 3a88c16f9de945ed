/** Services of visited countries, hour by hour: found when they fail for many, not when we blocked the SIMs, and taken back when late dialogues say otherwise. */
import criticalService from '../../../plugins/critical-service';
import { ServiceWatch } from '../../../src/detection/services/service-watch';
import { addDays } from '../../../src/detection/days';
import { plmnCode } from '../../../src/telemetry/dialogue-codes';
import { DetectionWorld } from './support';

interface Dialogue {
  readonly sim: string;
  /** Time of the test's day: `10:20` (UTC). */
  readonly at: string;
  /** Codes of src/telemetry/dialogue-codes.ts: procedure 1 SAI, 2 UL, 3 UL_GPRS; origin 1 VLR, 2 SGSN, 3 MME; outcome 1 SUCCESS, 2 REJECT. */
  readonly procedure: number;
  readonly origin: number;
  readonly outcome: number;
}

const spain = plmnCode('214-07');
const [sai, ul] = [1, 2];
const [vlr, mme] = [1, 3];
const [accepted, rejected] = [1, 2];

let world: DetectionWorld;
let client: number;
let sims: string[];
/** Each test has a client and a day of its own. */
let day = '2026-11-01';

beforeAll(async () => {
  world = await DetectionWorld.open([criticalService]);
  world.container.registerSingleton(ServiceWatch);
});
afterAll(() => world.close());
beforeEach(async () => {
  day = addDays(day, 1);
  client = await world.client(`Client of ${day}`);
  sims = await world.sims(client, 40);
  world.clock.set(new Date(`${day}T11:30:00Z`));
});

/** As ingest would leave them: rows, counters, the day, the watermark. */
async function dialogues(rows: readonly Dialogue[]): Promise<void> {
  await world.database.ensurePartitions('dialogue', [day]);
  const column = <T>(of: (row: Dialogue) => T): T[] => rows.map(of);
  const protocol = ({ origin }: Dialogue) => (origin === mme ? 2 : 1);
  await world.write(async (tx) => {
    await tx.query(
      `INSERT INTO dialogue (client_id, day, sim_id, started_at, protocol, procedure, origin, outcome, plmn, format_violation)
       SELECT $1, $2, sim, started, protocol, procedure, origin, outcome, $9, false
         FROM unnest($3::int8[], $4::timestamptz[], $5::int2[], $6::int2[], $7::int2[], $8::int2[]) AS row (sim, started, protocol, procedure, origin, outcome)
       RETURNING sim_id`,
      [
        client,
        day,
        column(({ sim }) => sim),
        column(({ at }) => new Date(`${day}T${at}:00Z`)),
        column(protocol),
        column(({ procedure }) => procedure),
        column(({ origin }) => origin),
        column(({ outcome }) => outcome),
        spain,
      ],
    );
    await tx.query('DELETE FROM signaling_quarter_hour WHERE client_id = $1', [client]);
    await tx.query(
      `INSERT INTO signaling_quarter_hour (client_id, quarter, plmn, procedure, origin, outcome, protocol, dialogues)
       SELECT client_id, date_bin('15 minutes', started_at, 'epoch'), plmn, procedure, origin, outcome, protocol, count(*)
         FROM dialogue WHERE client_id = $1 GROUP BY 1, 2, 3, 4, 5, 6, 7 RETURNING client_id`,
      [client],
    );
    await tx.query(
      `INSERT INTO signaling_day AS kept (client_id, day, dialogues, changes, first_received_at, last_received_at) VALUES ($1, $2, $3, 1, $4, $4)
       ON CONFLICT (client_id, day) DO UPDATE SET dialogues = kept.dialogues + EXCLUDED.dialogues, changes = kept.changes + 1, last_received_at = EXCLUDED.last_received_at`,
      [client, day, rows.length, world.clock.now()],
    );
  }, client);
  await world.watermark(
    client,
    `${day}T${column(({ at }) => at)
      .sort()
      .at(-1)!}`,
    'hub',
    'dialogues',
  );
}

/** A SIM that is authenticated and then accepted, or refused three times. */
function attach(sim: string, at: string, outcome: number, origin: number): Dialogue[] {
  const refusals = outcome === accepted ? 1 : 3;
  return [
    { sim, at, procedure: sai, origin, outcome: accepted },
    ...Array.from({ length: refusals }, () => ({ sim, at, procedure: ul, origin, outcome })),
  ];
}

const watch = () => world.container.resolve(ServiceWatch).drain();
const found = () => world.ledger.standing(client);

/** All SIMs attach; the first `hit` of them are refused by the MME. */
function hourOf(hit: number, at = '10:20'): Dialogue[] {
  return sims.flatMap((sim, index) => attach(sim, at, index < hit ? rejected : accepted, mme));
}

it('names a service that fails for more than 5 % of the devices, once the hour is over', async () => {
  await dialogues(hourOf(6));
  await watch();
  expect(found()).toEqual([]);
  await dialogues([{ sim: sims[39]!, at: '11:10', procedure: sai, origin: mme, outcome: accepted }]);
  await watch();
  expect(found()).toEqual([`COUNTRY:ES:critical-service:DATA_HIT ${day} CRITICAL`]);
  expect(world.ledger.find('DATA_HIT').at(-1)!.evidence[0]!.text).toBe(
    '6 of 40 SIMs (15 %, limit 5 %) tried and got no data service between 10:00 and 11:00 UTC',
  );
});

it('judges the platform too, for the operator', async () => {
  await dialogues([...hourOf(6), { sim: sims[39]!, at: '11:10', procedure: sai, origin: mme, outcome: accepted }]);
  await watch();
  expect(world.ledger.standing(0)).toContain(`CLIENT:0:critical-service:PLATFORM_DATA_HIT ${day} CRITICAL`);
});

it('takes it back when late dialogues show that the devices got in after all', async () => {
  await dialogues([...hourOf(6), { sim: sims[39]!, at: '11:10', procedure: sai, origin: mme, outcome: accepted }]);
  await watch();
  expect(found()).toHaveLength(1);
  await dialogues(sims.slice(0, 6).map((sim) => ({ sim, at: '10:40', procedure: ul, origin: mme, outcome: accepted })));
  await watch();
  expect(found()).toEqual([]);
});

it('leaves out the SIMs that we blocked: their failures are ours', async () => {
  await world.write(
    (tx) =>
      tx.query(`UPDATE sim SET block_state = 'BLOCKED' WHERE client_id = $1 AND sim_id = ANY($2::int8[])`, [client, sims.slice(0, 6)]),
    client,
  );
  await dialogues([...hourOf(6), { sim: sims[39]!, at: '11:10', procedure: sai, origin: mme, outcome: accepted }]);
  await watch();
  expect(found()).toEqual([]);
});

it('names a home register that refuses most MAP dialogues, and voice that fails with it', async () => {
  const refusedBySai = sims.flatMap((sim) =>
    Array.from({ length: 3 }, (): Dialogue => ({ sim, at: '09:30', procedure: sai, origin: vlr, outcome: rejected })),
  );
  await dialogues([...refusedBySai, { sim: sims[0]!, at: '10:30', procedure: sai, origin: vlr, outcome: accepted }]);
  await watch();
  expect(found()).toEqual([
    `COUNTRY:ES:critical-service:MAP_SUCCESS_LOW ${day} CRITICAL`,
    `COUNTRY:ES:critical-service:VOICE_SMS_HIT ${day} CRITICAL`,
  ]);
});

it('is content with a working network in which now and then a device is refused', async () => {
  await dialogues([...hourOf(2), { sim: sims[39]!, at: '11:10', procedure: sai, origin: mme, outcome: accepted }]);
  await watch();
  expect(found()).toEqual([]);
});

it('names each client whose devices are hit, of several on one day, by its own devices', async () => {
  const ended = () => ({ sim: sims[39]!, at: '11:10', procedure: sai, origin: mme, outcome: accepted });
  const first = client;
  await dialogues([...hourOf(6), ended()]);
  const healthy = (client = await world.client(`Healthy of ${day}`));
  sims = await world.sims(client, 40);
  await dialogues([...hourOf(1), ended()]);
  client = await world.client(`Second of ${day}`);
  sims = await world.sims(client, 40);
  await dialogues([...hourOf(9, '09:30'), ...hourOf(0), ended()]);
  await watch();
  expect(world.ledger.standing(first)).toEqual([`COUNTRY:ES:critical-service:DATA_HIT ${day} CRITICAL`]);
  expect(world.ledger.standing(healthy)).toEqual([]);
  expect(found()).toEqual([`COUNTRY:ES:critical-service:DATA_HIT ${day} CRITICAL`]);
  const texts = world.ledger.find('DATA_HIT').map(({ evidence }) => evidence[0]!.text);
  expect(texts).toContain('6 of 40 SIMs (15 %, limit 5 %) tried and got no data service between 10:00 and 11:00 UTC');
  expect(texts).toContain('9 of 40 SIMs (23 %, limit 5 %) tried and got no data service between 09:00 and 10:00 UTC');
});
