/** Many people, several processes and a network that fails, all at once: what is shown and what the network does never part. */
import { seededRandom } from '../../../src/detector/numeric';
import { SimwardenError } from '../../../src/errors';
import { cancelBlock } from '../../../src/response/cancel-block';
import { unblockSims } from '../../../src/response/unblock-sims';
import { World } from './world';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());

it.each([1, 2, 3])('(seed %i) every SIM ends settled, as the network has it, with an unbroken chain of steps', async (seed) => {
  const random = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const customer = await world.customer({ sims: 6 });
  const { clientId } = customer;
  const network = world.network({
    answer: (order) => (random() < 0.3 ? 'RETRY' : order.operation === 'BLOCK' && random() < 0.1 ? 'REFUSED' : 'DONE'),
    looksUntilEffect: 1,
  });
  const workers = [world.worker(network), world.worker(network)];
  const requests: string[] = [];

  const acts = [
    async () => {
      const { requestId } = await world.request(
        customer,
        [pick(customer.simIds), pick(customer.simIds)].filter((id, i, all) => all.indexOf(id) === i),
      );
      if (requestId) requests.push(requestId);
    },
    async () => {
      if (requests.length > 0) await world.confirm(customer, pick(requests));
    },
    async () => {
      if (requests.length > 0) await world.confirm(customer, requests.at(-1)!);
    },
    async () => {
      if (requests.length > 0)
        await world.write(clientId, (transaction) => cancelBlock(transaction, world.person('ana'), clientId, pick(requests), 'r'));
    },
    async () => {
      await world.write(clientId, (transaction) =>
        unblockSims(transaction, world.person('ben'), { clientId, simIds: [pick(customer.simIds)], reason: 'r' }),
      );
    },
    async () => {
      await pick(workers).drain();
    },
  ];
  const refused = new Set<string>();
  for (let round = 0; round < 12; round++) {
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => pick(acts)()));
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      if (!(outcome.reason instanceof SimwardenError)) throw outcome.reason;
      refused.add(outcome.reason.code);
    }
    world.clock.advance(random() * 20_000);
  }
  expect([...refused].filter((code) => code !== 'ILLEGAL_TRANSITION')).toEqual([]);
  for (let hour = 0; hour < 30; hour++) {
    for (const worker of workers) await worker.drain();
    world.clock.advance(1_800_000);
  }

  const sims = await world.query<{ sim_id: string; iccid: string; block_state: string; block_sequence: number }>(
    'SELECT sim_id, iccid, block_state, block_sequence FROM sim WHERE client_id = $1',
    [clientId],
  );
  for (const sim of sims) {
    expect(['UNBLOCKED', 'BLOCK_REQUESTED', 'BLOCKED', 'BLOCK_FAILED']).toContain(sim.block_state);
    expect(`${sim.sim_id} blocked ${network.isBlocked(sim.iccid)}`).toBe(`${sim.sim_id} blocked ${sim.block_state === 'BLOCKED'}`);
    const steps = await world.toldSteps(customer, sim.sim_id);
    expect(steps).toHaveLength(sim.block_sequence);
    steps.forEach((step, i) => expect(step.from_state).toBe(i === 0 ? 'UNBLOCKED' : steps[i - 1]!.to_state));
  }
  const [open] = await world.query<{ messages: number; orders: number }>(
    `SELECT (SELECT count(*) FROM outbox WHERE client_id = $1 AND state = 'PENDING')::int4 AS messages,
       (SELECT count(*) FROM block_request_sim WHERE client_id = $1 AND state IN ('CONFIRMED', 'CARRIED_OUT'))::int4 AS orders`,
    [clientId],
  );
  expect(open).toEqual({ messages: 0, orders: 0 });
});
