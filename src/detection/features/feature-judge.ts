/** Judges a closed day's signaling once its features are computed, and again when late dialogues had them computed anew. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { PokedLoop } from '../../database/poked-loop';
import { Clock, Entropy, Log } from '../../runtime';
import type { Day } from '../days';
import { BackOff } from '../evaluation/back-off';
import { ClientTurns } from '../evaluation/client-turns';
import { Evaluator } from '../evaluation/evaluator';
import { recordHealth } from '../evaluation/health';
import { recordRuns } from '../evaluation/runs';
import { VerdictCollector } from '../evaluation/verdict-collector';
import { VerdictCommit } from '../verdicts';

const POLL_MILLISECONDS = 30_000;
/** SIMs judged, and committed, at once. */
const PAGE_SIMS = 2_500;

interface DueDay {
  readonly client_id: number;
  readonly day: Day;
  /** Which state of the day the features are of. */
  readonly changes: string;
}

@singleton()
export class FeatureJudge {
  private readonly loop: PokedLoop;
  private readonly backOff: BackOff;
  private stopping = false;

  constructor(
    private readonly database: Database,
    private readonly turns: ClientTurns,
    private readonly evaluator: Evaluator,
    private readonly verdictCommit: VerdictCommit,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
    log: Log,
  ) {
    this.backOff = new BackOff('feature-judge', clock, log);
    this.loop = new PokedLoop({ name: 'feature-judge', database, pollMilliseconds: POLL_MILLISECONDS, work: () => this.work(), log });
  }

  start(): void {
    this.stopping = false;
    this.loop.start();
  }

  /** A day that is being judged is left between two pages, and judged again from the start by whoever comes next: that changes nothing. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
    this.stopping = false;
  }

  /** Judges every day that is due; throws the first failure, once the other clients had their turn. */
  async drain(): Promise<void> {
    this.backOff.letGo();
    await this.loop.drain();
    this.backOff.throwFirst();
  }

  private async work(): Promise<boolean> {
    const due = await this.database.transaction({ name: 'featureJudge.due', role: 'ingest', readOnly: true }, (tx) =>
      tx.query<DueDay>(
        `SELECT client_id, day, changes FROM feature_day JOIN day_close USING (client_id, day)
          WHERE client_id > 0 AND feature_day.judged_changes IS DISTINCT FROM feature_day.changes ORDER BY day, client_id`,
      ),
    );
    let worked = false;
    for (const each of due) {
      if (this.stopping) return false;
      if (await this.backOff.attempt(each.client_id, () => this.judge(each))) worked = true;
    }
    return worked;
  }

  private async judge({ client_id: clientId, day, changes }: DueDay): Promise<boolean> {
    const startedAt = this.clock.now();
    const collector = new VerdictCollector();
    for (let after: string | null = '0'; after !== null;) {
      if (this.stopping) return false;
      const from: string = after;
      const next = await this.turns.take('evaluation', clientId, async (turn) => {
        const simIds = await this.simsAfter(clientId, day, from);
        const { outcomes, closedThrough } = await this.evaluator.evaluateInput(clientId, day, simIds, 'features');
        collector.add(outcomes);
        const isLast = simIds.length < PAGE_SIMS;
        const verdicts = isLast ? collector.takeLast() : collector.takePage();
        await this.database.transaction({ name: 'featureJudge.raise', role: 'ingest', clientId }, async (tx) => {
          await turn.mustHold(tx);
          await this.verdictCommit.commit(tx, { clientId, closedThrough, ...verdicts });
          if (isLast) await this.finish(tx, { client_id: clientId, day, changes }, collector, startedAt);
        });
        return { after: isLast ? null : simIds.at(-1)! };
      });
      // another process has the client: the day stays due
      if (next === undefined) return false;
      after = next.after;
    }
    return true;
  }

  private simsAfter(clientId: number, day: Day, after: string): Promise<string[]> {
    return this.database.transaction({ name: 'featureJudge.page', role: 'ingest', clientId, readOnly: true }, async (tx) => {
      const rows = await tx.query<{ sim_id: string }>(
        'SELECT sim_id FROM sim_feature_day WHERE client_id = $1 AND day = $2 AND sim_id > $3 ORDER BY sim_id LIMIT $4',
        [clientId, day, after, PAGE_SIMS],
      );
      return rows.map((row) => row.sim_id);
    });
  }

  private async finish(tx: Transaction, due: DueDay, collector: VerdictCollector, startedAt: Date): Promise<void> {
    const { client_id: clientId, day, changes } = due;
    const now = this.clock.now();
    await recordRuns(tx, this.entropy, { clientId, day, trigger: 'DAY_CLOSE', startedAt, finishedAt: now }, collector.runs());
    const forOperator = await recordHealth(tx, clientId, day, collector.runs(), now);
    if (forOperator) await this.verdictCommit.commit(tx, forOperator);
    await tx.query('UPDATE feature_day SET judged_changes = $3 WHERE client_id = $1 AND day = $2', [clientId, day, changes]);
  }
}
