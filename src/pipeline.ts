/** The product as a line of stages. Each takes what the one before made; all of `commit` is one transaction with the removal of the work from the queue. */
import { singleton } from 'tsyringe';
import { AlertRaiser } from './alerts';
import type { Transaction } from './database/database';
import { VerdictCommit, type Verdicts } from './detection';
import { Correlator } from './incidents';
import { Clock } from './runtime';

/**
 * seconds:  ingest ─▶ observe ─▶ detect ─▶ raise ─▶ correlate ─▶ respond
 * daily:    features ─▶ cluster ─▶ fit ─▶ score ─▶ decide ─▶ raise ─▶ …
 *
 * `ingest` commits records together with the evaluation they owe (telemetry). The evaluation worker takes what is owed, observes and detects with
 * no transaction open (detection), and hands its verdicts to `commit`; so does the daily run over the population (detection/population). What must
 * leave the process leaves through the event log and the outbox, whose rows are written here: at least once, deduplicable by id, in order per subject.
 */
@singleton()
export class Pipeline extends VerdictCommit {
  constructor(
    private readonly alerts: AlertRaiser,
    private readonly incidents: Correlator,
    private readonly clock: Clock,
  ) {
    super();
  }

  async commit(transaction: Transaction, verdicts: Verdicts): Promise<void> {
    const now = this.clock.now();
    const alertChanges = await this.alerts.raise(transaction, verdicts, now);
    await this.incidents.correlate(transaction, alertChanges, now);
  }
}
