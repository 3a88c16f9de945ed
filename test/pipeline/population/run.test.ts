/** The daily run on a database: scheduled, decided, raised, killed and taken up again. */
import { PopulationFit } from '../../../src/detection/population/fit-service';
import { findPopulationRun, insertRun, type NewRun } from '../../../src/detection/population/run-record';
import { SystemEntropy } from '../../../src/runtime';
import type { Fleet } from './feature-town';
import { PopulationWorld, settleClient, storeFeatures, type Settled } from './population-world';

const calm: Readonly<Record<string, readonly Fleet[]>> = {
  acme: [
    { country: 'ES', life: 0, devices: 120 },
    { country: 'FR', life: 1, devices: 60 },
  ],
  bolt: [
    { country: 'ES', life: 0, devices: 100 },
    { country: 'DE', life: 1, devices: 60 },
  ],
};
const badDay = 10;

async function town(world: PopulationWorld): Promise<Record<string, Settled>> {
  const settled: Record<string, Settled> = {};
  for (const [name, fleets] of Object.entries(calm)) {
    settled[name] = await settleClient(world.detection, name, fleets);
    for (let day = 8; day < badDay; day++) await storeFeatures(world.detection.database, settled[name], fleets, day);
    const today = name === 'acme' ? [{ ...fleets[0]!, rejected: 30 }, fleets[1]!] : fleets;
    await storeFeatures(world.detection.database, settled[name], today, badDay);
  }
  return settled;
}

const anomalies = (world: PopulationWorld) =>
  world.detection.query<{ client_id: number; day: string; country: string; devices: number; flagged: number; verdict: string }>(
    'SELECT client_id, day, country, devices, flagged, expected, z_score, p_value, verdict, raised_sims FROM client_anomaly ORDER BY client_id, day, country',
  );
const results = async (world: PopulationWorld) => ({
  anomalies: await anomalies(world),
  devices: await world.detection.query(
    'SELECT client_id, day, detector_id, sim_id, country, cluster, score, raw_score, evidence FROM device_anomaly ORDER BY client_id, day, sim_id',
  ),
  models: await world.detection.query(
    `SELECT generation, detector_id, cluster, encode(model, 'hex') AS model FROM population_model ORDER BY 1, 2, 3`,
  ),
  clusters: await world.detection.query('SELECT client_id, sim_id, cluster, history_days, assigned_day FROM sim_cluster ORDER BY 1, 2'),
});

/** What the first town's runs left behind. */
let undisturbed: Awaited<ReturnType<typeof results>>;

