import pino from 'pino';
import { Log } from '../runtime';
import type { Database, PokeChannel } from './database';
import { PokedLoop } from './poked-loop';
import { LocalPokes } from './pokes';

const log: Log = new (class extends Log {
  readonly logger = pino({ level: 'silent' });
})();

/** A worker over pokes alone: portions are released one by one, so a test decides when each ends. */
class Worker {
  readonly pokes = new LocalPokes();
  readonly loop: PokedLoop;
  due = 0;
  done = 0;
  atOnce = 0;
  mostAtOnce = 0;
  failing: Error | null = null;
  private entered: (() => void)[] = [];
  gate: Promise<void> = Promise.resolve();

  constructor(pollMilliseconds = 3_600_000) {
    const database = { onPoke: (channel: PokeChannel, listener: () => void) => this.pokes.on(channel, listener) } as Database;
    this.loop = new PokedLoop({ name: 'test', database, channel: 'outbox', pollMilliseconds, log, work: () => this.work() });
  }

  /** Resolves when a portion of work begins. */
  begins(): Promise<void> {
    return new Promise((resolve) => this.entered.push(resolve));
  }

  poke(due: number): void {
    this.due += due;
    this.pokes.send('outbox');
  }

  private async work(): Promise<boolean> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    for (const resolve of this.entered.splice(0)) resolve();
    await this.gate;
    this.atOnce -= 1;
    if (this.failing) throw this.failing;
    if (this.due === 0) return false;
    this.due -= 1;
    this.done += 1;
    return true;
  }
}

test('drain does everything that is due, without being started', async () => {
  const worker = new Worker();
  worker.due = 5;
  await worker.loop.drain();
  expect(worker.done).toBe(5);
});

test('drain throws what the work throws', async () => {
  const worker = new Worker();
  worker.failing = new Error('the work failed');
  await expect(worker.loop.drain()).rejects.toThrow('the work failed');
});

test('it never runs twice at once, however often it is poked, and misses no poke', async () => {
  const worker = new Worker();
  worker.loop.start();
  for (let round = 0; round < 20; round++) {
    for (let poke = 0; poke < 5; poke++) worker.poke(1);
    await Promise.all([worker.loop.drain(), worker.loop.drain()]);
  }
  expect(worker.done).toBe(100);
  expect(worker.mostAtOnce).toBe(1);
  await worker.loop.stop();
});

test('a poke that comes while it works is seen to afterwards', async () => {
  const worker = new Worker();
  let open = (): void => undefined;
  worker.gate = new Promise((resolve) => (open = resolve));
  const began = worker.begins();
  worker.loop.start();
  await began;
  worker.poke(2);
  open();
  await worker.loop.drain();
  expect(worker.done).toBe(2);
  await worker.loop.stop();
});

test('it looks for work by itself when no poke comes', async () => {
  const worker = new Worker(1);
  worker.loop.start();
  await worker.begins();
  await worker.begins();
  await worker.loop.stop();
  expect(worker.mostAtOnce).toBe(1);
});

test('after a failure it tries again by itself', async () => {
  const worker = new Worker();
  worker.failing = new Error('once');
  worker.due = 1;
  worker.loop.start();
  await worker.begins();
  await worker.begins();
  worker.failing = null;
  await worker.begins();
  await worker.loop.stop();
  expect(worker.done).toBe(1);
});

test('after many failures a poke brings the next try within a second, however many come', async () => {
  jest.useFakeTimers();
  try {
    const worker = new Worker();
    let tries = 0;
    const count = (): unknown => worker.begins().then(() => (tries += 1) && count());
    count();
    worker.failing = new Error('the database is away');
    worker.loop.start();
    await jest.advanceTimersByTimeAsync(60_000);
    const before = tries;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(tries).toBeLessThanOrEqual(before + 1);
    const unpoked = tries;
    worker.failing = null;
    for (let poke = 0; poke < 30; poke++) {
      worker.poke(poke === 0 ? 1 : 0);
      await jest.advanceTimersByTimeAsync(33);
    }
    expect(tries).toBe(unpoked);
    await jest.advanceTimersByTimeAsync(20);
    expect(worker.done).toBe(1);
    await worker.loop.stop();
  } finally {
    jest.useRealTimers();
  }
});

test('a storm of pokes on work that fails is a try a second', async () => {
  jest.useFakeTimers();
  try {
    const worker = new Worker();
    let tries = 0;
    const count = (): unknown => worker.begins().then(() => (tries += 1) && count());
    count();
    worker.failing = new Error('the database is away');
    worker.loop.start();
    await jest.advanceTimersByTimeAsync(60_000);
    const before = tries;
    for (let poke = 0; poke < 200; poke++) {
      worker.poke(0);
      await jest.advanceTimersByTimeAsync(50);
    }
    expect(tries - before).toBeGreaterThanOrEqual(9);
    expect(tries - before).toBeLessThanOrEqual(11);
    await worker.loop.stop();
  } finally {
    jest.useRealTimers();
  }
});

test('stop waits for the portion at work and begins no other', async () => {
  const worker = new Worker();
  worker.due = 10;
  let open = (): void => undefined;
  worker.gate = new Promise((resolve) => (open = resolve));
  const began = worker.begins();
  worker.loop.start();
  await began;
  const stopped = worker.loop.stop();
  open();
  await stopped;
  expect(worker.done).toBe(1);
  worker.poke(1);
  expect(worker.atOnce).toBe(0);
});
