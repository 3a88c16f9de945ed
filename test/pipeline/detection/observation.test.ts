/** What detectors see: every column with its exact meaning, whatever the order of arrival. */
import { openScope, observeEvents, observeUsage } from '../../../src/detection/observe';
import { columnCatalogue, type CategoryColumn, type ColumnName } from '../../../src/detector';
import { DetectionWorld, tinyDetector, type EventSeed } from './support';

const usageColumns = new Set(
  Object.keys(columnCatalogue).filter((name) => columnCatalogue[name as ColumnName].input === 'usage') as ColumnName[],
);
const eventColumns = new Set(
  Object.keys(columnCatalogue).filter((name) => columnCatalogue[name as ColumnName].input === 'events') as ColumnName[],
);

describe('what detectors see of usage', () => {
  let world: DetectionWorld;
  afterEach(() => world.close());

  async function usage(client: number, day: string, sims: readonly string[]): Promise<(name: ColumnName) => number[]> {
    const observation = await world.write(async (tx) => observeUsage(tx, await openScope(tx, client, day, sims), usageColumns), client);
    return (name) => [...(observation.columns.get(name) as Float64Array)];
  }

  it('applies the limit of the SIM, else of its fleet, else of the client', async () => {
    world = await DetectionWorld.open([]);
    const client = await world.client('Acme');
    const fleet = await world.fleet(client, 'North');
    const [own] = await world.sims(client, 1, { fleet });
    const [inherits] = await world.sims(client, 1, { fleet });
    const [alone] = await world.sims(client, 1);
    const limit = (subject: string, id: string, measure: string, period: string, bytes: number) =>
      world.query(
        `INSERT INTO threshold (client_id, threshold_id, subject, subject_id, measure, period, limit_bytes, warn_percent, clear_percent, updated_at, updated_by)
       VALUES ($1, gen_random_uuid(), $2, $3, $4, $5, $6, 80, 90, $7, 'somebody')`,
        [client, subject, id, measure, period, bytes, world.clock.now()],
      );
    await limit('CLIENT', String(client), 'PER_SIM', 'DAY', 1000);
    await limit('FLEET', fleet, 'PER_SIM', 'DAY', 500);
    await limit('SIM', own!, 'PER_SIM', 'DAY', 100);
    await limit('FLEET', fleet, 'TOTAL', 'MONTH', 9000);
    const column = await usage(client, '2026-11-01', [own!, inherits!, alone!]);
    expect(column('dailyLimitBytes')).toEqual([100, 500, 1000]);
    expect(column('dailyWarnBytes')).toEqual([80, 400, 800]);
    expect(column('dailyClearBytes')).toEqual([90, 450, 900]);
    expect(column('monthlyLimitBytes')).toEqual([NaN, NaN, NaN]);
    expect(column('fleetMonthlyLimitBytes')).toEqual([9000, 9000, NaN]);
    expect(column('clientDailyLimitBytes')).toEqual([NaN, NaN, NaN]);
  });

  it.each([
    ['2026-11-14', 10 + 20],
    ['2026-11-15', 40],
    ['2026-11-16', 40 + 80],
    ['2026-12-14', 40 + 80 + 160],
    ['2026-12-15', 320],
  ])('counts the billing cycle that begins on the 15th: on %s %i bytes', async (day, bytes) => {
    world = await DetectionWorld.open([]);
    const client = await world.client('Acme', 15);
    const fleet = await world.fleet(client, 'North');
    const [sim] = await world.sims(client, 1, { fleet });
    await world.usage(
      client,
      [
        ['2026-10-14', 5],
        ['2026-10-15', 10],
        ['2026-11-14', 20],
        ['2026-11-15', 40],
        ['2026-11-16', 80],
        ['2026-12-14', 160],
        ['2026-12-15', 320],
      ].map(([date, size]) => ({ sim: sim!, at: `${date}T23:30`, bytes: size as number })),
    );
    const column = await usage(client, day, [sim!]);
    expect(column('cycleBytes')).toEqual([bytes]);
    expect(column('fleetCycleBytes')).toEqual([bytes]);
    expect(column('clientCycleBytes')).toEqual([bytes]);
  });

  it('ranks the top consumers and knows how silent, how new and how active a SIM is', async () => {
    world = await DetectionWorld.open([]);
    const client = await world.client('Acme');
    const sims = await world.sims(client, 22, { registeredAt: new Date('2026-11-01T12:00:00Z') });
    await world.usage(
      client,
      sims.slice(0, 21).map((sim, index) => ({ sim, at: '2026-11-02T10:00', bytes: 1000 - index })),
    );
    await world.usage(client, [{ sim: sims[0]!, at: '2026-11-04T10:00', bytes: 1 }]);
    await world.watermark(client, '2026-11-05T06:00');
    await world.settle();
    const column = await usage(client, '2026-11-02', sims);
    expect(column('topRank').slice(0, 2)).toEqual([1, 2]);
    expect(column('topRank').slice(19)).toEqual([20, NaN, NaN]);
    const later = await usage(client, '2026-11-04', sims);
    expect([later('silentDays')[0], later('silentDays')[1], later('silentDays')[21]]).toEqual([0, 2, NaN]);
    expect(later('daysSinceRegistered')[0]).toBe(3);
    expect(later('activeDaysOf28').slice(0, 2)).toEqual([1, 1]);
    expect([later('dayClosed')[0], later('sourceLatenessSeconds')[0]]).toEqual([1, 0]);
    // The open day: its own silence can't be told yet.
    const open = await usage(client, '2026-11-05', sims);
    expect([open('silentDays')[1], open('dayClosed')[1], open('sourceLatenessSeconds')[1]]).toEqual([2, 0, 18 * 3600]);
  });
});