describe('the daily run', () => {
  let world: PopulationWorld;
  let settled: Record<string, Settled>;
  beforeAll(async () => {
    world = await PopulationWorld.open();
    settled = await town(world);
    world.detection.clock.set(new Date('2026-11-11T12:00:00Z'));
    await world.scheduler.drain();
    undisturbed = await results(world);
  });
  afterAll(() => world.close());

  it('judges each day that is due once', async () => {
    const runs = await world.detection.query<{ to_day: string; state: string; attempts: number }>(
      'SELECT to_day, state, attempts, rows_done, rows_total FROM population_run ORDER BY to_day',
    );
    expect(runs.map(({ to_day: day, state }) => [day, state])).toEqual(
      [8, 9, 10].map((day) => [`2026-11-${String(day).padStart(2, '0')}`, 'SUCCEEDED']),
    );
    expect(runs[2]).toMatchObject({ rows_done: '340', rows_total: '340', attempts: 0 });
    await world.scheduler.drain();
    expect((await world.detection.query('SELECT run_id FROM population_run')).length).toBe(3);
  });

  it('finds the client and country where devices are rejected, and nothing on the days before', async () => {
    const found = (await anomalies(world)).filter(({ verdict }) => verdict === 'ANOMALOUS');
    expect(found).toMatchObject([{ client_id: settled.acme!.clientId, day: '2026-11-10', country: 'ES', devices: 120 }]);
    expect(found[0]!.flagged).toBeGreaterThanOrEqual(30);
  });

  it('raises the client with its country, and its worst devices with why', () => {
    const raised = [...world.detection.ledger.occurrences.values()];
    const ofClient = raised.filter(({ subject }) => subject === 'CLIENT');
    expect(ofClient).toMatchObject([
      { kind: 'CLIENT_ANOMALY', subjectId: `${settled.acme!.clientId}:ES`, title: 'Unusually many devices in ES signal abnormally' },
    ]);
    expect(ofClient[0]!.evidence[1]!.text).toMatch(/^\d+ of 120 devices flagged, \d+\.\d expected/);
    const devices = raised.filter(({ subject }) => subject === 'SIM');
    expect(devices).toHaveLength(20);
    const rejected = new Set(settled.acme!.simIds.slice(0, 30));
    expect(devices.every(({ simId }) => rejected.has(simId!))).toBe(true);
    expect(devices[0]!.evidence[0]!.text).toMatch(/^n_map_rejects \d+, usual 3$/);
  });

  it('takes back what it raised when the day turns out to have been good', async () => {
    await storeFeatures(world.detection.database, settled.acme!, calm.acme!, badDay);
    await world.detection.query(`DELETE FROM population_run WHERE client_id = 0 AND job = 'daily 2026-11-10'`);
    await world.scheduler.drain();
    expect((await anomalies(world)).filter(({ verdict }) => verdict === 'ANOMALOUS')).toEqual([]);
    expect([...world.detection.ledger.occurrences.values()].filter(({ windowStart }) => windowStart.getUTCDate() === badDay)).toEqual([]);
  });

  it('judges a day again when late dialogues changed its features: once, after a rest', async () => {
    const again = async () =>
      (await world.detection.query<{ job: string }>(`SELECT job FROM population_run WHERE job LIKE '%changes%'`)).map(({ job }) => job);
    // half of bolt's meters were rejected too: known a day late
    const { bolt } = calm;
    await storeFeatures(world.detection.database, settled.bolt!, [{ ...bolt![0]!, rejected: 50 }, bolt![1]!], badDay);
    const changed = [settled.bolt!.clientId, '2026-11-10'];
    await world.detection.query('UPDATE feature_day SET changes = changes + 3 WHERE client_id = $1 AND day = $2', changed);
    world.detection.clock.advance(3_600_000);
    await world.scheduler.drain();
    expect(await again()).toEqual([]);
    world.detection.clock.advance(6 * 3_600_000);
    await world.scheduler.drain();
    expect(await again()).toEqual(['daily 2026-11-10, changes 5']);
    const found = (await anomalies(world)).filter(({ verdict }) => verdict === 'ANOMALOUS');
    expect(found).toMatchObject([{ client_id: settled.bolt!.clientId, day: '2026-11-10', country: 'ES' }]);
    world.detection.clock.advance(48 * 3_600_000);
    await world.scheduler.drain();
    expect(await again()).toHaveLength(1);
  });

  it('forgets, each in its time, flagged devices, runs with their models and leftovers, and decisions last', async () => {
    const { detection } = world;
    await detection.query(
      `INSERT INTO population_generation (client_id, generation, state, from_day, to_day, seed, catalogue_hash, trained_rows, fitted_at)
       SELECT 0, number, 'READY', '2026-10-01', '2026-11-12', 1, 'old', 1, '2026-11-13' FROM generate_series(2, 6) AS number`,
    );
    await detection.query(
      `INSERT INTO population_checkpoint (client_id, run_id, day, detector_id, bucket, through_sim, is_last, rows, abstained, flagged, cells)
       VALUES ($1, '00000000-0000-7000-8000-000000000001', '2026-11-10', 'far-from-median', 0, 1, true, 1, 0, 0, '[]')`,
      [settled.acme!.clientId],
    );
    const left = async () => {
      const count = async (table: string) => (await detection.query(`SELECT 1 FROM ${table}`)).length > 0;
      const generations = await detection.query<{ generation: number }>('SELECT generation FROM population_generation ORDER BY 1');
      return {
        devices: await count('device_anomaly'),
        runs: await count('population_run'),
        leftovers: await count('population_checkpoint'),
        decisions: await count('client_anomaly'),
        generations: generations.map(({ generation }) => generation),
      };
    };
    const afterDays = async (days: number) => {
      detection.clock.advance(days * 86_400_000);
      await world.scheduler.drain();
      return left();
    };
    // the first generation is that of the runs, which are kept; 4 to 6 are the newest
    const kept = { devices: true, runs: true, decisions: true };
    expect(await afterDays(1)).toEqual({ ...kept, leftovers: false, generations: [1, 4, 5, 6] });
    expect(await afterDays(100)).toEqual({ devices: false, runs: false, leftovers: false, decisions: true, generations: [4, 5, 6] });
    expect(await afterDays(300)).toMatchObject({ decisions: false });
  });
});

