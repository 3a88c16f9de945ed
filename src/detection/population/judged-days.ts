/** Which days were judged, and by what features: a day whose features changed since is due again. Operator-wide reads of one row per client and day. */
import type { Transaction } from '../../database/database';
import { addDays, HOUR_MILLISECONDS, type Day } from '../days';
import { OPERATOR } from './run-record';

/** Dialogues that trickle in for hours have a day judged again so often at most. */
const REST_MILLISECONDS = 6 * HOUR_MILLISECONDS;
/** Older dialogues are not taken, so older features no longer change. */
const CHANGING_DAYS = 62;

/** What the features of a day were computed from, over all clients: rises with whatever is computed anew. */
export async function changesOf(tx: Transaction, day: Day): Promise<string> {
  const [row] = await tx.query<{ changes: string }>('SELECT coalesce(sum(changes), 0)::int8 AS changes FROM feature_day WHERE day = $1', [
    day,
  ]);
  return row!.changes;
}

export interface ChangedDay {
  readonly day: Day;
  readonly changes: string;
}

/** Days that were judged by other features than there are now, and are not being judged, nor were a moment ago. */
export async function daysToJudgeAgain(tx: Transaction, today: Day, now: Date): Promise<ChangedDay[]> {
  const from = addDays(today, -CHANGING_DAYS);
  const judged = await tx.query<{ day: Day; saw: string; open: boolean; finished_at: Date | null }>(
    `SELECT to_day AS day, max(saw_changes) AS saw, bool_or(finished_at IS NULL) AS open, max(finished_at) AS finished_at
       FROM population_run WHERE client_id = $1 AND trigger IN ('SCHEDULE', 'ON_DEMAND') AND to_day >= $2 AND saw_changes IS NOT NULL GROUP BY to_day`,
    [OPERATOR, from],
  );
  const current = await tx.query<ChangedDay>(
    'SELECT day, sum(changes)::int8 AS changes FROM feature_day WHERE day >= $1 AND day < $2 GROUP BY day ORDER BY day',
    [from, today],
  );
  const last = new Map(judged.map((row) => [row.day, row]));
  return current.filter(({ day, changes }) => {
    const run = last.get(day);
    if (run === undefined || run.open || run.finished_at === null) return false;
    return BigInt(changes) > BigInt(run.saw) && now.getTime() - run.finished_at.getTime() >= REST_MILLISECONDS;
  });
}
