/** The outbox: in order per subject, at least once, and nothing forgotten over a crash. */
import { NetworkConnector, type NetworkAnswer, type NetworkEffect, type NetworkOrder } from '../../../src/response/connector';
import {
  enqueue,
  enqueueAll,
  type DeliveryResult,
  type OutboxHandler,
  type OutboxMessage,
  type Settlement,
} from '../../../src/response/outbox';
import { OutboxWorker, type OutboxWorkerOptions } from '../../../src/response/outbox-worker';
import { unblockSims } from '../../../src/response/unblock-sims';
import { testLog } from '../../support/database';
import { World, type Customer } from './world';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());

const nameOf = (message: OutboxMessage): string => (message.payload as { name: string }).name;

/** A receiver that notes what it was sent and answers as it is told. */
class Receiver implements OutboxHandler {
  readonly topic: string;
  readonly sent: { readonly name: string; readonly messageId: string; readonly attempts: number }[] = [];
  readonly ended: string[] = [];
  settleFails = false;

  constructor(
    topic: string,
    private readonly answer: (name: string, attempt: number) => DeliveryResult['outcome'] | Promise<DeliveryResult['outcome']> = () =>
      'DELIVERED',
  ) {
    this.topic = topic;
  }

  async deliver(message: OutboxMessage): Promise<DeliveryResult> {
    const name = nameOf(message);
    this.sent.push({ name, messageId: message.messageId, attempts: message.attempts });
    const outcome = await this.answer(name, message.attempts);
    return outcome === 'DELIVERED' ? { outcome } : { outcome, error: `${name} failed` };
  }

  settled(_: unknown, message: OutboxMessage, settlement: Settlement): Promise<void> {
    if (this.settleFails) return Promise.reject(new Error('the handler is broken'));
    this.ended.push(`${nameOf(message)} ${settlement.state}`);
    return Promise.resolve();
  }
}

function workerOf(receiver: OutboxHandler, options: Partial<OutboxWorkerOptions> = {}): OutboxWorker {
  return new OutboxWorker({
    database: world.storage.database,
    clock: world.clock,
    entropy: world.entropy,
    log: testLog,
    handlers: [receiver],
    ...options,
  });
}

/** `a1 a2 b1`: messages 1 and 2 for subject a, 1 for b. */
function put(customer: Customer, topic: string, names: string): Promise<string[]> {
  return world.write(customer.clientId, (transaction) =>
    enqueueAll(
      transaction,
      world,
      customer.clientId,
      names.split(' ').map((name) => ({
        clientId: customer.clientId,
        orderKey: `${topic}:${name[0]}`,
        topic,
        payload: { name },
        dueAt: world.clock.now(),
      })),
    ),
  );
}

function states(customer: Customer): Promise<{ order_key: string; sequence: string; state: string; attempts: number }[]> {
  return world.query('SELECT order_key, sequence, state, attempts FROM outbox WHERE client_id = $1 ORDER BY order_key, sequence', [
    customer.clientId,
  ]);
}

const names = (receiver: Receiver): string => receiver.sent.map((entry) => entry.name).join(' ');

