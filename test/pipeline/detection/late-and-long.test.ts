/** What reaches beyond its day: running totals of weeks and cycles, events after midnight, days from before the first, several processes. */
import { DetectionWorld, tinyDetector } from './support';

const day = (number: number) => `2026-11-${String(number).padStart(2, '0')}`;
const monthly = tinyDetector('monthly', ['cycleBytes'], { window: 'BILLING_CYCLE' }, (at) => ({
  fires: at('cycleBytes') > 100 ? 1 : 0,
  score: at('cycleBytes'),
}));
const fleetMonthly = tinyDetector('fleet-monthly', ['fleetCycleBytes'], { window: 'BILLING_CYCLE', subject: 'FLEET' }, (at) => ({
  fires: at('fleetCycleBytes') > 100 ? 1 : 0,
  score: at('fleetCycleBytes'),
}));
const gone = tinyDetector(
  'gone',
  ['secondsUntilNext', 'eventDayClosed'],
  { judged: 'CLOSED_DAY' },
  (at) => ({ fires: Number.isNaN(at('secondsUntilNext')) ? 1 : 0 }),
  'events',
);

describe('what reaches beyond its day', () => {
  let world: DetectionWorld;
  afterEach(() => world.close());

  it('an earlier day judged again does not take back what a later day of the billing cycle found', async () => {
    world = await DetectionWorld.open([monthly]);
    const client = await world.client('Acme');
    const [sim, other] = await world.sims(client, 2);
    await world.usage(client, [{ sim: sim!, at: `${day(2)}T08:00`, bytes: 60 }]);
    await world.usage(client, [{ sim: sim!, at: `${day(4)}T08:00`, bytes: 60 }]);
    await world.settle();
    const fired = [`SIM:${sim}:monthly:FIRED ${day(1)} WARNING`];
    expect(world.ledger.standing()).toEqual(fired);
    await world.usage(client, [{ sim: other!, at: `${day(6)}T08:00`, bytes: 1 }]);
    await world.settle();
    expect(world.ledger.standing()).toEqual(fired);
    await world.usage(client, [{ sim: sim!, at: `${day(2)}T09:00`, bytes: 5 }]);
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual(fired);
    expect(world.ledger.find('FIRED')[0]).toMatchObject({ score: 125 });
  });

  it("a late record counts for the fleet's total although its SIM has nothing since", async () => {
    world = await DetectionWorld.open([fleetMonthly]);
    const client = await world.client('Acme');
    const fleet = await world.fleet(client, 'North');
    const [one, two] = await world.sims(client, 2, { fleet });
    await world.usage(client, [{ sim: one!, at: `${day(5)}T08:00`, bytes: 60 }]);
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual([]);
    await world.usage(client, [{ sim: two!, at: `${day(2)}T08:00`, bytes: 60 }]);
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual([`FLEET:${fleet}:fleet-monthly:FIRED ${day(1)} WARNING`]);
    expect(world.ledger.find('FIRED')[0]).toMatchObject({
      simId: null,
      fleetId: fleet,
      score: 120,
      windowEnd: new Date('2026-12-01T00:00:00Z'),
    });
  });

  it('a record of a closed cycle is judged in that cycle', async () => {
    world = await DetectionWorld.open([monthly]);
    const client = await world.client('Acme', 5);
    const [sim] = await world.sims(client, 1);
    await world.usage(client, [
      { sim: sim!, at: `${day(2)}T08:00`, bytes: 60 },
      { sim: sim!, at: `${day(8)}T08:00`, bytes: 60 },
    ]);
    await world.settle();
    expect(world.ledger.standing()).toEqual([]);
    await world.usage(client, [{ sim: sim!, at: `${day(2)}T10:00`, bytes: 60 }]);
    await world.settle();
    expect(world.ledger.standing()).toEqual([`SIM:${sim}:monthly:FIRED 2026-10-05 WARNING`]);
  });

  it('a SIM heard after midnight was not gone, also when that is known only after the day closed', async () => {
    world = await DetectionWorld.open([gone]);
    const client = await world.client('Acme');
    const [sim, other] = await world.sims(client, 2);
    await world.connectionEvents(client, [{ sim: sim!, at: `${day(1)}T23:00`, type: 'DETACHED' }]);
    await world.usage(client, [{ sim: other!, at: `${day(2)}T06:00`, bytes: 1 }]);
    await world.settle();
    expect(world.ledger.standing()).toEqual([`SIM:${sim}:gone:FIRED ${day(1)} WARNING`]);
    world.clock.advance(1000);
    await world.connectionEvents(client, [{ sim: sim!, at: `${day(2)}T01:00`, type: 'ATTACHMENT_ACCEPTED' }]);
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual([]);
  });

  it('records from before the first closed day are closed too, in order', async () => {
    world = await DetectionWorld.open([monthly]);
    const client = await world.client('Acme');
    const [sim] = await world.sims(client, 1);
    await world.usage(client, [{ sim: sim!, at: `${day(10)}T08:00`, bytes: 1 }]);
    await world.watermark(client, `${day(12)}T06:00`);
    await world.settle();
    await world.usage(client, [{ sim: sim!, at: `${day(7)}T08:00`, bytes: 1 }]);
    await world.settle();
    expect((await world.closedDays(client)).map((closed) => closed.day)).toEqual([7, 8, 9, 10, 11].map(day));
  });

  it('several processes share the work of a client without doubling it', async () => {
    const counts: string[] = [];
    const noting = tinyDetector('noting', ['dayBytes'], {}, (at) => ({ fires: at('dayBytes') > 5 ? 1 : 0 }));
    const detector = {
      ...noting,
      detect: (...given: Parameters<typeof noting.detect>) => {
        counts.push('x');
        return noting.detect(...given);
      },
    };
    world = await DetectionWorld.open([detector]);
    const beside = DetectionWorld.beside(world, [detector]);
    const client = await world.client('Acme');
    const sims = await world.sims(client, 3);
    await world.usage(
      client,
      sims.map((sim) => ({ sim, at: `${day(1)}T08:00`, bytes: 10 })),
    );
    await Promise.all([world.worker().drain(), beside.worker().drain()]);
    await Promise.all([world.worker().drain(), beside.worker().drain()]);
    expect(world.ledger.standing()).toHaveLength(3);
    expect(counts).toHaveLength(1);
  });
});
