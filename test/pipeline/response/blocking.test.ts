/** Blocking a SIM in two steps, from the request to the verified effect, and every way it can end otherwise. */
import { BlockMode } from '../../../src/fleet';
import { cancelBlock } from '../../../src/response/cancel-block';
import { requestBlock } from '../../../src/response/request-block';
import { unblockSims } from '../../../src/response/unblock-sims';
import { CancelMovedBlocks } from '../../../src/response/cancel-moved-blocks';
import { World, type Customer } from './world';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());

const MINUTE = 60_000;
const WAITING = `SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()`;

function unblock(customer: Customer, simIds: readonly string[]): ReturnType<typeof unblockSims> {
  return world.write(customer.clientId, (transaction) =>
    unblockSims(transaction, world.person('ana'), { clientId: customer.clientId, simIds, reason: 'found again' }),
  );
}

function cancel(customer: Customer, requestId: string): ReturnType<typeof cancelBlock> {
  return world.write(customer.clientId, (transaction) =>
    cancelBlock(transaction, world.person('ana'), customer.clientId, requestId, 'a mistake'),
  );
}

describe('the two steps', () => {
  it('block a SIM once the network did it and it was seen to be done', async () => {
    const customer = await world.customer({ sims: 3 });
    const [sim] = customer.simIds as [string];
    const network = world.network();
    const worker = world.worker(network);

    const { requestId, impact } = await world.request(customer, [sim]);
    expect(impact).toMatchObject({ simCount: 1, criticalCount: 0, fleets: [{ requestedCount: 1, siblingCount: 2, blockedCount: 0 }] });
    await worker.drain();
    expect(network.carriedOut()).toEqual([]);
    expect(await world.stateOf(customer, sim)).toBe('BLOCK_REQUESTED');

    await world.confirm(customer, requestId!);
    expect(await world.stateOf(customer, sim)).toBe('BLOCKING');
    await worker.drain();
    expect(await world.stateOf(customer, sim)).toBe('BLOCKED');
    expect(network.carriedOut()).toMatchObject([{ simId: sim, operation: 'BLOCK', mode: 'PERMANENT_REJECT' }]);
    expect(await world.requestState(customer, requestId!)).toBe('COMPLETED');
    expect((await world.orders(customer, requestId!))[0]).toMatchObject({ state: 'VERIFIED', verified_at: expect.any(Date) });
    expect(await world.toldStates(customer, sim)).toEqual(['BLOCK_REQUESTED', 'BLOCKING', 'BLOCKED']);

    await unblock(customer, [sim]);
    expect(await world.stateOf(customer, sim)).toBe('UNBLOCKING');
    await worker.drain();
    expect(await world.stateOf(customer, sim)).toBe('UNBLOCKED');
    expect(network.isBlocked(network.carriedOut()[0]!.iccid)).toBe(false);
  });

  it('change nothing in a dry run, which says the same as the request would', async () => {
    const customer = await world.customer({ sims: 2, critical: [0] });
    const dry = await world.request(customer, customer.simIds, { dryRun: true, mode: BlockMode.TEMPORARY_REJECT });
    expect(dry).toMatchObject({
      requestId: null,
      impact: { simCount: 2, criticalCount: 1 },
      secondPersonReason: '1 of the devices is critical',
    });
    expect(dry.impact!.warnings.map((warning) => warning.code).sort()).toEqual(['CRITICAL_DEVICE', 'SIGNALING_STORM', 'WHOLE_FLEET']);
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('UNBLOCKED');
    const real = await world.request(customer, customer.simIds, { mode: BlockMode.TEMPORARY_REJECT });
    expect(real.impact).toEqual(dry.impact);
  });

  it('show what the SIM sent lately and what detectors said', async () => {
    const customer = await world.customer({ sims: 1 });
    const [sim] = customer.simIds as [string];
    await world.query(
      `INSERT INTO usage_sim_hour VALUES ($1, $2, '2026-11-02T09:00Z', 10, 20), ($1, $2, '2026-11-01T09:00Z', 500, 500) RETURNING 1`,
      [customer.clientId, sim],
    );
    await world.query(`INSERT INTO usage_sim_day VALUES ($1, '2026-11-02', $2, NULL, '2026-11-02T09:41Z', 10, 20, 30) RETURNING 1`, [
      customer.clientId,
      sim,
    ]);
    await world.query(
      `INSERT INTO alert (client_id, alert_id, fingerprint, detector_id, kind, subject, subject_id, sim_id, severity, state, title, score, evidence,
         first_window_start, last_window_start, last_window_end, occurrence_count, sequence, created_at, updated_at)
       SELECT $1, ('00000000-0000-7000-8000-00000000000' || n)::uuid, n::text, 'threshold', kind, 'SIM', $2::int8::text, $2, 'CRITICAL', state, '', 1, '[]', now(), now(), now(), 1, 1, now(), now()
       FROM (VALUES (1, 'BREACH', 'OPEN'), (2, 'BREACH', 'ACKNOWLEDGED'), (3, 'WARN', 'RESOLVED')) AS said (n, kind, state) RETURNING 1`,
      [customer.clientId, sim],
    );
    const { impact } = await world.request(customer, [sim], { dryRun: true });
    expect(impact).toMatchObject({
      lastTrafficAt: '2026-11-02T09:41:00.000Z',
      bytesLast24Hours: '30',
      openAlerts: [{ kind: 'BREACH', severity: 'CRITICAL', count: 2 }],
    });
  });

  it('refuse a second request for the same SIM, and say so for that SIM', async () => {
    const customer = await world.customer({ sims: 2 });
    const [first, second] = customer.simIds as [string, string];
    await world.request(customer, [first]);
    const { requestId, results } = await world.request(customer, [first, second]);
    expect(results.map((result) => result.error?.code ?? null)).toEqual(['ILLEGAL_TRANSITION', null]);
    expect((await world.orders(customer, requestId!)).map((order) => order.sim_id)).toEqual([second]);
  });

  it('let only one of two simultaneous requests have the SIM', async () => {
    const customer = await world.customer({ sims: 1 });
    const both = await Promise.all([world.request(customer, customer.simIds), world.request(customer, customer.simIds)]);
    expect(both.map((result) => result.results[0]!.error?.code ?? null).sort()).toEqual(['ILLEGAL_TRANSITION', null]);
    expect(both.filter((result) => result.requestId !== null)).toHaveLength(1);
  });

  it("treat another client's SIM as one that does not exist", async () => {
    const [customer, other] = [await world.customer({ sims: 1 }), await world.customer({ sims: 1 })];
    const foreign = await world.request(customer, other.simIds);
    const missing = await world.request(customer, ['999999999']);
    expect(foreign.results[0]!.error).toEqual(missing.results[0]!.error);
    expect(foreign.results[0]!.error!.code).toBe('NOT_FOUND');
  });
});

