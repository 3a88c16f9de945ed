/** Which clients' days have hours to be judged: an hour ended, or dialogues came, since they were judged last. */
import type { Transaction } from '../../database/database';
import { endOfDay, HOUR_MILLISECONDS, startOfDay, type Day } from '../days';

/** Dialogues are collected every five minutes; an hour is over once its feed is this far past it. */
const FEED_LATENESS_MILLISECONDS = 10 * 60_000;
/** Where the feed stands still, the hour is over by the clock. */
const LONGEST_WAIT_MILLISECONDS = 6 * HOUR_MILLISECONDS;
/** Days that got dialogues within this time are looked at; older ones were, when they got theirs. */
const RECENT_MILLISECONDS = 2 * 86_400_000;

export interface DueDay {
  readonly clientId: number;
  readonly day: Day;
  readonly hoursOver: number;
  /** As `signaling_day` counts them. */
  readonly changes: string;
}

/** How many hours of the day are over when the feed has reached `watermark` and the clock stands at `now`. */
export function hoursOver(day: Day, watermark: number, now: number): number {
  const reached = Math.max(watermark - FEED_LATENESS_MILLISECONDS, now - LONGEST_WAIT_MILLISECONDS);
  if (reached >= endOfDay(day)) return 24;
  return Math.max(0, Math.floor((reached - startOfDay(day)) / HOUR_MILLISECONDS));
}

/** Of all clients, the platform (client 0) apart. */
export async function dueDays(tx: Transaction, now: Date): Promise<DueDay[]> {
  const since = new Date(now.getTime() - RECENT_MILLISECONDS);
  const days = await tx.query<{ client_id: number; day: Day; changes: string }>(
    'SELECT client_id, day, changes FROM signaling_day WHERE client_id > 0 AND last_received_at >= $1 ORDER BY day, client_id',
    [since],
  );
  if (days.length === 0) return [];
  const judged = await tx.query<{ client_id: number; day: Day; hours_over: number; changes: string }>(
    'SELECT client_id, day, hours_over, changes FROM service_day WHERE client_id > 0 AND day >= $1',
    [days[0]!.day],
  );
  const judgedOf = new Map(judged.map((row) => [`${row.client_id} ${row.day}`, row]));
  const watermarks = await readWatermarks(tx);
  return days.flatMap(({ client_id: clientId, day, changes }) => {
    const over = hoursOver(day, watermarks(clientId), now.getTime());
    const before = judgedOf.get(`${clientId} ${day}`);
    const isDue = over > (before?.hours_over ?? 0) || (over > 0 && before !== undefined && before.changes !== changes);
    return isDue ? [{ clientId, day, hoursOver: over, changes }] : [];
  });
}

/** How far the feed of dialogues of a client has come: its own, or the operator's that serves all. */
async function readWatermarks(tx: Transaction): Promise<(clientId: number) => number> {
  const rows = await tx.query<{ client_id: number; watermark: Date }>(
    `SELECT client_id, max(watermark) AS watermark FROM source_watermark WHERE client_id >= 0 AND kind = 'dialogues' GROUP BY client_id`,
  );
  const own = new Map(rows.map((row) => [row.client_id, row.watermark.getTime()]));
  return (clientId) => Math.max(own.get(clientId) ?? -Infinity, own.get(0) ?? -Infinity);
}

/** Called in the transaction that stores the verdicts. */
export async function noteJudged(tx: Transaction, { clientId, day, hoursOver: over, changes }: DueDay): Promise<void> {
  await tx.query(
    `INSERT INTO service_day (client_id, day, hours_over, changes) VALUES ($1, $2, $3, $4)
     ON CONFLICT (client_id, day) DO UPDATE SET hours_over = EXCLUDED.hours_over, changes = EXCLUDED.changes`,
    [clientId, day, over, changes],
  );
}
