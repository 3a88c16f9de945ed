/** The stream: from a chunk's work to verdicts, whatever fails on the way. */
import type { Detector } from '../../../src/detector';
import { DetectionWorld, tinyDetector } from './support';

const over100 = tinyDetector('over-100', ['dayBytes'], {}, (at) => ({
  fires: at('dayBytes') > 200 ? 2 : at('dayBytes') > 100 ? 1 : 0,
  score: at('dayBytes'),
}));
const broken: Detector = {
  ...tinyDetector('broken', ['dayBytes'], {}, () => ({ fires: 0 })),
  detect: () => {
    throw new Error('no such luck');
  },
};
const garbage: Detector = {
  ...tinyDetector('garbage', ['dayBytes'], {}, () => ({ fires: 0 })),
  detect: () => ({ scores: new Float64Array(1000), fires: new Uint8Array(1000) }),
};

describe('evaluation of what a chunk touched', () => {
  let world: DetectionWorld;
  afterEach(() => world.close());

  it('judges the touched SIMs on their running total and removes the work', async () => {
    world = await DetectionWorld.open([over100]);
    const client = await world.client('Acme');
    const [one, two] = await world.sims(client, 2);
    await world.usage(client, [
      { sim: one!, at: '2026-11-01T08:00', bytes: 60 },
      { sim: two!, at: '2026-11-01T08:00', bytes: 60 },
    ]);
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual([]);
    await world.usage(client, [{ sim: one!, at: '2026-11-01T09:00', bytes: 60 }]);
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual([`SIM:${one}:over-100:FIRED 2026-11-01 WARNING`]);
    await world.usage(client, [{ sim: one!, at: '2026-11-01T10:00', bytes: 100 }]);
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual([`SIM:${one}:over-100:FIRED 2026-11-01 CRITICAL`]);
    expect(world.ledger.find('FIRED')[0]).toMatchObject({ score: 220, simId: one, evidence: [{ text: 'because' }] });
    expect(await world.query('SELECT 1 AS left_over FROM evaluation_queue')).toEqual([]);
  });

  it('goes on with the other detectors when one throws or answers garbage, and records it on its run', async () => {
    world = await DetectionWorld.open([broken, garbage, over100]);
    const client = await world.client('Acme');
    const [sim] = await world.sims(client, 1);
    await world.usage(client, [{ sim: sim!, at: '2026-11-01T08:00', bytes: 150 }]);
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual([`SIM:${sim}:over-100:FIRED 2026-11-01 WARNING`]);
    expect(await world.query('SELECT detector_id, state, hits, error FROM detection_run ORDER BY detector_id')).toEqual([
      { detector_id: 'broken', state: 'FAILED', hits: '0', error: 'Error: no such luck' },
      {
        detector_id: 'garbage',
        state: 'FAILED',
        hits: '0',
        error: 'Error: expected scores as a Float64Array of 1, got Float64Array of 1000',
      },
      { detector_id: 'over-100', state: 'SUCCEEDED', hits: '1', error: null },
    ]);
  });

  it('switches a detector off after three failures in a row, tells the operator, and clears that once it is configured again and works', async () => {
    let works = false;
    const flaky: Detector = {
      ...over100,
      meta: { ...over100.meta, id: 'flaky' },
      detect: (input, context) => {
        if (!works) throw new Error('down');
        return over100.detect(input, context);
      },
    };
    world = await DetectionWorld.open([flaky]);
    const client = await world.client('Acme');
    const [sim] = await world.sims(client, 1);
    const record = async (at: string) => {
      await world.usage(client, [{ sim: sim!, at, bytes: 150 }]);
      await world.worker().drain();
      world.clock.advance(60_000);
    };
    for (const at of ['2026-11-01T08:00', '2026-11-01T09:00']) await record(at);
    expect(world.ledger.standing()).toEqual([]);
    await record('2026-11-01T10:00');
    expect(world.ledger.standing()).toEqual([`CLIENT:${client}:flaky:DETECTOR_FAILED 2026-11-01 CRITICAL`]);
    expect(world.ledger.find('DETECTOR_FAILED')[0]).toMatchObject({ clientId: 0 });
    works = true;
    await record('2026-11-01T11:00');
    expect(world.ledger.standing()).toHaveLength(1);
    await world.query(`INSERT INTO detector_configuration VALUES ($1, 'flaky', 'CLIENT', '', 'ENABLED', '{}', $2, 'somebody')`, [
      client,
      world.clock.now(),
    ]);
    await record('2026-11-01T12:00');
    expect(world.ledger.standing()).toEqual([`SIM:${sim}:flaky:FIRED 2026-11-01 CRITICAL`]);
  });

  it('loses nothing when the process dies between detect and commit', async () => {
    world = await DetectionWorld.open([over100]);
    const client = await world.client('Acme');
    const other = await world.client('Other');
    const [sim] = await world.sims(client, 1);
    const [otherSim] = await world.sims(other, 1);
    await world.usage(client, [{ sim: sim!, at: '2026-11-01T08:00', bytes: 150 }]);
    await world.usage(other, [{ sim: otherSim!, at: '2026-11-01T08:00', bytes: 150 }]);
    world.ledger.failWith = new Error('killed');
    await expect(world.worker().drain()).rejects.toThrow('killed');
    expect(world.ledger.standing()).toEqual([]);
    expect(await world.query('SELECT run_id FROM detection_run')).toEqual([]);
    expect(await world.query('SELECT queue_id FROM evaluation_queue')).toHaveLength(2);
    world.ledger.failWith = null;
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual(
      [`SIM:${otherSim}:over-100:FIRED 2026-11-01 WARNING`, `SIM:${sim}:over-100:FIRED 2026-11-01 WARNING`].sort(),
    );
  });

  it("goes on with the client's other work when one piece of it fails by itself, and with that one once it can be done", async () => {
    world = await DetectionWorld.open([over100]);
    const client = await world.client('Acme');
    const [bad, good] = await world.sims(client, 2);
    await world.usage(client, [{ sim: bad!, at: '2026-11-01T08:00', bytes: 150 }]);
    world.clock.advance(1);
    await world.usage(client, [{ sim: good!, at: '2026-11-01T08:00', bytes: 150 }]);
    const stands = (sim: string) => world.ledger.standing().includes(`SIM:${sim}:over-100:FIRED 2026-11-01 WARNING`);
    world.ledger.failOn = ({ judged }) =>
      judged.some(({ subjectIds }) => subjectIds.includes(bad!)) ? new Error('it fails whenever it is tried') : null;
    for (let tries = 0; !stands(good!); tries++) {
      expect(tries).toBeLessThan(5);
      await expect(world.worker().drain()).rejects.toThrow('it fails whenever it is tried');
    }
    expect(stands(bad!)).toBe(false);
    expect(await world.query('SELECT queue_id FROM evaluation_queue')).toHaveLength(1);
    world.ledger.failOn = () => null;
    await world.worker().drain();
    expect([stands(good!), stands(bad!)]).toEqual([true, true]);
  });

  it("tells one client's verdicts while another's evaluation takes its time", async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const slow: Detector = {
      ...over100,
      async detect(input, context) {
        if (input.columns.dayBytes[0]! > 200) await gate;
        return over100.detect(input, context);
      },
    };
    world = await DetectionWorld.open([slow]);
    const large = await world.client('Large');
    const small = await world.client('Small');
    const [one] = await world.sims(large, 1);
    const [two] = await world.sims(small, 1);
    await world.usage(large, [{ sim: one!, at: '2026-11-01T08:00', bytes: 900 }]);
    world.clock.advance(1);
    await world.usage(small, [{ sim: two!, at: '2026-11-01T08:00', bytes: 150 }]);
    const told = new Promise<void>((resolve) => {
      world.ledger.failOn = ({ clientId }) => {
        if (clientId === small) setImmediate(resolve);
        return null;
      };
    });
    const drained = world.worker().drain();
    await told;
    open();
    await drained;
    expect(world.ledger.standing()).toEqual(
      [`SIM:${one}:over-100:FIRED 2026-11-01 CRITICAL`, `SIM:${two}:over-100:FIRED 2026-11-01 WARNING`].sort(),
    );
  });

  it('drops the verdicts of a process that lost its turn', async () => {
    let takeOver = (): Promise<void> => Promise.resolve();
    const slow: Detector = {
      ...over100,
      async detect(input, context) {
        await takeOver();
        return over100.detect(input, context);
      },
    };
    world = await DetectionWorld.open([slow]);
    const client = await world.client('Acme');
    const [sim] = await world.sims(client, 1);
    await world.usage(client, [{ sim: sim!, at: '2026-11-01T08:00', bytes: 150 }]);
    takeOver = async () => {
      await world.query('UPDATE lease SET holder = $2 WHERE name = $1', [`evaluation:${client}`, '00000000-0000-0000-0000-000000000001']);
    };
    await expect(world.worker().drain()).rejects.toThrow('taken by another process');
    expect(world.ledger.standing()).toEqual([]);
    expect(await world.query('SELECT queue_id FROM evaluation_queue')).toHaveLength(1);
    takeOver = () => Promise.resolve();
    // The other process died: its lease runs out.
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual([]);
    world.clock.advance(61_000);
    await world.worker().drain();
    expect(world.ledger.standing()).toHaveLength(1);
  });

  it("counts a shadowed detector's hits and raises nothing; a SIM's own configuration wins over its fleet's and its client's", async () => {
    world = await DetectionWorld.open([over100]);
    const client = await world.client('Acme');
    const fleet = await world.fleet(client, 'North');
    const sims = await world.sims(client, 3, { fleet });
    const configure = (scope: string, id: string, mode: string) =>
      world.query(`INSERT INTO detector_configuration VALUES ($1, 'over-100', $2, $3, $4, '{}', $5, 'somebody')`, [
        client,
        scope,
        id,
        mode,
        world.clock.now(),
      ]);
    await configure('CLIENT', '', 'DISABLED');
    await configure('FLEET', fleet, 'SHADOW');
    await configure('SIM', sims[1]!, 'ENABLED');
    await world.usage(
      client,
      sims.map((sim) => ({ sim, at: '2026-11-01T08:00', bytes: 150 })),
    );
    await world.worker().drain();
    expect(world.ledger.standing()).toEqual([`SIM:${sims[1]}:over-100:FIRED 2026-11-01 WARNING`]);
    expect(await world.query('SELECT rows_evaluated, hits FROM detection_run')).toEqual([{ rows_evaluated: '3', hits: '3' }]);
  });

  it('abstaining neither raises nor clears', async () => {
    let abstains = false;
    world = await DetectionWorld.open([tinyDetector('moody', ['dayBytes'], {}, () => (abstains ? { abstains: 'no idea' } : { fires: 1 }))]);
    const client = await world.client('Acme');
    const [sim] = await world.sims(client, 1);
    await world.usage(client, [{ sim: sim!, at: '2026-11-01T08:00', bytes: 1 }]);
    await world.worker().drain();
    abstains = true;
    await world.usage(client, [{ sim: sim!, at: '2026-11-01T09:00', bytes: 1 }]);
    await world.worker().drain();
    expect(world.ledger.standing()).toHaveLength(1);
    expect(await world.query('SELECT rows_evaluated, rows_abstained FROM detection_run')).toEqual([
      { rows_evaluated: '2', rows_abstained: '1' },
    ]);
  });

  it('judges every SIM of a client again when a setting changed', async () => {
    let limit = 1000;
    world = await DetectionWorld.open([tinyDetector('limit', ['dayBytes'], {}, (at) => ({ fires: at('dayBytes') > limit ? 1 : 0 }))]);
    const client = await world.client('Acme');
    const sims = await world.sims(client, 3);
    await world.usage(
      client,
      sims.map((sim) => ({ sim, at: '2026-11-01T08:00', bytes: 150 })),
    );
    await world.worker().drain();
    limit = 100;
    await world.write((tx) => world.requests().settingsChanged(tx, client, 'ALL'));
    await world.worker().drain();
    expect(world.ledger.standing()).toHaveLength(3);
  });
});
