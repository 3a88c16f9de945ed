/**
 * Carries out back-tests, one at a time anywhere. Each page is a commit with the place to go on from, so that a process that was killed loses no more
 * than a page; alerts, runs and the detector's health are not touched.
 */
import { singleton } from 'tsyringe';
import { deleteAged } from '../../database/aging';
import { Database, type Transaction } from '../../database/database';
import { keepLease, releaseLease, takeLease } from '../../database/lease';
import { PokedLoop } from '../../database/poked-loop';
import type { Detector } from '../../detector';
import { Clock, Entropy, Log } from '../../runtime';
import { DAY_MILLISECONDS, dayOf, type Day } from '../days';
import { aside } from '../fence';
import { DetectorRegistry } from '../host/registry';
import { nextDay } from './days';
import { changeBacktest, nextOpenBacktest, type BacktestChange, type BacktestRow } from './record';
import { countKinds, storePage } from './store';
import { Trial, type TrialPage } from './trial';

const LEASE = 'backtest';
const LEASE_MILLISECONDS = 120_000;
const POLL_MILLISECONDS = 10_000;
const MOST_ATTEMPTS = 3;
/** The host switches a detector off after as many. */
const FAILED_DAYS_UNTIL_END = 3;
/** More tell nothing that these don't. */
const MOST_FINDINGS = 100_000;
const KEPT_DAYS = 93;
const OPERATOR = 0;

const aged = { age: 'finished_at', only: "state NOT IN ('WAITING', 'RUNNING')" } as const;

/** It was cancelled, another process has it, or this one stops: what was committed stands, and nothing more is. */
class LeftOff extends Error {}

@singleton()
export class BacktestWorker {
  private readonly loop: PokedLoop;
  private stopping = false;
  private forgotten: Day | null = null;

  constructor(
    private readonly database: Database,
    private readonly registry: DetectorRegistry,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
    private readonly log: Log,
  ) {
    this.loop = new PokedLoop({
      name: 'backtest',
      database,
      channel: 'backtest',
      pollMilliseconds: POLL_MILLISECONDS,
      work: () => this.work(),
      log,
    });
  }

  start(): void {
    this.stopping = false;
    this.loop.start();
  }

  /** One that is under way is left between two pages, and taken up again by whoever comes next. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
    this.stopping = false;
  }

  drain(): Promise<void> {
    return this.loop.drain();
  }

  private async work(): Promise<boolean> {
    await this.forgetOld();
    const row = await this.nextOpen();
    if (row === null) return false;
    const holder = this.entropy.uuid();
    const now = this.clock.now();
    const until = new Date(now.getTime() + LEASE_MILLISECONDS);
    if (!(await this.write('backtest.claim', OPERATOR, (tx) => takeLease(tx, LEASE, holder, until, now)))) return false;
    try {
      await this.execute(row, holder);
      return true;
    } catch (error) {
      if (error instanceof LeftOff) return !this.stopping;
      await this.failed(row, error);
      return true;
    } finally {
      await this.write('backtest.release', OPERATOR, (tx) => releaseLease(tx, LEASE, holder));
    }
  }

  private nextOpen(): Promise<BacktestRow | null> {
    return this.database.transaction({ name: 'backtest.due', role: 'ingest', readOnly: true }, nextOpenBacktest);
  }

  private async execute(row: BacktestRow, holder: string): Promise<void> {
    const detector = this.registry.find(row.detector_id);
    if (detector?.meta.version !== row.detector_version) {
      const now = detector ? `${detector.meta.version} is` : 'no version of it is';
      const error = `It was asked for of ${row.detector_id} ${row.detector_version}; ${now} loaded now. Ask again.`;
      await this.change(row, holder, { state: 'FAILED', error, finishedAt: this.clock.now() });
      return;
    }
    const own = aside(detector);
    try {
      await this.judge(
        await this.change(row, holder, { state: 'RUNNING', startedAt: row.started_at ?? this.clock.now() }),
        holder,
        own.detector,
      );
    } finally {
      await own.close();
    }
  }

  /** Page after page, from wherever it stands to its end; after each day others have their turn. */
  private async judge(begun: BacktestRow, holder: string, detector: Detector): Promise<void> {
    let row = begun;
    let day = row.at_day ?? (await this.dayAfter(row, detector, null));
    while (day !== null && row.state === 'RUNNING') {
      if (this.stopping) throw new LeftOff();
      const page: TrialPage = await new Trial(this.database, detector, row).page(day, row.at_day === day ? row.after_sim : '0');
      const following: Day | null = page.after === null ? await this.dayAfter(row, detector, day) : day;
      row = await this.commit(row, holder, day, following, page);
      if (following !== day && (await this.nextOpen())?.backtest_id !== row.backtest_id) return;
      day = following;
    }
    // no day is left that was there when it was asked for
    if (row.state === 'RUNNING') await this.change(row, holder, { state: 'SUCCEEDED', finishedAt: this.clock.now() });
  }