describe('a second person', () => {
  it('must confirm for a critical device: two keys of one person are one person', async () => {
    const customer = await world.customer({ sims: 1, critical: [0] });
    const { requestId } = await world.request(customer, customer.simIds, {}, 'ana');
    await expect(world.confirm(customer, requestId!, 'ana')).rejects.toMatchObject({ code: 'SECOND_PERSON_REQUIRED' });
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('BLOCK_REQUESTED');
    await world.confirm(customer, requestId!, 'ben');
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('BLOCKING');
  });

  it('is not made by writing the same name in another way', async () => {
    const customer = await world.customer({ sims: 1, critical: [0] });
    const { requestId } = await world.request(customer, customer.simIds, {}, 'Ana@Example.com');
    await expect(world.confirm(customer, requestId!, ' ana@example.COM')).rejects.toMatchObject({ code: 'SECOND_PERSON_REQUIRED' });
  });

  it('must confirm for many SIMs, and for a device that became critical since', async () => {
    const customer = await world.customer({ sims: 4, secondPersonAbove: 2 });
    const many = await world.request(customer, customer.simIds.slice(0, 3));
    await expect(world.confirm(customer, many.requestId!)).rejects.toThrow(/3 SIMs are hit, more than 2/);
    const one = await world.request(customer, customer.simIds.slice(3));
    await world.query(`UPDATE device SET criticality = 'CRITICAL' WHERE client_id = $1 AND sim_id = $2 RETURNING 1`, [
      customer.clientId,
      customer.simIds[3],
    ]);
    await expect(world.confirm(customer, one.requestId!)).rejects.toMatchObject({ code: 'SECOND_PERSON_REQUIRED' });
  });

  it('is a matter of asking for a detector', async () => {
    const customer = await world.customer({ sims: 1 });
    const { secondPersonReason } = await world.request(customer, customer.simIds, { requestedByDetector: true });
    expect(secondPersonReason).toBe('a detector asked for it');
  });
});

