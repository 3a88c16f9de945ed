/**
 * What autovacuum does on a server: the embedded database has none, and without statistics its planner joins a fleet of 4,000 SIMs by looking
 * through all of them 4,000 times. Tables are vacuumed and analysed one at a time, when they have grown since; between two, others get the session.
 */
import type { DataSource } from 'typeorm';
import type { Log } from '../../runtime';
import type { EmbeddedSession } from './session';

export interface UpkeepOptions {
  readonly session: EmbeddedSession;
  readonly dataSource: DataSource;
  readonly log: Log;
}

const FIRST_AFTER_MILLISECONDS = 5_000;
const EVERY_MILLISECONDS = 60_000;
const LONGEST_VACUUM_MILLISECONDS = 120_000;

/** Tables that, with their indexes, have over 30 % and 16 pages more than when they were last looked after. */
const GROWN = `SELECT grown.oid::regclass::text AS name FROM pg_class AS grown
  LEFT JOIN pg_index ON pg_index.indrelid = grown.oid
  LEFT JOIN pg_class AS key ON key.oid = pg_index.indexrelid
  WHERE grown.relkind = 'r' AND grown.relnamespace = 'public'::regnamespace
  GROUP BY grown.oid, grown.relpages
  HAVING (pg_relation_size(grown.oid) + coalesce(sum(pg_relation_size(key.oid)), 0)) / 8192
    > 1.3 * (grown.relpages + coalesce(sum(key.relpages), 0)) + 16
  ORDER BY 1`;

export class Upkeep {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly options: UpkeepOptions) {}

  start(): void {
    this.againIn(FIRST_AFTER_MILLISECONDS);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
    await this.running;
  }

  /** Looks after what has grown; answers the names of the tables. */
  async lookAfter(): Promise<string[]> {
    const grown = (await this.inTurn(GROWN)) as { name: string }[];
    const done: string[] = [];
    for (const { name } of grown) {
      if (this.stopped) break;
      // The name comes quoted where it must be.
      await this.inTurn(`VACUUM (ANALYZE) ${name}`);
      done.push(name);
    }
    return done;
  }

  private againIn(milliseconds: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.lookAfter()
        .then(
          (tables) => tables.length > 0 && this.options.log.logger.debug({ tables }, 'tables were vacuumed and analysed'),
          (error: unknown) => this.options.log.logger.warn({ err: error }, 'tables could not be looked after; it is tried again'),
        )
        .then(() => this.againIn(EVERY_MILLISECONDS));
    }, milliseconds).unref();
  }

  private async inTurn(sql: string): Promise<unknown> {
    const { session, dataSource } = this.options;
    const runner = dataSource.createQueryRunner();
    try {
      await runner.connect();
      session.statementBudgetMs = LONGEST_VACUUM_MILLISECONDS;
      return await runner.query(sql);
    } finally {
      await runner.release();
    }
  }
}
