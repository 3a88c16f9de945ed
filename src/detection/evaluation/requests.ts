/** A setting changed: what was judged under the old one, and still matters, is judged again. */
import { singleton } from 'tsyringe';
import type { Transaction } from '../../database/database';
import { SettingChangeListener } from '../../fleet';
import { Clock, Entropy } from '../../runtime';
import { enqueueEvaluation } from '../../telemetry';
import { dayOf, daysFrom, type Day } from '../days';

/** The last closed day and the open ones after it; days further back keep the verdicts of their time. */
const MOST_DAYS = 8;

@singleton()
export class EvaluationRequests extends SettingChangeListener {
  constructor(
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {
    super();
  }

  async settingsChanged(tx: Transaction, clientId: number, simIds: readonly string[] | 'ALL'): Promise<void> {
    if (simIds !== 'ALL' && simIds.length === 0) return;
    for (const day of await daysThatMatter(tx, clientId)) {
      await enqueueEvaluation(tx, this.entropy, {
        clientId,
        day,
        simIds: simIds === 'ALL' ? [] : simIds,
        reason: 'SETTING',
        now: this.clock.now(),
      });
    }
  }
}

/** None before the client's first record: the first evaluation will see the setting anyway. */
async function daysThatMatter(tx: Transaction, clientId: number): Promise<Day[]> {
  const [row] = await tx.query<{ reached: Date | null; last_closed: Day | null }>(
    `SELECT (SELECT max(watermark) FROM source_watermark WHERE client_id = $1) AS reached,
            (SELECT max(day) FROM day_close WHERE client_id = $1) AS last_closed`,
    [clientId],
  );
  if (!row?.reached) return [];
  const latest = dayOf(row.reached);
  const days = daysFrom(row.last_closed ?? latest, latest);
  return days.length === 0 ? [row.last_closed!] : days.slice(-MOST_DAYS);
}
