/** Closing days: when, in which order, what baselines come of it, and how late rows open them again. */
import { DetectionWorld, tinyDetector, type UsageSeed } from './support';

const day = (number: number) => `2026-11-${String(number).padStart(2, '0')}`;

const silent = tinyDetector(
  'silent',
  ['silentDays', 'sourceLatenessSeconds', 'dayClosed', 'dayIncomplete'],
  { judged: 'CLOSED_DAY' },
  (at) =>
    at('sourceLatenessSeconds') > 0 || at('dayIncomplete') === 1
      ? { abstains: 'the source is late' }
      : { fires: at('silentDays') >= 1 ? 1 : 0 },
);
const multiple = tinyDetector('multiple', ['dayBytes', 'baselineDayBytes'], {}, (at) =>
  Number.isNaN(at('baselineDayBytes'))
    ? { abstains: 'no baseline' }
    : { fires: at('dayBytes') > 3 * at('baselineDayBytes') ? 1 : 0, score: at('baselineDayBytes') },
);

describe('closing a day', () => {
  let world: DetectionWorld;
  afterEach(() => world.close());

  it('closes a day once its source is six hours past it, in order and without a gap', async () => {
    world = await DetectionWorld.open([silent]);
    const client = await world.client('Acme');
    const [sim] = await world.sims(client, 1);
    await world.usage(client, [
      { sim: sim!, at: `${day(1)}T08:00`, bytes: 10 },
      { sim: sim!, at: `${day(3)}T05:59`, bytes: 10 },
    ]);
    await world.settle();
    expect(await world.closedDays(client)).toEqual([{ day: day(1), incomplete: false }]);
    await world.watermark(client, `${day(4)}T06:00`);
    await world.settle();
    expect((await world.closedDays(client)).map((closed) => closed.day)).toEqual([day(1), day(2), day(3)]);
    expect(world.ledger.closedThrough.get(client)).toEqual(new Date(`${day(4)}T00:00:00Z`));
    expect(world.ledger.standing()).toEqual([`SIM:${sim}:silent:FIRED ${day(2)} WARNING`]);
  });

  it('closes a day at noon of the next, incomplete, when a source is late, and calls nobody silent for it', async () => {
    world = await DetectionWorld.open([silent]);
    const client = await world.client('Acme');
    const [one, two] = await world.sims(client, 2);
    await world.usage(client, [
      { sim: one!, at: `${day(1)}T08:00`, bytes: 10 },
      { sim: two!, at: `${day(1)}T08:00`, bytes: 10 },
    ]);
    await world.usage(client, [{ sim: two!, at: `${day(2)}T08:00`, bytes: 10 }]);
    world.clock.set(new Date(`${day(3)}T11:59:00Z`));
    await world.settle();
    expect((await world.closedDays(client)).map((closed) => closed.day)).toEqual([day(1)]);
    world.clock.set(new Date(`${day(3)}T12:00:00Z`));
    await world.settle();
    expect(await world.closedDays(client)).toEqual([
      { day: day(1), incomplete: false },
      { day: day(2), incomplete: true },
    ]);
    expect(world.ledger.standing()).toEqual([]);
    // The source catches up: the day is complete after all, and the silent SIM is named.
    await world.usage(client, [{ sim: two!, at: `${day(3)}T06:00`, bytes: 10 }]);
    await world.settle();
    expect(await world.closedDays(client)).toEqual([
      { day: day(1), incomplete: false },
      { day: day(2), incomplete: false },
    ]);
    expect(world.ledger.standing()).toEqual([`SIM:${one}:silent:FIRED ${day(2)} WARNING`]);
  });

  it("knows from the operator's feed that a client's silence is not the source's", async () => {
    world = await DetectionWorld.open([silent]);
    const client = await world.client('Acme');
    const [sim] = await world.sims(client, 1);
    await world.usage(client, [{ sim: sim!, at: `${day(1)}T08:00`, bytes: 10 }]);
    await world.settle();
    expect(await world.closedDays(client)).toEqual([]);
    await world.watermark(0, `${day(3)}T06:00`);
    await world.settle();
    expect((await world.closedDays(client)).map((closed) => closed.day)).toEqual([day(1), day(2)]);
    expect(world.ledger.standing()).toEqual([`SIM:${sim}:silent:FIRED ${day(2)} WARNING`]);
  });

  it('takes a day up again that a kill left half closed', async () => {
    world = await DetectionWorld.open([silent]);
    const client = await world.client('Acme');
    const [one, two] = await world.sims(client, 2);
    await world.usage(client, [
      { sim: one!, at: `${day(1)}T08:00`, bytes: 10 },
      { sim: two!, at: `${day(1)}T08:00`, bytes: 10 },
      { sim: one!, at: `${day(3)}T06:00`, bytes: 10 },
    ]);
    await world.worker().drain();
    world.ledger.failWith = new Error('killed');
    await expect(world.closer().drain()).rejects.toThrow('killed');
    expect(await world.closedDays(client)).toEqual([]);
    world.ledger.failWith = null;
    await world.settle();
    expect((await world.closedDays(client)).map((closed) => closed.day)).toEqual([day(1), day(2)]);
    expect(world.ledger.standing()).toEqual([`SIM:${one}:silent:FIRED ${day(2)} WARNING`, `SIM:${two}:silent:FIRED ${day(2)} WARNING`]);
  });
});