it('a request is confirmed within a day of its preview, or made anew', async () => {
  const customer = await world.customer({ sims: 1 });
  const { requestId } = await world.request(customer, customer.simIds);
  world.clock.advance(24 * 60 * MINUTE + 1);
  await expect(world.confirm(customer, requestId!)).rejects.toThrow('older than a day');
  await cancel(customer, requestId!);
  await world.ordered(customer, customer.simIds);
});

it('a release that waited for a request to be made ends that request with it', async () => {
  const customer = await world.customer({ sims: 1 });
  const [sim] = customer.simIds as [string];
  let releasing!: ReturnType<typeof unblock>;
  const { requestId } = await world.write(customer.clientId, async (transaction) => {
    const requested = await requestBlock(transaction, world.person('ana'), {
      clientId: customer.clientId,
      simIds: [sim],
      mode: BlockMode.PERMANENT_REJECT,
      reason: 'streams video',
      incidentId: null,
      alertId: null,
      restoreAt: null,
      dryRun: false,
      requestedByDetector: false,
    });
    releasing = unblock(customer, [sim]);
    // The embedded database has one session: there the release begins when this ends.
    while (world.storage.url !== null && (await world.query(WAITING)).length === 0);
    return requested;
  });
  await releasing;
  expect(await world.stateOf(customer, sim)).toBe('UNBLOCKED');
  expect(await world.requestState(customer, requestId!)).toBe('CANCELLED');
  await expect(world.confirm(customer, requestId!)).rejects.toMatchObject({ code: 'ILLEGAL_TRANSITION' });
});

