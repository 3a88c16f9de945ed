/** How much of a client's devices may be blocked within an hour. */
import { cancelBlock } from '../../../src/response/cancel-block';
import { unblockSims } from '../../../src/response/unblock-sims';
import { World, type Customer } from './world';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());

const MINUTE = 60_000;

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