describe('a close that meets others', () => {
  let world: DetectionWorld;
  afterEach(() => world.close());

  async function dueDay(): Promise<{ client: number; sim: string }> {
    world = await DetectionWorld.open([silent]);
    const client = await world.client('Acme');
    const [sim, other] = await world.sims(client, 2);
    await world.usage(client, [
      { sim: sim!, at: `${day(1)}T08:00`, bytes: 10 },
      { sim: other!, at: `${day(3)}T06:00`, bytes: 10 },
    ]);
    await world.worker().drain();
    return { client, sim: sim! };
  }

  it('keeps its verdicts when the database has it commit again', async () => {
    const { client, sim } = await dueDay();
    const busy: (Error | null)[] = [Object.assign(new Error('could not serialize access'), { code: '40001' })];
    world.ledger.failOn = () => busy.pop() ?? null;
    await world.closer().drain();
    expect(await world.closedDays(client)).toHaveLength(2);
    expect(world.ledger.standing()).toContain(`SIM:${sim}:silent:FIRED ${day(2)} WARNING`);
  });

  it('waits for another process that has the client for a moment', async () => {
    const { client } = await dueDay();
    const lease = `evaluation:${client}`;
    await world.query("INSERT INTO lease (name, holder, held_until) VALUES ($1, gen_random_uuid(), '2100-01-01')", [lease]);
    const closed = world.closer().drain();
    for (let prepared = false; !prepared;)
      prepared = (await world.query('SELECT 1 AS found FROM sighting_sim_day UNION ALL SELECT 1 FROM habit')).length > 0;
    await world.query('DELETE FROM lease WHERE name = $1', [lease]);
    await closed;
    expect(await world.closedDays(client)).toHaveLength(2);
  });
});

describe('baselines', () => {
  let world: DetectionWorld;
  afterEach(() => world.close());

  async function history(sims: number, days: number): Promise<{ client: number; ids: string[] }> {
    world = await DetectionWorld.open([multiple]);
    const client = await world.client('Acme');
    const ids = await world.sims(client, sims);
    const seeds: UsageSeed[] = [];
    for (let number = 1; number <= days; number++)
      ids.forEach((sim, index) => seeds.push({ sim, at: `${day(number)}T08:00`, bytes: 10 * (index + 1) }));
    await world.usage(client, seeds);
    await world.watermark(client, `${day(days + 1)}T06:00`);
    await world.settle();
    return { client, ids };
  }

  it('are the median over SIM-days of the closed days before, per family', async () => {
    const { client, ids } = await history(5, 7);
    expect(await world.query(`SELECT period, for_day, median_bytes, sims, days FROM baseline WHERE client_id = $1`, [client])).toEqual([
      { period: 'DAY', for_day: day(8), median_bytes: 30, sims: 5, days: 7 },
    ]);
    await world.usage(client, [
      { sim: ids[0]!, at: `${day(8)}T09:00`, bytes: 91 },
      { sim: ids[1]!, at: `${day(8)}T09:00`, bytes: 90 },
    ]);
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual([`SIM:${ids[0]}:multiple:FIRED ${day(8)} WARNING`]);
  });

  it.each([
    [4, 8],
    [5, 6],
  ])('abstain with %i SIMs and %i days', async (sims, days) => {
    const { client, ids } = await history(sims, days);
    await world.usage(client, [{ sim: ids[0]!, at: `${day(days + 1)}T09:00`, bytes: 100_000 }]);
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual([]);
    expect(await world.query('SELECT 1 AS one FROM baseline')).toEqual([]);
  });

  it('of weeks come from whole closed weeks', async () => {
    // 2 November 2026 is a Monday; the client's first day, a Sunday, makes no week.
    const { client } = await history(5, 15);
    const weekly = await world.query<{ for_day: string; median_bytes: number; days: number }>(
      `SELECT for_day, median_bytes, days FROM baseline WHERE client_id = $1 AND period = 'WEEK' ORDER BY for_day`,
      [client],
    );
    expect(weekly[0]).toEqual({ for_day: day(9), median_bytes: 210, days: 7 });
    expect(weekly.at(-1)).toEqual({ for_day: day(16), median_bytes: 210, days: 14 });
  });
});

