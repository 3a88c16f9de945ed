/** Closes days, in order and without a gap, and evaluates the closes of days that late rows reached. */
import { singleton } from 'tsyringe';
import { Database } from '../../database/database';
import { PokedLoop } from '../../database/poked-loop';
import { Clock, Log } from '../../runtime';
import { BackOff } from '../evaluation/back-off';
import { ClientTurns, type Turn } from '../evaluation/client-turns';
import { readCalendar } from '../observe/calendar';
import { completeDay, earliestDirtyDay, insertClosedDay, type DayMark } from './day-marks';
import { DayPass } from './day-pass';
import { clientsThatMayBeDue, completedDay, nextDueDay } from './due';

const POLL_MILLISECONDS = 5_000;

@singleton()
export class DayCloser {
  private readonly loop: PokedLoop;
  private readonly backOff: BackOff;
  private stopping = false;

  constructor(
    private readonly database: Database,
    private readonly turns: ClientTurns,
    private readonly pass: DayPass,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.backOff = new BackOff('day-close', clock, log);
    this.loop = new PokedLoop({
      name: 'day-close',
      database,
      channel: 'evaluation',
      pollMilliseconds: POLL_MILLISECONDS,
      work: () => this.work(),
      log,
    });
  }

  start(): void {
    this.stopping = false;
    this.loop.start();
  }

  /** A day that is being evaluated is left between two pages, and taken up again by whoever comes next. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
    this.stopping = false;
  }

  /** Closes every day that is due; days with evaluation work waiting wait for it. Throws the first failure, once the other clients had their turn. */
  async drain(): Promise<void> {
    this.backOff.letGo();
    await this.loop.drain();
    this.backOff.throwFirst();
  }

  /** One step of each client; true where any was done. */
  private async work(): Promise<boolean> {
    const clients = await this.database.transaction({ name: 'dayClose.clients', role: 'ingest', readOnly: true }, (tx) =>
      clientsThatMayBeDue(tx, this.clock.now()),
    );
    let worked = false;
    for (const clientId of clients) {
      if (this.stopping) return false;
      if (await this.backOff.attempt(clientId, () => this.step(clientId))) worked = true;
    }
    return worked;
  }

  private async step(clientId: number): Promise<boolean> {
    if ((await this.plan(clientId)) === null) return false;
    return (await this.turns.take('day-close', clientId, (job) => this.underJob(clientId, job))) ?? false;
  }

  /** Takes one step: closes a day or marks one for another pass, then evaluates the earliest that is marked. */
  private async underJob(clientId: number, job: Turn): Promise<boolean> {
    const step = await this.plan(clientId);
    if (step === null) return false;
    let mark = 'mark' in step ? step.mark : null;
    if (mark === null) {
      mark = await this.database.transaction({ name: 'dayClose.mark', role: 'ingest', clientId }, async (tx) => {
        await job.mustHold(tx);
        if ('completes' in step) await completeDay(tx, clientId, step.completes);
        if ('closes' in step) await insertClosedDay(tx, clientId, step.closes.day, step.closes.incomplete, this.clock.now());
        return earliestDirtyDay(tx, clientId);
      });
    }
    return (
      mark !== null &&
      this.pass.run(
        clientId,
        mark,
        (tx) => job.mustHold(tx),
        () => this.stopping,
      )
    );
  }

  /** What is to do first; null: nothing now. Work that waits for the day, or one before it, comes first: it would make the day dirty again. */
  private plan(clientId: number): Promise<Step | null> {
    return this.database.transaction({ name: 'dayClose.due', role: 'ingest', clientId, readOnly: true }, async (tx) => {
      const calendar = await readCalendar(tx, clientId);
      const mark = await earliestDirtyDay(tx, clientId);
      const completes = mark ? null : await completedDay(tx, calendar);
      const closes = mark || completes ? null : await nextDueDay(tx, calendar, this.clock.now());
      const day = mark?.day ?? completes ?? closes?.day;
      if (day === undefined) return null;
      const [waiting] = await tx.query<{ waits: boolean }>(
        `SELECT EXISTS (SELECT 1 FROM evaluation_queue WHERE client_id = $1 AND day <= $2 AND reason IN ('INGEST', 'REQUEUE')) AS waits`,
        [clientId, day],
      );
      if (waiting?.waits) return null;
      if (mark) return { mark };
      return completes ? { completes } : { closes: closes! };
    });
  }
}

type Step =
  { readonly mark: DayMark } | { readonly completes: string } | { readonly closes: { readonly day: string; readonly incomplete: boolean } };