describe('models of other runs than the daily ones', () => {
  const scope = { id: 'far-from-median', version: '1.0.0', scope: 'GLOBAL', options: {} } as const;
  const days = (day: number, last = day) => ({ fromDay: `2026-11-0${day}`, toDay: `2026-11-${String(last).padStart(2, '0')}` });
  let world: PopulationWorld;
  beforeAll(async () => {
    world = await PopulationWorld.open();
    await town(world);
    world.detection.clock.set(new Date('2026-11-11T12:00:00Z'));
    await world.scheduler.drain();
  });
  afterAll(() => world.close());

  /** Answers the run at its end. */
  const carryOut = async (run: Pick<NewRun, 'trigger' | 'fromDay' | 'toDay' | 'plan'>) => {
    world.detection.clock.advance(60_000);
    const now = world.detection.clock.now();
    const asked = { job: `test ${now.toISOString()}`, scheduledFor: now, seed: 1, requestedBy: 'a test', ...run };
    const { run_id: runId } = await world.detection.write((tx) => insertRun(tx, new SystemEntropy(), asked, now), 0);
    await world.scheduler.drain();
    const ended = (await world.detection.write((tx) => findPopulationRun(tx, runId), 0))!;
    expect(ended).toMatchObject({ state: 'SUCCEEDED', error: null });
    return ended;
  };
  const stored = async () => {
    const rows = await world.detection.query<{ generation: number }>('SELECT generation FROM population_generation ORDER BY 1');
    return rows.map(({ generation }) => generation);
  };
  const assigned = () => world.detection.query('SELECT * FROM sim_cluster ORDER BY client_id, sim_id');

  it("a back-test fits what the daily models don't, leaves SIMs in their clusters and the daily run its models, and takes its own away", async () => {
    const before = await assigned();
    const backtest = await carryOut({ trigger: 'BACKTEST', ...days(9, 10), plan: [scope] });
    expect(backtest.generation).toBe(2);
    expect([await stored(), await assigned()]).toEqual([[1], before]);
    expect((await carryOut({ trigger: 'ON_DEMAND', ...days(9) })).generation).toBe(1);
    // one that the daily models fit knows nothing of days that were still to come
    expect((await carryOut({ trigger: 'BACKTEST', ...days(9, 10), plan: [{ ...scope, scope: 'PER_CLUSTER' }] })).generation).toBe(1);
  });

  it('models that are fitted later on earlier days are older, and whoever fits them is told', async () => {
    const newest = await carryOut({ trigger: 'FIT', ...days(8, 9) });
    expect(newest).toMatchObject({ generation: 3, warnings: [], models_done: newest.models_total });
    expect(newest.models_total).toBeGreaterThan(1);
    const { generation, warnings } = await carryOut({ trigger: 'FIT', ...days(8) });
    expect([generation, warnings]).toEqual([4, [expect.stringContaining('trained on 2026-11-08 to 2026-11-09 are newer')]]);
    expect((await carryOut({ trigger: 'ON_DEMAND', fromDay: '2026-11-10', toDay: '2026-11-10' })).generation).toBe(3);
    // a back-test of the first day may not know the second
    expect((await carryOut({ trigger: 'BACKTEST', ...days(8), plan: [{ ...scope, scope: 'PER_CLUSTER' }] })).generation).toBe(4);
  });
});