it("sends each subject's messages in their order", async () => {
  const customer = await world.customer({ sims: 1 });
  const receiver = new Receiver('ordered');
  await put(customer, 'ordered', 'a1 a2 b1');
  await put(customer, 'ordered', 'a3');
  await workerOf(receiver).drain();
  expect(receiver.sent.map((entry) => entry.name).filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
  expect(receiver.ended).toHaveLength(4);
  expect((await states(customer)).map((row) => row.state)).toEqual(['SENT', 'SENT', 'SENT', 'SENT']);
});

it('a failing head holds only its own subject, and is tried again after 1 s, 5 s and 30 s', async () => {
  const customer = await world.customer({ sims: 1 });
  const receiver = new Receiver('failing', (name, attempt) => (name === 'a1' && attempt <= 3 ? 'RETRY' : 'DELIVERED'));
  const worker = workerOf(receiver);
  await put(customer, 'failing', 'a1 a2 b1 b2');
  await worker.drain();
  expect(names(receiver)).toMatch(/^(a1 b1|b1 a1) b2$/);
  for (const [wait, expected] of [
    [700, 1],
    [600, 2],
    [3_900, 2],
    [2_200, 3],
    [23_000, 3],
    [14_000, 4],
  ] as const) {
    world.clock.advance(wait);
    await worker.drain();
    expect(receiver.sent.filter((entry) => entry.name === 'a1')).toHaveLength(expected);
  }
  expect(receiver.sent.at(-1)!.name).toBe('a2');
  expect(new Set(receiver.sent.filter((entry) => entry.name === 'a1').map((entry) => entry.messageId)).size).toBe(1);
});

it('a message that is refused, or failed too often, dies and frees its subject', async () => {
  const customer = await world.customer({ sims: 1 });
  const receiver = new Receiver('dying', (name) => (name === 'a1' ? 'REFUSED' : name === 'b1' ? 'RETRY' : 'DELIVERED'));
  const worker = workerOf(receiver, { maxAttempts: 2 });
  await put(customer, 'dying', 'a1 a2 b1 b2');
  await worker.drain();
  expect(receiver.ended).toEqual(expect.arrayContaining(['a1 DEAD', 'a2 SENT']));
  world.clock.advance(5_000);
  await worker.drain();
  expect(receiver.ended.slice(-2)).toEqual(['b1 DEAD', 'b2 SENT']);
});

it('a handler that breaks while settling neither spins nor holds its subject for ever', async () => {
  const customer = await world.customer({ sims: 1 });
  const receiver = new Receiver('unsettled');
  receiver.settleFails = true;
  const worker = workerOf(receiver, { maxAttempts: 2 });
  await put(customer, 'unsettled', 'a1 a2');
  await worker.drain();
  expect(names(receiver)).toBe('a1');
  world.clock.advance(2_000);
  receiver.settleFails = false;
  await worker.drain();
  expect(receiver.ended).toEqual(['a1 SENT', 'a2 SENT']);
});

it('an answer that takes too long counts as a failure', async () => {
  const customer = await world.customer({ sims: 1 });
  const receiver = new Receiver('slow', (_, attempt) => (attempt === 1 ? new Promise(() => undefined) : 'DELIVERED'));
  const worker = workerOf(receiver, { attemptMilliseconds: 20, leaseMilliseconds: 60 });
  await put(customer, 'slow', 'a1');
  await worker.drain();
  expect((await states(customer))[0]).toMatchObject({ state: 'PENDING', attempts: 1 });
  world.clock.advance(2_000);
  await worker.drain();
  expect(receiver.ended).toEqual(['a1 SENT']);
});

it('an attempt that goes on after its time is waited for: nothing of its subject overtakes it, and its late answer counts', async () => {
  const customer = await world.customer({ sims: 1 });
  let carryOut!: () => void;
  const receiver = new Receiver('deaf', (name) =>
    name === 'a1' ? new Promise((resolve) => (carryOut = () => resolve('DELIVERED'))) : 'DELIVERED',
  );
  const worker = workerOf(receiver, { attemptMilliseconds: 20 });
  const other = workerOf(receiver);
  await put(customer, 'deaf', 'a1');
  const drained = worker.drain();
  await put(customer, 'deaf', 'a2 b1');
  // A message that was claimed later ran out of its time: so did the first.
  await workerOf(new Receiver('later', () => new Promise(() => undefined)), { attemptMilliseconds: 40, leaseMilliseconds: 60 }).drain();
  await other.drain();
  expect(names(receiver)).toBe('a1 b1');
  carryOut();
  await drained;
  await other.drain();
  expect(receiver.ended).toEqual(['b1 SENT', 'a1 SENT', 'a2 SENT']);
  expect(receiver.sent.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
});

it('a worker that is stopped gives up an attempt whose time is over', async () => {
  const customer = await world.customer({ sims: 1 });
  let begun!: () => void;
  const beginning = new Promise<void>((resolve) => (begun = resolve));
  const receiver = new Receiver('stubborn', () => {
    begun();
    return new Promise(() => undefined);
  });
  const worker = workerOf(receiver, { attemptMilliseconds: 20, leaseMilliseconds: 600_000 });
  await put(customer, 'stubborn', 'a1');
  worker.start();
  await beginning;
  await worker.stop();
  expect((await states(customer))[0]).toMatchObject({ state: 'PENDING', attempts: 1 });
});

it("leaves messages of topics that this process can't carry out to others", async () => {
  const customer = await world.customer({ sims: 1 });
  await put(customer, 'unknown', 'a1');
  await workerOf(new Receiver('known')).drain();
  expect((await states(customer))[0]).toMatchObject({ state: 'PENDING', attempts: 0 });
  await workerOf(new Receiver('unknown')).drain();
});

it('several processes share the work: every message goes out once', async () => {
  const customers = await Promise.all([0, 1, 2].map(() => world.customer({ sims: 1 })));
  const receiver = new Receiver('shared', () => new Promise((resolve) => setImmediate(resolve, 'DELIVERED')));
  const wanted = Array.from({ length: 40 }, (_, i) => `${'abcdefgh'[i % 8]}${i}`);
  for (const customer of customers) await put(customer, 'shared', wanted.join(' '));
  await Promise.all([workerOf(receiver), workerOf(receiver), workerOf(receiver)].map((worker) => worker.drain()));
  expect(receiver.ended).toHaveLength(120);
  expect(new Set(receiver.sent.map((entry) => entry.messageId)).size).toBe(receiver.sent.length);
});

it('a running worker sends what was put in without being asked', async () => {
  const customer = await world.customer({ sims: 1 });
  let arrived!: () => void;
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const worker = workerOf(
    new Receiver('live', () => {
      arrived();
      return 'DELIVERED';
    }),
    { pollMilliseconds: 60_000 },
  );
  worker.start();
  await put(customer, 'live', 'a1');
  await arrival;
  await worker.stop();
  expect((await states(customer))[0]!.state).toBe('SENT');
});

it("numbers a subject's messages from one, and a new one after those that are over", async () => {
  const customer = await world.customer({ sims: 1 });
  await put(customer, 'numbered', 'a1 b1 a2');
  await workerOf(new Receiver('numbered')).drain();
  await world.write(customer.clientId, (transaction) =>
    enqueue(transaction, world, {
      clientId: customer.clientId,
      orderKey: 'numbered:a',
      topic: 'numbered',
      payload: { name: 'a3' },
      dueAt: world.clock.now(),
    }),
  );
  expect((await states(customer)).map((row) => `${row.order_key} ${row.sequence}`)).toEqual([
    'numbered:a 1',
    'numbered:a 2',
    'numbered:a 3',
    'numbered:b 1',
  ]);
  await workerOf(new Receiver('numbered')).drain();
});

/** A process that dies after the network took the order and before that was recorded. */
class DyingLine extends NetworkConnector {
  readonly id = 'simulated';
  private died!: () => void;
  readonly death = new Promise<void>((resolve) => {
    this.died = resolve;
  });
  constructor(private readonly network: NetworkConnector) {
    super();
  }
  async apply(order: NetworkOrder, signal: AbortSignal): Promise<NetworkAnswer> {
    await this.network.apply(order, signal);
    this.died();
    return new Promise(() => undefined);
  }
  verify(order: NetworkOrder, signal: AbortSignal): Promise<NetworkEffect> {
    return this.network.verify(order, signal);
  }
}

/** The worker hangs in its send for ever; whatever it does after that, even failing, is no longer part of the story. */
async function killedWhileSending(line: DyingLine): Promise<void> {
  world
    .worker(line)
    .drain()
    .catch(() => undefined);
  await line.death;
}

describe('a process that dies between sending and recording', () => {
  it('leaves a message that the next process sends again under the same id, and the network does once', async () => {
    const customer = await world.customer({ sims: 1 });
    const network = world.network();
    const line = new DyingLine(network);
    await world.ordered(customer, customer.simIds);
    await killedWhileSending(line);
    const next = world.worker(network);
    await next.drain();
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('BLOCKING');
    world.clock.advance(61_000);
    await next.drain();
    expect(network.carriedOut()).toHaveLength(1);
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('BLOCKED');
    const applied = (
      await world.query<{ attempts: number }>(`SELECT attempts FROM outbox WHERE client_id = $1 AND topic = 'network.apply'`, [
        customer.clientId,
      ])
    )[0]!;
    expect(applied.attempts).toBe(2);
  });

  it('does not make a release forget that the network may have the order', async () => {
    const customer = await world.customer({ sims: 1 });
    const network = world.network();
    const line = new DyingLine(network);
    await world.ordered(customer, customer.simIds);
    await killedWhileSending(line);
    await world.write(customer.clientId, (transaction) =>
      unblockSims(transaction, world.person('ana'), { clientId: customer.clientId, simIds: customer.simIds, reason: 'found again' }),
    );
    world.clock.advance(61_000);
    await world.worker(network).drain();
    expect(network.carriedOut().map((order) => order.operation)).toEqual(['BLOCK', 'UNBLOCK']);
    expect(await world.stateOf(customer, customer.simIds[0]!)).toBe('UNBLOCKED');
  });
});
