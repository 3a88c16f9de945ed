/** Adds what chunks counted to the quarters of an hour: each part once, since taking it away and adding it are one statement. */
import { singleton } from 'tsyringe';
import { Database } from '../../database/database';
import { PokedLoop } from '../../database/poked-loop';
import { Log } from '../../runtime';
import { partQuarters } from './signaling-parts';

/** How old the quarters may be. */
const POLL_MILLISECONDS = 30_000;
const STATEMENT_TIMEOUT_MILLISECONDS = 120_000;

@singleton()
export class QuarterMerger {
  private readonly loop: PokedLoop;

  constructor(
    private readonly database: Database,
    log: Log,
  ) {
    this.loop = new PokedLoop({
      name: 'signaling quarters',
      database,
      pollMilliseconds: POLL_MILLISECONDS,
      work: () => this.mergeOne(),
      log,
    });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  drain(): Promise<void> {
    return this.loop.drain();
  }

  /** One day, over all clients, since its parts lie together; true where there may be more. */
  private async mergeOne(): Promise<boolean> {
    return this.database.transaction(
      { name: 'dialogues.mergeQuarters', role: 'ingest', statementTimeoutMs: STATEMENT_TIMEOUT_MILLISECONDS },
      async (tx) => {
        const [oldest] = await tx.query<{ day: string }>('SELECT day FROM signaling_part LIMIT 1');
        if (!oldest) return false;
        await tx.query(
          `WITH part AS MATERIALIZED (
             DELETE FROM signaling_part WHERE day = $1::date RETURNING client_id, day, keys, plmns, dialogues
           ), merged AS (
             INSERT INTO signaling_quarter_hour AS kept (client_id, quarter, plmn, procedure, origin, outcome, protocol, dialogues)
             SELECT client_id, quarter, plmn, procedure, origin, outcome, protocol, sum(dialogues)::int8
               FROM (${partQuarters('part')}) AS counted
              GROUP BY client_id, quarter, plmn, procedure, origin, outcome, protocol
              ORDER BY client_id, quarter, plmn, procedure, origin, outcome, protocol
             ON CONFLICT (client_id, quarter, plmn, procedure, origin, outcome, protocol) DO UPDATE SET dialogues = kept.dialogues + EXCLUDED.dialogues
             RETURNING 1 AS written
           ) SELECT count(*)::int4 AS written FROM merged`,
          [oldest.day],
        );
        return true;
      },
    );
  }
}