describe('late rows', () => {
  let world: DetectionWorld;
  afterEach(() => world.close());

  it('open a closed day again: a silence that was none is taken back', async () => {
    world = await DetectionWorld.open([silent]);
    const client = await world.client('Acme');
    const [one, two] = await world.sims(client, 2);
    await world.usage(
      client,
      [1, 2, 3, 4].flatMap((number) => [{ sim: two!, at: `${day(number)}T08:00`, bytes: 1 }]),
    );
    await world.usage(client, [{ sim: one!, at: `${day(1)}T08:00`, bytes: 1 }]);
    await world.settle();
    expect(world.ledger.standing()).toEqual([`SIM:${one}:silent:FIRED ${day(2)} WARNING`, `SIM:${one}:silent:FIRED ${day(3)} WARNING`]);
    await world.usage(client, [{ sim: one!, at: `${day(2)}T20:00`, bytes: 1 }]);
    await world.settle();
    expect(world.ledger.standing()).toEqual([`SIM:${one}:silent:FIRED ${day(3)} WARNING`]);
  });

  it('leave the same verdicts and baselines in whatever order chunks arrive', async () => {
    const total = tinyDetector('week-total', ['weekBytes'], { window: 'WEEK' }, (at) => ({
      fires: at('weekBytes') >= 700 ? 1 : 0,
      score: at('weekBytes'),
    }));
    const streak = tinyDetector('streak', ['dayBytes'], {}, (at, row) => ({
      fires: at('dayBytes') >= 100 ? (row.consecutiveWindows >= 2 ? 2 : 1) : 0,
    }));
    const detectors = [silent, multiple, total, streak];
    const chunks: UsageSeed[][] = [];
    const outcomes: string[][] = [];
    for (const shuffled of [false, true]) {
      world = await DetectionWorld.open(detectors);
      const client = await world.client('Acme');
      const sims = await world.sims(client, 6);
      if (chunks.length === 0) {
        for (let number = 1; number <= 12; number++) {
          for (const hour of ['02', '11', '19']) {
            chunks.push(
              sims.flatMap((_, index) => {
                if (index === 5 && number > 6) return [];
                return [
                  { sim: String(index), at: `${day(number)}T${hour}:00`, bytes: index === 4 && number % 4 === 3 ? 400 : 10 * (index + 1) },
                ];
              }),
            );
          }
        }
      }
      const order = shuffled ? chunks.map((_, index) => (index * 17 + 5) % chunks.length) : chunks.map((_, index) => index);
      for (const [place, index] of order.entries()) {
        await world.usage(
          client,
          chunks[index]!.map((seed) => ({ ...seed, sim: sims[Number(seed.sim)]! })),
        );
        if (place % 3 === 2) await world.settle();
      }
      const named = (text: string) => sims.reduce((soFar, sim, index) => soFar.replace(`SIM:${sim}:`, `SIM #${index}:`), text);
      const baselines = await world.query<object>(
        'SELECT family, period, for_day, median_bytes, sims, days FROM baseline ORDER BY period, for_day, family',
      );
      outcomes.push([...world.ledger.standing(client).map(named).sort(), ...baselines.map((row) => JSON.stringify(row))]);
      if (!shuffled) await world.close();
    }
    expect(outcomes[0]!.filter((line) => line.startsWith('SIM')).length).toBeGreaterThan(10);
    expect(outcomes[1]).toEqual(outcomes[0]);
  });
});
