/** The stream: judges the SIMs that a chunk touched, and removes the work in the transaction that stores the verdicts. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { PokedLoop } from '../../database/poked-loop';
import { Clock, Entropy, Log } from '../../runtime';
import { closeBackTo, markLate } from '../close/day-marks';
import { VerdictCommit } from '../verdicts';
import { BackOff } from './back-off';
import { ClientTurns, TurnLostError, type Turn } from './client-turns';
import { Evaluator } from './evaluator';
import { recordHealth } from './health';
import { planPortion, type Portion } from './portion';
import { clientsWithWork, deleteWork, readWork, spellOut } from './queue';
import { recordRuns } from './runs';
import { SetAside } from './set-aside';
import { VerdictCollector } from './verdict-collector';

const POLL_MILLISECONDS = 1_000;
/** SIMs judged, and committed, at once. */
const PAGE_SIMS = 2_500;
/** Clients evaluated side by side: one with much work, or whose turn somebody else has, doesn't hold up the others. */
const LANES = 4;
/** After so many failures in a row a client's rows are taken one by one, to find the one that fails. */
const FAILURES_UNTIL_ALONE = 3;

@singleton()
export class EvaluationWorker {
  private readonly loop: PokedLoop;
  private readonly backOff: BackOff;
  private readonly setAside: SetAside;

  constructor(
    private readonly database: Database,
    private readonly turns: ClientTurns,
    private readonly evaluator: Evaluator,
    private readonly verdictCommit: VerdictCommit,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
    log: Log,
  ) {
    this.backOff = new BackOff('evaluation', clock, log);
    this.setAside = new SetAside(clock, log);
    this.loop = new PokedLoop({
      name: 'evaluation',
      database,
      channel: 'evaluation',
      pollMilliseconds: POLL_MILLISECONDS,
      work: () => this.work(),
      log,
    });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Judges everything that is due; throws the first failure, once the other clients had their turn. */
  async drain(): Promise<void> {
    this.backOff.letGo();
    this.setAside.forget();
    await this.loop.drain();
    this.backOff.throwFirst();
  }

  /** One portion of each client that has work; true where any was done. A client that fails waits, the others go on. */
  private async work(): Promise<boolean> {
    const clients = await this.database.transaction({ name: 'evaluation.due', role: 'ingest', readOnly: true }, clientsWithWork);
    let worked = false;
    const next = clients.values();
    const lane = async (): Promise<void> => {
      for (const clientId of next) {
        if (await this.backOff.attempt(clientId, (failures) => this.evaluateClient(clientId, failures))) worked = true;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return worked;
  }

  private async evaluateClient(clientId: number, failures: number): Promise<boolean> {
    const alone = failures >= FAILURES_UNTIL_ALONE;
    return (await this.turns.take('evaluation', clientId, (turn) => this.underTurn(clientId, turn, alone))) ?? false;
  }

  private async underTurn(clientId: number, turn: Turn, alone: boolean): Promise<boolean> {
    const read = { name: 'evaluation.claim', role: 'ingest', clientId, readOnly: true } as const;
    const portion = await this.database.transaction(read, async (tx) => {
      const rows = await readWork(tx, clientId, { alone, without: this.setAside.waiting() });
      const whole = rows.find((row) => row.simIds.length === 0);
      return whole ?? (rows.length === 0 ? null : planPortion(tx, clientId, rows));
    });
    if (portion === null) return false;
    if ('queueId' in portion) {
      await this.database.transaction({ name: 'evaluation.spellOut', role: 'ingest', clientId }, async (tx) => {
        await turn.mustHold(tx);
        await spellOut(tx, this.entropy, clientId, portion, this.clock.now());
      });
    } else await this.judgeOrSetAside(clientId, turn, portion, alone);
    return true;
  }

  private async judgeOrSetAside(clientId: number, turn: Turn, portion: Portion, alone: boolean): Promise<void> {
    try {
      await this.judge(clientId, turn, portion);
      this.setAside.remove(portion.rows.map((row) => row.queueId));
    } catch (error) {
      if (!alone || error instanceof TurnLostError) throw error;
      this.setAside.put(clientId, portion.rows[0]!.queueId, error);
      this.backOff.remember(error);
    }
  }

  /** Every page is one commit; the last one removes the work. A kill before it repeats pages, which changes nothing. */
  private async judge(clientId: number, turn: Turn, portion: Portion): Promise<void> {
    const steps = portion.days.flatMap(([day, simIds]) =>
      pagesOf(simIds).map((page, index, pages) => ({ day, page, lastOfDay: index === pages.length - 1 })),
    );
    let collector = new VerdictCollector();
    let startedAt = this.clock.now();
    for (const [index, { day, page, lastOfDay }] of steps.entries()) {
      const { outcomes, closedThrough } = await this.evaluator.evaluate(clientId, day, page);
      collector.add(outcomes);
      const verdicts = { clientId, closedThrough, ...(lastOfDay ? collector.takeLast() : collector.takePage()) };
      await this.database.transaction({ name: 'evaluation.raise', role: 'ingest', clientId }, async (tx) => {
        await turn.mustHold(tx);
        await this.verdictCommit.commit(tx, verdicts);
        if (lastOfDay) {
          const now = this.clock.now();
          await recordRuns(tx, this.entropy, { clientId, day, trigger: 'STREAM', startedAt, finishedAt: now }, collector.runs());
          const forOperator = await recordHealth(tx, clientId, day, collector.runs(), now);
          if (forOperator) await this.verdictCommit.commit(tx, forOperator);
        }
        if (index === steps.length - 1) await this.finish(tx, clientId, portion);
      });
      if (lastOfDay) {
        collector = new VerdictCollector();
        startedAt = this.clock.now();
      }
    }
  }

  private async finish(tx: Transaction, clientId: number, portion: Portion): Promise<void> {
    if (portion.before) await closeBackTo(tx, clientId, portion.before.from, portion.before.firstClosed, this.clock.now());
    await markLate(tx, clientId, portion.lateDays);
    await deleteWork(tx, clientId, portion.rows);
    // A day closer that waited for this work must look again.
    if (portion.before || portion.lateDays.length > 0) tx.poke('evaluation');
  }
}

function pagesOf(simIds: readonly string[]): (readonly string[])[] {
  return Array.from({ length: Math.max(1, Math.ceil(simIds.length / PAGE_SIMS)) }, (_, page) =>
    simIds.slice(page * PAGE_SIMS, (page + 1) * PAGE_SIMS),
  );
}
