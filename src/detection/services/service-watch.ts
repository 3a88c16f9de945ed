/** Judges the services of visited countries hour by hour, as hours end and as late dialogues come, for each client and for the platform as a whole. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { PokedLoop } from '../../database/poked-loop';
import { Clock, Entropy, Log } from '../../runtime';
import type { Day } from '../days';
import { BackOff } from '../evaluation/back-off';
import { ClientTurns, type Turn } from '../evaluation/client-turns';
import { Evaluator } from '../evaluation/evaluator';
import { recordHealth } from '../evaluation/health';
import { recordRuns } from '../evaluation/runs';
import { VerdictCollector } from '../evaluation/verdict-collector';
import { VerdictCommit } from '../verdicts';
import { countedHours, readDayToCount, type DayToCount } from './count-hours';
import { DeviceLooks } from './device-looks';
import { dueDays, noteJudged, type DueDay } from './due-days';
import { observeServices } from './observe-services';
import { addUpPlatform, countActiveSims, writeServiceHours, type ServiceHour } from './stored-hours';

/** Hours end once an hour; late dialogues may wait as long. */
const POLL_MILLISECONDS = 30_000;
/** Clients whose hours are in memory, and whose devices are looked at, together. */
const CLIENTS_TOGETHER = 200;
const OPERATOR = 0;

@singleton()
export class ServiceWatch {
  private readonly loop: PokedLoop;
  private readonly backOff: BackOff;

  constructor(
    private readonly database: Database,
    private readonly turns: ClientTurns,
    private readonly evaluator: Evaluator,
    private readonly verdictCommit: VerdictCommit,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
    log: Log,
  ) {
    this.backOff = new BackOff('service-watch', clock, log);
    this.loop = new PokedLoop({ name: 'service-watch', database, pollMilliseconds: POLL_MILLISECONDS, work: () => this.work(), log });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Judges every hour that is due; throws the first failure, once the other clients had their turn. */
  async drain(): Promise<void> {
    this.backOff.letGo();
    await this.loop.drain();
    this.backOff.throwFirst();
  }

  /** Every client's due days, then the platform's; true where any was judged. */
  private async work(): Promise<boolean> {
    const due = await this.database.transaction({ name: 'services.due', role: 'ingest', readOnly: true }, (tx) =>
      dueDays(tx, this.clock.now()),
    );
    const judgedDays = new Set<Day>();
    for (const group of groupsOf(due)) if (await this.judgeGroup(group)) judgedDays.add(group[0]!.day);
    for (const day of [...judgedDays].sort()) await this.backOff.attempt(OPERATOR, () => this.judgePlatform(day));
    return judgedDays.size > 0;
  }

  /** Clients of one day; true where any was judged. */
  private async judgeGroup(group: readonly DueDay[]): Promise<boolean> {
    const { day } = group[0]!;
    const read = new Map<DueDay, DayToCount | Error>();
    for (const each of group) read.set(each, await this.readCounts(each).catch((error: Error) => error));
    const counted = [...read.values()].flatMap((counts) => (counts instanceof Error ? [] : [counts]));
    const looks = new DeviceLooks(this.database, day, counted);
    let judged = false;
    for (const [each, counts] of read)
      if (await this.backOff.attempt(each.clientId, () => this.judgeClient(each, counts, looks))) judged = true;
    return judged;
  }

  private readCounts({ clientId, day, hoursOver }: DueDay): Promise<DayToCount> {
    return this.database.transaction({ name: 'services.counters', role: 'ingest', clientId, readOnly: true }, (tx) =>
      readDayToCount(tx, clientId, day, hoursOver),
    );
  }

  /** Where dialogues came, or another process judged, since the counters were read, the day is noted as it was then, and so is due again. */
  private async judgeClient(due: DueDay, counts: DayToCount | Error, looks: DeviceLooks): Promise<boolean> {
    if (counts instanceof Error) throw counts;
    const { clientId, day } = due;
    const { all, changed } = countedHours(counts, await looks.read());
    const judged = await this.turns.take('evaluation', clientId, async (turn) => {
      await this.judge(clientId, day, turn, all, async (tx) => {
        await writeServiceHours(tx, clientId, day, changed);
        await noteJudged(tx, due);
      });
      return true;
    });
    return judged ?? false;
  }

  /** What the clients' hours come to together. A client's hour in which too little failed to be looked at counts as whole. */
  private async judgePlatform(day: Day): Promise<boolean> {
    const judged = await this.turns.take('evaluation', OPERATOR, async (turn) => {
      const hours = await this.database.transaction({ name: 'services.platform', role: 'ingest', readOnly: true }, async (tx) => {
        const provisioned = await countActiveSims(tx);
        return (await addUpPlatform(tx, day)).map((hour) => (hour.service === 'MAP' ? hour : { ...hour, simsProvisioned: provisioned }));
      });
      await this.judge(OPERATOR, day, turn, hours, () => Promise.resolve());
      return true;
    });
    return judged ?? false;
  }

  /** The verdicts on all hours of the day that are over, in one commit with what they were judged by. */
  private async judge(
    clientId: number,
    day: Day,
    turn: Turn,
    hours: readonly ServiceHour[],
    store: (tx: Transaction) => Promise<void>,
  ): Promise<void> {
    const startedAt = this.clock.now();
    const collector = new VerdictCollector();
    const { outcomes, closedThrough } = await this.evaluator.evaluateServices(clientId, day, observeServices(hours));
    collector.add(outcomes);
    const verdicts = { clientId, closedThrough, ...collector.takeLast() };
    await this.database.transaction({ name: 'services.raise', role: 'ingest', clientId }, async (tx) => {
      await turn.mustHold(tx);
      await store(tx);
      await this.verdictCommit.commit(tx, verdicts);
      const now = this.clock.now();
      await recordRuns(tx, this.entropy, { clientId, day, trigger: 'STREAM', startedAt, finishedAt: now }, collector.runs());
      const forOperator = await recordHealth(tx, clientId, day, collector.runs(), now);
      if (forOperator) await this.verdictCommit.commit(tx, forOperator);
    });
  }
}

/** Neighbours of one day. */
function groupsOf(due: readonly DueDay[]): DueDay[][] {
  const groups: DueDay[][] = [];
  for (const each of due) {
    const group = groups.at(-1);
    if (group && group[0]!.day === each.day && group.length < CLIENTS_TOGETHER) group.push(each);
    else groups.push([each]);
  }
  return groups;
}
