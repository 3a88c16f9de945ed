/** A whole server in a process of its own, which can be told to die at a commit: run by server.ts. */
import { createApp } from '../../src/app';
import { Config } from '../../src/config';
import type { Database, Transaction, TransactionOptions } from '../../src/database/database';
import { openDatabase } from '../../src/database/open';
import { Clock } from '../../src/runtime';
import { testLog } from './database';

export interface ProcessOptions {
  /** PostgreSQL, or null for the embedded database in `dataDirectory`. */
  readonly databaseUrl: string | null;
  readonly dataDirectory: string | null;
  readonly operatorKey: string;
  /** Where its clock stands at the start (RFC 3339); from there it runs. */
  readonly startsAt: string;
  /** How many times as fast as the real one; default 1. */
  readonly clockRate?: number;
}

/** The n-th commit (from 1) of a transaction that wrote something, after this was said. */
export interface KillPoint {
  readonly when: 'before' | 'after';
  readonly commit: number;
}

export type Order = { readonly do: 'watch'; readonly killAt: KillPoint | null } | { readonly do: 'settle' | 'close' };
export type Word =
  | { readonly is: 'listening'; readonly url: string }
  | { readonly is: 'committed'; readonly name: string }
  | { readonly is: 'done'; readonly order: Order['do'] }
  | { readonly is: 'failed'; readonly error: string };

class RunningClock extends Clock {
  private readonly started = performance.now();
  constructor(
    private readonly from: number,
    private readonly rate: number,
  ) {
    super();
  }
  now(): Date {
    return new Date(this.from + this.rate * (performance.now() - this.started));
  }
}

const writing = /\b(INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\b/i;

/** Counts commits of transactions that wrote, since only these leave something behind; kills the process on the side of the commit that was asked for. */
class Watch {
  private killAt: KillPoint | null = null;
  private commits = 0;
  private watching = false;

  begin(killAt: KillPoint | null): void {
    Object.assign(this, { killAt, commits: 0, watching: true });
  }

  over(database: Database): Database {
    return replaced(database, 'transaction', <T>(options: TransactionOptions, work: (tx: Transaction) => Promise<T>) =>
      database.transaction(options, async (tx) => {
        let wrote = false;
        // the first thing after the commit, before anybody is poked
        tx.afterCommit(() => wrote && this.committed(options.name));
        const result = await work(
          replaced(tx, 'query', (sql: string, parameters?: readonly unknown[]) => {
            wrote ||= writing.test(sql);
            return tx.query(sql, parameters);
          }),
        );
        if (wrote && this.isNext('before')) die();
        return result;
      }),
    );
  }

  private committed(name: string): void {
    if (!this.watching) return;
    if (this.isNext('after')) die();
    this.commits += 1;
    say({ is: 'committed', name });
  }

  private isNext(when: KillPoint['when']): boolean {
    return this.watching && this.killAt?.when === when && this.killAt.commit === this.commits + 1;
  }
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

function replaced<Target extends object>(target: Target, name: keyof Target, replacement: unknown): Target {
  return new Proxy(target, {
    get(_, property) {
      if (property === name) return replacement;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function say(word: Word): void {
  process.send!(word);
}

async function main(options: ProcessOptions): Promise<void> {
  const watch = new Watch();
  const database = await openDatabase({
    url: options.databaseUrl,
    ...(options.dataDirectory === null ? {} : { dataDirectory: options.dataDirectory }),
    entities: [],
    log: testLog,
    poolSize: 8,
  });
  const app = await createApp({
    config: new Config({ port: 0, operatorKey: options.operatorKey, environment: 'test', requestsPerMinute: 1_000_000 }),
    clock: new RunningClock(Date.parse(options.startsAt), options.clockRate ?? 1),
    log: testLog,
    database: watch.over(database),
  });
  const orders: Record<Order['do'], (order: Order) => Promise<void>> = {
    watch: (order) => Promise.resolve(watch.begin((order as Extract<Order, { do: 'watch' }>).killAt)),
    settle: () => app.settle(),
    close: async () => {
      await app.close();
      await database.close();
    },
  };
  process.on('message', (order: Order) => {
    orders[order.do](order).then(
      () => say({ is: 'done', order: order.do }),
      (error: unknown) => say({ is: 'failed', error: String(error) }),
    );
  });
  // the test that started it is gone
  process.on('disconnect', () => process.exit(1));
  say({ is: 'listening', url: app.url });
}

main(JSON.parse(process.argv[2]!) as ProcessOptions).catch((error: unknown) => {
  say({ is: 'failed', error: String(error) });
  process.exitCode = 1;
});