describe('what detectors see of events', () => {
  let world: DetectionWorld;
  afterEach(() => world.close());

  async function events(client: number, day: string, sims: readonly string[]) {
    const observation = await world.write(async (tx) => observeEvents(tx, await openScope(tx, client, day, sims), eventColumns), client);
    return {
      rows: observation.rows,
      numbers: (name: ColumnName) => [...(observation.columns.get(name) as Float64Array)],
      names: (name: ColumnName) => {
        const { codes, names } = observation.columns.get(name) as CategoryColumn;
        return [...codes].map((code) => names[code] ?? null);
      },
    };
  }

  it('tells IMEI, serial, model and software version apart, by event time', async () => {
    world = await DetectionWorld.open([]);
    const client = await world.client('Acme');
    const [sim, free] = await world.sims(client, 2);
    await world.query(`INSERT INTO imei_binding VALUES ($1, $2, '35145120840121', '351451208401216', $3, 'somebody')`, [
      client,
      sim,
      world.clock.now(),
    ]);
    const at = (time: string, imei: string | undefined): EventSeed => ({ sim: sim!, at: time, type: 'DATA_SESSION_STARTED', imei });
    await world.connectionEvents(client, [
      at('2026-11-02T12:00', '3514512099999993'),
      at('2026-11-02T10:00', undefined),
      at('2026-11-02T09:00', '351451208401216'),
      at('2026-11-02T11:00', '3514512084012101'),
      at('2026-11-02T11:30', '3514512084012102'),
      at('2026-11-02T13:00', '860123456789012'),
      at('2026-11-01T23:00', '351451208401216'),
      { sim: free!, at: '2026-11-02T08:00', type: 'DETACHED', imei: '351451208401216' },
    ]);
    const seen = await events(client, '2026-11-02', [sim!, free!]);
    expect(seen.names('imeiMatch')).toEqual(['MATCH', null, 'MATCH', 'SOFTWARE_VERSION', 'SERIAL', 'TAC', null]);
    expect(seen.names('imeiChange')).toEqual(['SAME', null, 'SAME', 'SOFTWARE_VERSION', 'SERIAL', 'TAC', null]);
    expect(seen.numbers('subject')).toEqual([0, 0, 0, 0, 0, 0, 1]);
    expect(seen.numbers('secondsSincePrevious').slice(0, 2)).toEqual([10 * 3600, 3600]);
    expect(seen.numbers('secondsUntilNext').slice(-2)).toEqual([NaN, NaN]);
  });

  it('counts the SIMs that tried and failed in a network, over the whole client', async () => {
    world = await DetectionWorld.open([]);
    const client = await world.client('Acme');
    const sims = await world.sims(client, 3);
    const attach = (sim: string, time: string, type: string): EventSeed => ({
      sim,
      at: `2026-11-02T${time}`,
      type: `ATTACHMENT_${type}`,
      plmn: '706-01',
    });
    await world.connectionEvents(client, [
      attach(sims[0]!, '08:00', 'REJECTED'),
      attach(sims[1]!, '08:00', 'FAILED'),
      attach(sims[2]!, '08:00', 'REJECTED'),
      attach(sims[2]!, '09:00', 'ACCEPTED'),
    ]);
    await world.usage(client, [{ sim: sims[0]!, at: '2026-11-02T07:00', bytes: 5, plmn: '214-07', destination: 'example.org' }]);
    const seen = await events(client, '2026-11-02', [sims[0]!]);
    expect(seen.names('eventClass')).toEqual(['USAGE', 'CONNECTION']);
    expect(seen.numbers('networkSimsTried')).toEqual([0, 3]);
    expect(seen.numbers('networkSimsFailed')).toEqual([0, 2]);
    expect(seen.numbers('networkFamilySims')).toEqual([NaN, NaN]);
    expect(seen.numbers('uplinkBytes')).toEqual([5, NaN]);
  });

  it('knows the usual countries and destinations from the closed days before', async () => {
    world = await DetectionWorld.open([]);
    const client = await world.client('Acme');
    const sims = await world.sims(client, 3);
    for (let day = 1; day <= 7; day++) {
      await world.usage(
        client,
        sims.map((sim, index) => ({
          sim,
          at: `2026-11-0${day}T08:00`,
          bytes: 5,
          plmn: '214-07',
          destination: index < 2 ? 'usual.example' : 'rare.example',
        })),
      );
    }
    await world.usage(client, [
      { sim: sims[0]!, at: '2026-11-08T08:00', bytes: 5, plmn: '214-01', destination: 'usual.example' },
      { sim: sims[0]!, at: '2026-11-08T09:00', bytes: 5, plmn: '706-01', destination: 'strange.example' },
    ]);
    await world.settle();
    const seen = await events(client, '2026-11-08', [sims[0]!]);
    expect(seen.numbers('networkFamilySims')).toEqual([3, 0]);
    expect(seen.numbers('destinationFamilySims')).toEqual([2, 0]);
    expect(seen.numbers('familySims')).toEqual([3, 3]);
  });

  it('sorts rows by SIM and event time, the same for every order of arrival', async () => {
    world = await DetectionWorld.open([]);
    const seen: unknown[] = [];
    const seeds = (sims: readonly string[]): EventSeed[] =>
      sims.flatMap((sim) =>
        ['10:00', '08:00', '09:30', '09:30'].map((time, index) => ({
          sim,
          at: `2026-11-02T${time}`,
          type: ['DETACHED', 'DATA_SESSION_STARTED'][index % 2]!,
          plmn: '214-07',
        })),
      );
    for (const name of ['Acme', 'Other']) {
      const client = await world.client(name);
      const sims = await world.sims(client, 2);
      const all = seeds(sims);
      for (const seed of name === 'Acme' ? all : [...all].reverse()) await world.connectionEvents(client, [seed]);
      const rows = await events(client, '2026-11-02', sims);
      seen.push([
        rows.numbers('subject'),
        rows.numbers('secondOfDay'),
        rows.numbers('secondsSincePrevious'),
        rows.numbers('secondsUntilNext'),
      ]);
    }
    expect(seen[1]).toEqual(seen[0]);
  });

  it('merges the rows of one network into one finding, the loudest', async () => {
    world = await DetectionWorld.open([
      tinyDetector(
        'crowd',
        ['networkSimsFailed', 'secondOfDay'],
        { subject: 'NETWORK' },
        (at) => ({ fires: at('networkSimsFailed') >= 2 ? 1 : 0, score: at('secondOfDay') }),
        'events',
      ),
    ]);
    const client = await world.client('Acme');
    const sims = await world.sims(client, 2);
    await world.connectionEvents(
      client,
      sims.map((sim, index) => ({ sim, at: `2026-11-02T0${index + 1}:00`, type: 'ATTACHMENT_REJECTED', plmn: '706-01' })),
    );
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual(['NETWORK:706-01:crowd:FIRED 2026-11-02 WARNING']);
    expect(world.ledger.find('FIRED')[0]).toMatchObject({ simId: null, score: 7200 });
  });
});