describe('a day whose run fails', () => {
  it('is run again, later each time, with an alert to the operator until it is judged', async () => {
    const world = await PopulationWorld.open();
    const acme = await settleClient(world.detection, 'acme', calm.acme!);
    await storeFeatures(world.detection.database, acme, calm.acme!, badDay);
    world.detection.clock.set(new Date('2026-11-11T12:00:00Z'));
    const broken = jest.spyOn(world.part(PopulationFit), 'run').mockRejectedValue(new Error('no space left on device'));
    const states = async () =>
      (await world.detection.query<{ state: string }>('SELECT state FROM population_run ORDER BY scheduled_for')).map(({ state }) => state);
    /** As a server's loop does, which goes on after a failure. */
    const work = async () => {
      for (let tries = 0; tries < 4; tries++) await world.scheduler.drain().catch(() => undefined);
    };
    const afterMinutes = async (minutes: number) => {
      world.detection.clock.advance(minutes * 60_000);
      await work();
      return states();
    };
    const alerts = () => world.detection.ledger.find('POPULATION_RUN_FAILED');
    await work();
    expect(await states()).toEqual(['FAILED']);
    expect(alerts()).toMatchObject([{ clientId: 0, windowStart: new Date('2026-11-10T00:00:00Z'), severity: 'CRITICAL' }]);
    expect(alerts()[0]!.evidence[0]!.text).toMatch(/^The run of 2026-11-10 failed: no space left on device\. It is run again/);
    expect(await afterMinutes(4)).toEqual(['FAILED']);
    expect(await afterMinutes(1)).toEqual(['FAILED', 'FAILED']);
    expect(await afterMinutes(9)).toHaveLength(2);
    expect(await afterMinutes(1)).toHaveLength(3);
    for (let hour = 0; hour < 24; hour++) await afterMinutes(60);
    // after 20, 40, 80, 160 and 320 minutes, then every six hours
    expect((await states()).length).toBeLessThanOrEqual(10);
    for (let hour = 0; hour < 8 * 24; hour += 3) await afterMinutes(180);
    const givenUp = (await states()).length;
    expect(await afterMinutes(48 * 60)).toHaveLength(givenUp);
    expect(alerts()).toHaveLength(1);
    await world.close();
    broken.mockRestore();
  });

  it('takes the alert back once it is judged', async () => {
    const world = await PopulationWorld.open();
    const acme = await settleClient(world.detection, 'acme', calm.acme!);
    await storeFeatures(world.detection.database, acme, calm.acme!, badDay);
    world.detection.clock.set(new Date('2026-11-11T12:00:00Z'));
    const broken = jest.spyOn(world.part(PopulationFit), 'run').mockRejectedValue(new Error('no space left on device'));
    for (let tries = 0; tries < 4; tries++) await world.scheduler.drain().catch(() => undefined);
    broken.mockRestore();
    world.detection.clock.advance(5 * 60_000);
    await world.scheduler.drain();
    expect(world.detection.ledger.find('POPULATION_RUN_FAILED')).toEqual([]);
    expect((await anomalies(world)).length).toBeGreaterThan(0);
    world.detection.clock.advance(86_400_000);
    await world.scheduler.drain();
    expect(await world.detection.query('SELECT state FROM population_run ORDER BY scheduled_for')).toEqual([
      { state: 'FAILED' },
      { state: 'SUCCEEDED' },
    ]);
    await world.close();
  });
});

describe('a run that is killed again and again', () => {
  it('ends with the bytes of one that was not', async () => {
    const world = await PopulationWorld.open();
    await town(world);
    world.detection.clock.set(new Date('2026-11-11T12:00:00Z'));
    for (let kills = 0; kills < 10; kills++) {
      expect(await dieAtCommit(PopulationWorld.beside(world), 2 + ((kills * 5) % 7))).toBe(true);
      // its lease runs out
      world.detection.clock.advance(121_000);
    }
    const last = PopulationWorld.beside(world);
    await last.scheduler.drain();
    expect(await results(last)).toEqual(undisturbed);
    await world.close();
  });
});

/** Works until its nth writing commit, and is dead from there on; true where it got so far. */
async function dieAtCommit(world: PopulationWorld, commits: number): Promise<boolean> {
  const { database } = world.detection;
  let left = commits;
  let dead = false;
  const transaction = database.transaction.bind(database);
  const spy = jest.spyOn(database, 'transaction').mockImplementation(async (options, work) => {
    if (dead) throw new Error('killed');
    if (!options.readOnly && options.name.startsWith('population.') && --left < 0) {
      dead = true;
      throw new Error('killed');
    }
    return transaction(options, work);
  });
  try {
    await world.scheduler.drain();
  } catch {
    // it is dead
  } finally {
    spy.mockRestore();
  }
  return dead;
}