describe('the hourly cap', () => {
  it('stops confirmations beyond a tenth of the SIMs until the hour is over', async () => {
    const customer = await world.customer({ sims: 20, percentPerHour: 10 });
    await world.ordered(customer, customer.simIds.slice(0, 2));
    const { requestId, impact } = await world.request(customer, customer.simIds.slice(2, 3));
    expect(impact!.warnings.map((warning) => warning.code)).toContain('CAP_WOULD_BE_PASSED');
    await expect(world.confirm(customer, requestId!)).rejects.toMatchObject({ code: 'BLOCK_CAP_REACHED' });
    world.clock.advance(61 * MINUTE);
    await world.confirm(customer, requestId!);
  });

  it('lets a tiny client block one SIM', async () => {
    const customer = await world.customer({ sims: 3, percentPerHour: 10 });
    await world.ordered(customer, customer.simIds.slice(0, 1));
    await expect(world.ordered(customer, customer.simIds.slice(1, 2))).rejects.toMatchObject({ code: 'BLOCK_CAP_REACHED' });
  });

  it('protects each fleet of a large client', async () => {
    const customer = await world.customer({ sims: 120, fleets: 2, percentPerHour: 10 });
    const ofFirst = customer.simIds.filter((_, i) => i % 2 === 0);
    await expect(world.ordered(customer, ofFirst.slice(0, 7))).rejects.toThrow(/cap of 6 SIMs of this fleet/);
    await world.ordered(customer, ofFirst.slice(10, 16));
  });

  it('holds when two confirmations come at once', async () => {
    const customer = await world.customer({ sims: 10, percentPerHour: 10 });
    const requests = await Promise.all([0, 1].map((i) => world.request(customer, customer.simIds.slice(i, i + 1))));
    const outcomes = await Promise.allSettled(requests.map((request) => world.confirm(customer, request.requestId!)));
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('of 0 percent forbids every block', async () => {
    const customer = await world.customer({ sims: 200, percentPerHour: 0 });
    await expect(world.ordered(customer, customer.simIds.slice(0, 1))).rejects.toMatchObject({ code: 'BLOCK_CAP_REACHED' });
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('BLOCK_REQUESTED');
  });

  it('counts what the network had heard of, also when it was released before its effect was seen', async () => {
    const customer = await world.customer({ sims: 10, percentPerHour: 10 });
    const [sim] = customer.simIds as [string];
    const network = world.network({ looksUntilEffect: 1 });
    const worker = world.worker(network);
    const requestId = await world.ordered(customer, [sim]);
    await worker.drain();
    expect(await world.stateOf(customer, sim)).toBe('BLOCKING');
    await unblock(customer, [sim]);
    expect(await world.orders(customer, requestId)).toMatchObject([{ state: 'CANCELLED', error_code: 'OVERTAKEN' }]);
    expect(await world.requestState(customer, requestId)).toBe('CANCELLED');
    await expect(world.ordered(customer, customer.simIds.slice(1, 2))).rejects.toMatchObject({ code: 'BLOCK_CAP_REACHED' });
  });

  it('does not count what was called off', async () => {
    const customer = await world.customer({ sims: 10, percentPerHour: 10 });
    await cancel(customer, await world.ordered(customer, customer.simIds.slice(0, 1)));
    await world.ordered(customer, customer.simIds.slice(1, 2));
  });
});

describe('when the network does not do as it is told', () => {
  it('a refusal fails that SIM only, and shows on it', async () => {
    const customer = await world.customer({ sims: 2 });
    const [good, bad] = customer.simIds as [string, string];
    const requestId = await world.ordered(customer, [good, bad]);
    await world.worker(world.network({ answer: (order) => (order.simId === bad ? 'REFUSED' : 'DONE') })).drain();
    expect([await world.stateOf(customer, good), await world.stateOf(customer, bad)]).toEqual(['BLOCKED', 'BLOCK_FAILED']);
    expect(await world.requestState(customer, requestId)).toBe('FAILED');
    expect(await world.orders(customer, requestId)).toMatchObject([
      { sim_id: good, state: 'VERIFIED', error: null },
      { sim_id: bad, state: 'FAILED', error_code: 'REFUSED', error: 'the simulated network refused' },
    ]);
    await world.ordered(customer, [bad]);
    expect(await world.stateOf(customer, bad)).toBe('BLOCKING');
  });

  it('the opposite effect is never called blocked', async () => {
    const customer = await world.customer({ sims: 1 });
    const requestId = await world.ordered(customer, customer.simIds);
    await world.worker(world.network({ contradicts: () => true })).drain();
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('BLOCK_FAILED');
    expect(await world.orders(customer, requestId)).toMatchObject([{ state: 'FAILED', error_code: 'CONTRADICTED' }]);
  });

  it('an effect that comes late is waited for', async () => {
    const customer = await world.customer({ sims: 1 });
    await world.ordered(customer, customer.simIds);
    const worker = world.worker(world.network({ looksUntilEffect: 2 }));
    for (const seconds of [0, 2, 7]) {
      world.clock.advance(seconds * 1000);
      expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('BLOCKING');
      await worker.drain();
    }
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('BLOCKED');
  });

  it('a release that the network refuses leaves the SIM blocked', async () => {
    const customer = await world.customer({ sims: 1 });
    const worker = world.worker(world.network({ answer: (order) => (order.operation === 'UNBLOCK' ? 'REFUSED' : 'DONE') }));
    await world.ordered(customer, customer.simIds);
    await worker.drain();
    await unblock(customer, customer.simIds);
    await worker.drain();
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('BLOCKED');
  });
});

describe('calling a block off', () => {
  it('ends an unconfirmed request and frees its SIMs', async () => {
    const customer = await world.customer({ sims: 2 });
    const { requestId } = await world.request(customer, customer.simIds);
    await cancel(customer, requestId!);
    expect(await world.requestState(customer, requestId!)).toBe('CANCELLED');
    expect(await world.stateOf(customer, customer.simIds[1]!)).toBe('UNBLOCKED');
    await expect(world.confirm(customer, requestId!)).rejects.toMatchObject({ code: 'ILLEGAL_TRANSITION' });
  });

  it.each(['cancelBlock', 'unblockSim'] as const)('by %s takes back a confirmed block that the network never heard of', async (way) => {
    const customer = await world.customer({ sims: 1 });
    const requestId = await world.ordered(customer, customer.simIds);
    if (way === 'cancelBlock') await cancel(customer, requestId);
    else await unblock(customer, customer.simIds);
    const network = world.network();
    await world.worker(network).drain();
    expect(network.carriedOut()).toEqual([]);
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('UNBLOCKED');
    expect(await world.requestState(customer, requestId)).toBe('CANCELLED');
    expect(await world.toldStates(customer, customer.simIds[0]!)).toEqual(['BLOCK_REQUESTED', 'BLOCKING', 'UNBLOCKED']);
  });

  it('undoes a block that may have reached the network, in order', async () => {
    const customer = await world.customer({ sims: 1 });
    const requestId = await world.ordered(customer, customer.simIds);
    const network = world.network({ answer: (order, attempt) => (order.operation === 'BLOCK' && attempt === 1 ? 'RETRY' : 'DONE') });
    const worker = world.worker(network);
    await worker.drain();
    await expect(cancel(customer, requestId)).rejects.toMatchObject({ code: 'ILLEGAL_TRANSITION' });
    await unblock(customer, customer.simIds);
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('UNBLOCKING');
    world.clock.advance(MINUTE);
    await worker.drain();
    expect(network.carriedOut().map((order) => order.operation)).toEqual(['UNBLOCK']);
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('UNBLOCKED');
    expect(await world.requestState(customer, requestId)).toBe('CANCELLED');
  });

  it('refuses to unblock what is not blocked', async () => {
    const customer = await world.customer({ sims: 1 });
    const { results } = await unblock(customer, customer.simIds);
    expect(results[0]!.error!.code).toBe('ILLEGAL_TRANSITION');
  });
});

describe('a time to restore', () => {
  it('gives the SIM back when it has come, and no earlier', async () => {
    const customer = await world.customer({ sims: 1 });
    const worker = world.worker(world.network());
    await world.ordered(customer, customer.simIds, { restoreAt: new Date(world.clock.now().getTime() + 30 * MINUTE) });
    await worker.drain();
    world.clock.advance(29 * MINUTE);
    await worker.drain();
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('BLOCKED');
    world.clock.advance(2 * MINUTE);
    await worker.drain();
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('UNBLOCKED');
  });

  it('leaves a later block of the SIM alone', async () => {
    const customer = await world.customer({ sims: 1 });
    const worker = world.worker(world.network());
    await world.ordered(customer, customer.simIds, { restoreAt: new Date(world.clock.now().getTime() + 30 * MINUTE) });
    await worker.drain();
    await unblock(customer, customer.simIds);
    await worker.drain();
    await world.ordered(customer, customer.simIds);
    await worker.drain();
    world.clock.advance(31 * MINUTE);
    await worker.drain();
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('BLOCKED');
  });

  it('must lie ahead', async () => {
    const customer = await world.customer({ sims: 1 });
    await expect(world.request(customer, customer.simIds, { restoreAt: world.clock.now() })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      path: ['restoreAt'],
    });
  });
});

it('a moved SIM leaves its pending block behind, and takes along what the network holds', async () => {
  const customer = await world.customer({ sims: 4 });
  const [asked, confirmed, blocked, untouched] = customer.simIds as [string, string, string, string];
  await world.ordered(customer, [blocked]);
  await world.worker(world.network()).drain();
  const pending = [(await world.request(customer, [asked])).requestId!, await world.ordered(customer, [confirmed])];
  const listener = new CancelMovedBlocks(world.clock, world.entropy);
  for (const simId of customer.simIds) {
    await world.storage.database.transaction({ name: 'test.move', role: 'operator', clientId: customer.clientId }, (transaction) =>
      listener.simMoved(transaction, {
        clientId: customer.clientId,
        simId,
        at: world.clock.now(),
        by: { name: 'operator', person: 'olga' },
      }),
    );
  }
  expect(await Promise.all(pending.map((requestId) => world.requestState(customer, requestId)))).toEqual(['CANCELLED', 'CANCELLED']);
  const network = world.network();
  await world.worker(network).drain();
  expect(network.carriedOut()).toEqual([]);
  expect(await Promise.all([asked, confirmed, blocked, untouched].map((simId) => world.stateOf(customer, simId)))).toEqual([
    'UNBLOCKED',
    'UNBLOCKED',
    'BLOCKED',
    'UNBLOCKED',
  ]);
});

it('a time to restore ends with a move, and the log of who set it says so: the new owner decides', async () => {
  const customer = await world.customer({ sims: 2 });
  const [moved, kept] = customer.simIds as [string, string];
  const restoreAt = new Date(world.clock.now().getTime() + 30 * MINUTE);
  const request = await world.ordered(customer, customer.simIds, { restoreAt });
  const network = world.network();
  await world.worker(network).drain();
  await world.storage.database.transaction({ name: 'test.move', role: 'operator', clientId: customer.clientId }, async (transaction) => {
    const at = world.clock.now();
    const by = { name: 'operator', person: 'olga' };
    await new CancelMovedBlocks(world.clock, world.entropy).simMoved(transaction, { clientId: customer.clientId, simId: moved, at, by });
    await transaction.query('UPDATE sim SET closed_at = $3 WHERE client_id = $1 AND sim_id = $2', [customer.clientId, moved, at]);
  });
  expect(
    await world.query(`SELECT person, subject, detail FROM audit_log WHERE client_id = $1 AND action = 'callOffRestore'`, [
      customer.clientId,
    ]),
  ).toEqual([{ person: 'olga', subject: `Sim:${moved}`, detail: { request, restoreAt: restoreAt.toISOString() } }]);
  world.clock.advance(31 * MINUTE);
  await world.worker(network).drain();
  expect(await world.stateOf(customer, kept)).toBe('UNBLOCKED');
  expect(await world.stateOf(customer, moved)).toBe('BLOCKED');
});

it('every step of a block is in the audit log with its person', async () => {
  const customer = await world.customer({ sims: 1, critical: [0] });
  const { requestId } = await world.request(customer, customer.simIds, {}, 'ana');
  await world.confirm(customer, requestId!, 'ben');
  await world.worker(world.network()).drain();
  await unblock(customer, customer.simIds);
  const rows = await world.query<{ action: string; person: string }>(
    'SELECT action, person FROM audit_log WHERE client_id = $1 ORDER BY audit_id',
    [customer.clientId],
  );
  expect(rows.map((row) => `${row.action} ${row.person}`)).toEqual([
    'requestBlock ana',
    'confirmBlock ben',
    'verifyBlock network',
    'unblockSim ana',
  ]);
});