  private commit(row: BacktestRow, holder: string, day: Day, following: Day | null, page: TrialPage): Promise<BacktestRow> {
    const key = { clientId: row.client_id, backtestId: row.backtest_id };
    const { outcome, sims, after } = page;
    return this.write('backtest.page', row.client_id, async (tx) => {
      const findings = row.findings + (await storePage(tx, key, day, outcome, sims));
      const counted: BacktestChange = {
        findings,
        simDays: Number(row.sim_days) + sims,
        rowsJudged: Number(row.rows_judged) + outcome.rows,
        rowsAbstained: Number(row.rows_abstained) + outcome.abstained,
      };
      const place: BacktestChange =
        after === null
          ? { atDay: following ?? day, afterSim: '0', ...(await dayDone(tx, row, day)), kinds: await countKinds(tx, key) }
          : { atDay: day, afterSim: after };
      const end = endOf(row, place, findings, outcome.failure);
      const kinds = end === null || after === null ? {} : { kinds: await countKinds(tx, key) };
      const finish = end ?? (after === null && following === null ? { state: 'SUCCEEDED' as const } : null);
      const finished = finish === null ? {} : { ...finish, finishedAt: this.clock.now() };
      return this.changeHeld(tx, row, holder, { ...counted, ...place, ...kinds, ...finished });
    });
  }

  private dayAfter(row: BacktestRow, { meta }: Detector, after: Day | null): Promise<Day | null> {
    const { client_id: clientId, from_day: from, to_day: to } = row;
    return this.database.transaction({ name: 'backtest.day', role: 'ingest', clientId, readOnly: true }, (tx) =>
      nextDay(tx, clientId, meta.input, { from, after, to }),
    );
  }

  private change(row: BacktestRow, holder: string, change: BacktestChange): Promise<BacktestRow> {
    return this.write('backtest.progress', row.client_id, (tx) => this.changeHeld(tx, row, holder, change));
  }

  private async changeHeld(tx: Transaction, row: BacktestRow, holder: string, change: BacktestChange): Promise<BacktestRow> {
    const now = this.clock.now();
    if (!(await keepLease(tx, LEASE, holder, new Date(now.getTime() + LEASE_MILLISECONDS)))) throw new LeftOff();
    const changed = await changeBacktest(tx, this.entropy, row, change, now);
    if (changed === null) throw new LeftOff();
    return changed;
  }

  /** What the detector does wrong is in its outcome; this is ours, or the database's, and is tried again. */
  private async failed(row: BacktestRow, error: unknown): Promise<void> {
    const attempts = row.attempts + 1;
    const isFinal = attempts >= MOST_ATTEMPTS;
    this.log.logger.error({ err: error, backtest: row.backtest_id, attempts, isFinal }, 'a back-test failed');
    const now = this.clock.now();
    const end = isFinal ? ({ state: 'FAILED', finishedAt: now } as const) : {};
    const what = (error instanceof Error ? error.message : String(error)).slice(0, 1000);
    await this.write('backtest.fail', row.client_id, (tx) => changeBacktest(tx, this.entropy, row, { attempts, error: what, ...end }, now));
    if (!isFinal) throw error;
  }

  /** Once a day. Several processes may do it at once: each deletes what it finds. */
  private async forgetOld(): Promise<void> {
    const now = this.clock.now().getTime();
    if (this.forgotten === dayOf(now)) return;
    const before = new Date(now - KEPT_DAYS * DAY_MILLISECONDS);
    const clients = await this.database.transaction({ name: 'backtest.clients', role: 'ingest', readOnly: true }, (tx) =>
      tx.query<{ client_id: number }>(
        `SELECT DISTINCT client_id FROM backtest WHERE client_id > 0 AND finished_at < $1 AND state NOT IN ('WAITING', 'RUNNING')`,
        [before],
      ),
    );
    for (const { client_id: clientId } of clients) {
      await this.write('backtest.forget', clientId, async (tx) => {
        const old = await tx.query<{ backtest_id: string }>(
          `SELECT backtest_id FROM backtest WHERE client_id = $1 AND finished_at < $2 AND state NOT IN ('WAITING', 'RUNNING')`,
          [clientId, before],
        );
        const ids = old.map((row) => row.backtest_id);
        for (const table of ['backtest_finding', 'backtest_day'])
          await tx.query(`DELETE FROM ${table} WHERE client_id = $1 AND backtest_id = ANY($2::uuid[])`, [clientId, ids]);
      });
      await deleteAged(this.database, clientId, { table: 'backtest', key: ['backtest_id'], ...aged }, before);
    }
    this.forgotten = dayOf(now);
  }

  private write<T>(name: string, clientId: number, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction({ name, role: 'ingest', clientId }, work);
  }
}

async function dayDone(tx: Transaction, row: BacktestRow, day: Day): Promise<BacktestChange> {
  const [done] = await tx.query<{ error: string | null }>(
    'SELECT error FROM backtest_day WHERE client_id = $1 AND backtest_id = $2 AND day = $3',
    [row.client_id, row.backtest_id, day],
  );
  return { daysDone: row.days_done + 1, failedDays: done?.error == null ? 0 : row.failed_days + 1 };
}

/** Why it need not go on; null: it goes on. */
function endOf(row: BacktestRow, place: BacktestChange, findings: number, failure: string | null): BacktestChange | null {
  if ((place.failedDays ?? 0) >= FAILED_DAYS_UNTIL_END) {
    const why = failure === null ? 'see `days`' : failure;
    return { state: 'FAILED', error: `It failed on ${FAILED_DAYS_UNTIL_END} days in a row, after which it would be switched off: ${why}` };
  }
  if (findings > MOST_FINDINGS) {
    const days = row.days_done + 1;
    return {
      state: 'FAILED',
      error: `It found more than ${MOST_FINDINGS} things in ${days} day${days === 1 ? '' : 's'}: too many to enable it like this. Set stricter options, or name a fleet or a SIM.`,
    };
  }
  return null;
}
