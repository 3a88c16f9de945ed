/** The close of one day, evaluated for every SIM of the client in pages; what the next day is judged by is prepared, and with the last page the day is done. */
import { setTimeout as sleep } from 'node:timers/promises';
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { Clock, Entropy } from '../../runtime';
import { enqueueEvaluation } from '../../telemetry';
import { addDays, daysFrom, endOfDay, type Day } from '../days';
import { ClientTurns, type Turn } from '../evaluation/client-turns';
import { Evaluator, type PageOutcome } from '../evaluation/evaluator';
import { recordHealth } from '../evaluation/health';
import { recordRuns } from '../evaluation/runs';
import { VerdictCollector, type PageVerdicts, type RunSummary } from '../evaluation/verdict-collector';
import { readCalendar } from '../observe/calendar';
import { pageOfSims } from '../observe/sim-facts';
import { VerdictCommit } from '../verdicts';
import { computeBaselines } from './baselines';
import { finishDay, type DayMark } from './day-marks';
import { nextDueDay } from './due';
import { countHabits, noteSightings } from './habits';

/** SIMs judged, and committed, at once. */
const PAGE_SIMS = 2_500;
/** Medians over 28 days of a large client take their time, and nobody waits for them. */
const CLOSING_STATEMENT_MILLISECONDS = 120_000;
/** Another process has the turn for a portion of the stream, rarely for longer; a day that gave up at that would never be done. */
const TURN_RETRY_MILLISECONDS = 25;
const TURN_RETRIES = 400;
/** Open days judged again after a close: usually one or two. */
const OPEN_DAYS = 35;

