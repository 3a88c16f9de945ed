/** Services of visited countries, hour by hour: found when they fail for many, not when we blocked the SIMs, and taken back when late dialogues say otherwise. */
import criticalService from '../../../plugins/critical-service';
import { ServiceWatch } from '../../../src/detection/services/service-watch';
import { plmnCode } from '../../../src/telemetry/dialogue-codes';
import { DetectionWorld } from './support';

interface Dialogue {
  readonly sim: string;
  /** `2026-11-02T10:00` (UTC). */
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

beforeEach(async () => {
  world = await DetectionWorld.open([criticalService]);
  world.container.registerSingleton(ServiceWatch);
  client = await world.client('Acme');
  sims = await world.sims(client, 40);
  world.clock.set(new Date('2026-11-02T11:30:00Z'));
});
afterEach(() => world.close());

/** As ingest would leave them: rows, counters, the day, the watermark. */
async function dialogues(rows: readonly Dialogue[]): Promise<void> {
  const days = [...new Set(rows.map(({ at }) => at.slice(0, 10)))];
  await world.database.ensurePartitions('dialogue', days);
  await world.write(async (tx) => {
    for (const { sim, at, procedure, origin, outcome } of rows) {
      const day = at.slice(0, 10);
      const started = new Date(`${at}:00Z`);
      const protocol = origin === mme ? 2 : 1;
      await tx.query(
        `INSERT INTO dialogue (client_id, day, sim_id, started_at, protocol, procedure, origin, outcome, plmn, format_violation)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, false)`,
        [client, day, sim, started, protocol, procedure, origin, outcome, spain],
      );
      await tx.query(
        `INSERT INTO signaling_quarter_hour AS kept (client_id, quarter, plmn, procedure, origin, outcome, protocol, dialogues) VALUES ($1, $2, $3, $4, $5, $6, $7, 1)
         ON CONFLICT (client_id, quarter, plmn, procedure, origin, outcome, protocol) DO UPDATE SET dialogues = kept.dialogues + EXCLUDED.dialogues`,
        [client, new Date(Math.floor(started.getTime() / 900_000) * 900_000), spain, procedure, origin, outcome, protocol],
      );
      await tx.query(
        `INSERT INTO signaling_day AS kept (client_id, day, dialogues, changes, first_received_at, last_received_at) VALUES ($1, $2, 1, 1, $3, $3)
         ON CONFLICT (client_id, day) DO UPDATE SET dialogues = kept.dialogues + 1, changes = kept.changes + 1, last_received_at = EXCLUDED.last_received_at`,
        [client, day, world.clock.now()],
      );
    }
  }, client);
  await world.watermark(
    client,
    rows
      .map(({ at }) => at)
      .sort()
      .at(-1)!,
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
function hourOf(hit: number, at = '2026-11-02T10:20'): Dialogue[] {
  return sims.flatMap((sim, index) => attach(sim, at, index < hit ? rejected : accepted, mme));
}

it('names a service that fails for more than 5 % of the devices, once the hour is over', async () => {
  await dialogues(hourOf(6));
  await watch();
  expect(found()).toEqual([]);
  await dialogues([{ sim: sims[39]!, at: '2026-11-02T11:10', procedure: sai, origin: mme, outcome: accepted }]);
  await watch();
  expect(found()).toEqual(['COUNTRY:ES:critical-service:DATA_HIT 2026-11-02 CRITICAL']);
  expect(world.ledger.find('DATA_HIT')[0]!.evidence[0]!.text).toBe(
    '6 of 40 SIMs (15 %, limit 5 %) tried and got no data service between 10:00 and 11:00 UTC',
  );
});

it('judges the platform too, for the operator', async () => {
  await dialogues([...hourOf(6), { sim: sims[39]!, at: '2026-11-02T11:10', procedure: sai, origin: mme, outcome: accepted }]);
  await watch();
  expect(world.ledger.standing(0)).toEqual(['CLIENT:0:critical-service:PLATFORM_DATA_HIT 2026-11-02 CRITICAL']);
});

it('takes it back when late dialogues show that the devices got in after all', async () => {
  await dialogues([...hourOf(6), { sim: sims[39]!, at: '2026-11-02T11:10', procedure: sai, origin: mme, outcome: accepted }]);
  await watch();
  expect(found()).toHaveLength(1);
  await dialogues(sims.slice(0, 6).map((sim) => ({ sim, at: '2026-11-02T10:40', procedure: ul, origin: mme, outcome: accepted })));
  await watch();
  expect(found()).toEqual([]);
});

it('leaves out the SIMs that we blocked: their failures are ours', async () => {
  await world.write(
    (tx) =>
      tx.query(`UPDATE sim SET block_state = 'BLOCKED' WHERE client_id = $1 AND sim_id = ANY($2::int8[])`, [client, sims.slice(0, 6)]),
    client,
  );
  await dialogues([...hourOf(6), { sim: sims[39]!, at: '2026-11-02T11:10', procedure: sai, origin: mme, outcome: accepted }]);
  await watch();
  expect(found()).toEqual([]);
});

it('names a home register that refuses most MAP dialogues, and voice that fails with it', async () => {
  const refusedBySai = sims.flatMap((sim) =>
    Array.from({ length: 3 }, (): Dialogue => ({ sim, at: '2026-11-02T09:30', procedure: sai, origin: vlr, outcome: rejected })),
  );
  await dialogues([...refusedBySai, { sim: sims[0]!, at: '2026-11-02T10:30', procedure: sai, origin: vlr, outcome: accepted }]);
  await watch();
  expect(found()).toEqual([
    'COUNTRY:ES:critical-service:MAP_SUCCESS_LOW 2026-11-02 CRITICAL',
    'COUNTRY:ES:critical-service:VOICE_SMS_HIT 2026-11-02 CRITICAL',
  ]);
});

it('is content with a working network in which now and then a device is refused', async () => {
  await dialogues([...hourOf(2), { sim: sims[39]!, at: '2026-11-02T11:10', procedure: sai, origin: mme, outcome: accepted }]);
  await watch();
  expect(found()).toEqual([]);
});
