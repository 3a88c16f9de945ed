/** Where the time of a day goes: a database that passes everything on, and turns a stopwatch to the step that each transaction begins or leaves. */
import { Database, type PokeChannel, type Transaction, type TransactionOptions } from '../../../src/database/database';
import { type BackendCpu } from './backend-cpu';

export interface Lap {
  wallSeconds: number;
  cpuSeconds: number;
  /** Of PostgreSQL's own processes that serve this database, where they run on this machine; else 0. */
  databaseCpuSeconds: number;
}

/** What a step is while a transaction of this name runs, and what follows it until the next one. */
const STEPS: Readonly<Record<string, { readonly within: string; readonly after: string }>> = {
  'features.read': { within: 'dialogues_read', after: 'features' },
  'features.store': { within: 'features_and_sums_stored', after: 'features_and_sums_stored' },
  'population.read': { within: 'assignment', after: 'scoring' },
  'population.score': { within: 'scores_stored', after: 'scores_stored' },
  'population.tallies': { within: 'decision', after: 'decision' },
  'population.raise': { within: 'alerts', after: 'alerts' },
};
/** Other transactions of the same work, by the first part of their name. */
const ROOMS: Readonly<Record<string, string>> = { features: 'features', population: 'decision' };
/** Everything that a closed day owes beside: quarters of an hour, evaluations, events, the index of its dialogues. */
export const CLOSING = 'closing';

export class StopwatchDatabase extends Database {
  readonly kind;
  private readonly laps = new Map<string, Lap>();
  private step = CLOSING;
  private wall = performance.now();
  private cpu = process.cpuUsage();
  private databaseCpu: number;

  /** `backends`: whose CPU time is told beside ours. */
  constructor(
    private readonly database: Database,
    private readonly backends: BackendCpu,
  ) {
    super();
    this.databaseCpu = backends.seconds();
    this.kind = database.kind;
  }

  async transaction<T>(options: TransactionOptions, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const room = ROOMS[options.name.split('.')[0]!] ?? CLOSING;
    const { within, after } = STEPS[options.name] ?? { within: room, after: room };
    this.turnTo(within);
    try {
      return await this.database.transaction(options, work);
    } finally {
      this.turnTo(after);
    }
  }

  /** The laps since the last call. */
  take(): Record<string, Lap> {
    this.turnTo(CLOSING);
    const laps = Object.fromEntries(this.laps);
    this.laps.clear();
    return laps;
  }

  onPoke(channel: PokeChannel, listener: () => void): () => void {
    return this.database.onPoke(channel, listener);
  }
  poke(channel: PokeChannel): void {
    this.database.poke(channel);
  }
  ensurePartitions(table: string, days: readonly string[]): Promise<void> {
    return this.database.ensurePartitions(table, days);
  }
  dropPartitions(table: string, before: string): Promise<string[]> {
    return this.database.dropPartitions(table, before);
  }
  close(): Promise<void> {
    return this.database.close();
  }

  private turnTo(step: string): void {
    const wall = performance.now();
    const { user, system } = process.cpuUsage(this.cpu);
    const lap = this.laps.get(this.step) ?? { wallSeconds: 0, cpuSeconds: 0, databaseCpuSeconds: 0 };
    const databaseCpu = this.backends.seconds();
    lap.databaseCpuSeconds += databaseCpu - this.databaseCpu;
    lap.wallSeconds += (wall - this.wall) / 1000;
    lap.cpuSeconds += (user + system) / 1e6;
    this.laps.set(this.step, lap);
    this.step = step;
    this.wall = wall;
    this.databaseCpu = databaseCpu;
    this.cpu = process.cpuUsage();
  }
}