@singleton()
export class DayPass {
  constructor(
    private readonly database: Database,
    private readonly turns: ClientTurns,
    private readonly evaluator: Evaluator,
    private readonly verdictCommit: VerdictCommit,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  /**
   * True when the day is done; false when it was interrupted, or another process keeps the client: then it stays dirty and is passed again.
   * The client's turn is taken page by page, so that its stream goes on between pages; what takes long is done without it.
   */
  async run(clientId: number, mark: DayMark, keepJob: (tx: Transaction) => Promise<void>, isStopping: () => boolean): Promise<boolean> {
    const collector = new VerdictCollector();
    const startedAt = this.clock.now();
    await this.prepareNextDay(clientId, mark.day, keepJob);
    for (let after: string | null = '0'; after !== null;) {
      if (isStopping()) return false;
      const from: string = after;
      const next: { readonly after: string | null } | undefined = await this.takeTurn(clientId, isStopping, async (turn) => {
        const simIds = await this.readPage(clientId, mark.day, from);
        const page = await this.evaluator.evaluate(clientId, mark.day, simIds);
        collector.add(page.outcomes);
        const isLast = simIds.length < PAGE_SIMS;
        // Taken once, outside the transaction, which may have to run again.
        const verdicts = isLast ? collector.takeLast() : collector.takePage();
        const commit = isLast
          ? (tx: Transaction) => this.commitLast(tx, clientId, mark, startedAt, { verdicts, runs: collector.runs(), page })
          : (tx: Transaction) => this.commitPage(tx, clientId, verdicts, page.closedThrough);
        await this.commit(clientId, turn, keepJob, commit);
        return { after: isLast ? null : simIds.at(-1)! };
      });
      if (next === undefined) return false;
      after = next.after;
    }
    return true;
  }

  private async takeTurn<T>(clientId: number, isStopping: () => boolean, work: (turn: Turn) => Promise<T>): Promise<T | undefined> {
    for (let attempt = 0; attempt < TURN_RETRIES && !isStopping(); attempt++) {
      if (attempt > 0) await sleep(TURN_RETRY_MILLISECONDS);
      const result = await this.turns.take('evaluation', clientId, work);
      if (result !== undefined) return result;
    }
    return undefined;
  }

  private readPage(clientId: number, day: Day, after: string): Promise<string[]> {
    return this.database.transaction({ name: 'dayClose.page', role: 'ingest', clientId, readOnly: true }, (tx) =>
      pageOfSims(tx, clientId, day, after, PAGE_SIMS),
    );
  }

  private commit(
    clientId: number,
    turn: Turn,
    keepJob: (tx: Transaction) => Promise<void>,
    work: (tx: Transaction) => Promise<void>,
  ): Promise<void> {
    return this.closing('dayClose.raise', clientId, async (tx) => {
      await turn.mustHold(tx);
      await keepJob(tx);
      await work(tx);
    });
  }

  private closing<T>(name: string, clientId: number, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction({ name, role: 'ingest', clientId, statementTimeoutMs: CLOSING_STATEMENT_MILLISECONDS }, work);
  }

  private commitPage(tx: Transaction, clientId: number, verdicts: PageVerdicts, closedThrough: Date | null): Promise<void> {
    return this.verdictCommit.commit(tx, { clientId, closedThrough, ...verdicts });
  }

  private async commitLast(
    tx: Transaction,
    clientId: number,
    mark: DayMark,
    startedAt: Date,
    { verdicts, runs, page }: { verdicts: PageVerdicts; runs: readonly RunSummary[]; page: PageOutcome },
  ): Promise<void> {
    const now = this.clock.now();
    const end = new Date(endOfDay(mark.day));
    const closedThrough = page.closedThrough !== null && page.closedThrough > end ? page.closedThrough : end;
    await this.commitPage(tx, clientId, verdicts, closedThrough);
    await recordRuns(tx, this.entropy, { clientId, day: mark.day, trigger: 'DAY_CLOSE', startedAt, finishedAt: now }, runs);
    const forOperator = await recordHealth(tx, clientId, mark.day, runs, now);
    if (forOperator) await this.verdictCommit.commit(tx, forOperator);
    await finishDay(tx, clientId, mark, now);
    await this.judgeOpenDaysAgain(tx, clientId, mark.day, now);
  }

  /**
   * What the next day is judged by, from records alone: nobody reads it before the day is done, and late rows that it misses have the day passed
   * again. In steps, so that on the embedded database others come in between.
   */
  private async prepareNextDay(clientId: number, day: Day, keepJob: (tx: Transaction) => Promise<void>): Promise<void> {
    const nextDay = addDays(day, 1);
    const steps: ((tx: Transaction) => Promise<void>)[] = [
      (tx) => noteSightings(tx, clientId, day),
      async (tx) => computeBaselines(tx, clientId, nextDay, (await readCalendar(tx, clientId)).firstClosed ?? day, this.clock.now()),
      (tx) => countHabits(tx, clientId, nextDay),
    ];
    for (const step of steps) {
      await this.closing('dayClose.prepare', clientId, async (tx) => {
        await keepJob(tx);
        await step(tx);
      });
    }
  }

  /** Where the next day is open, whoever was judged on it already is judged again. */
  private async judgeOpenDaysAgain(tx: Transaction, clientId: number, day: Day, now: Date): Promise<void> {
    const calendar = await readCalendar(tx, clientId);
    const isNewest = calendar.lastClosed === day && (await nextDueDay(tx, calendar, now)) === null;
    if (!isNewest || calendar.latestDay === null) return;
    for (const openDay of daysFrom(addDays(day, 1), calendar.latestDay).slice(0, OPEN_DAYS)) {
      const simIds = await simsHeardOn(tx, clientId, openDay);
      if (simIds.length > 0) await enqueueEvaluation(tx, this.entropy, { clientId, day: openDay, simIds, reason: 'CLOSE', now });
    }
  }
}

async function simsHeardOn(tx: Transaction, clientId: number, day: Day): Promise<string[]> {
  const rows = await tx.query<{ sim_id: string }>(
    `SELECT sim_id FROM usage_sim_day WHERE client_id = $1 AND day = $2
     UNION SELECT sim_id FROM connection_event WHERE client_id = $1 AND day = $2
     UNION SELECT sim_id FROM device_event WHERE client_id = $1 AND day = $2
     ORDER BY sim_id`,
    [clientId, day],
  );
  return rows.map((row) => row.sim_id);
}
