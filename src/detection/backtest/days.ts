/** Which past days a back-test may judge: those that were closed, with what detectors of its input are judged by. */
import type { Transaction } from '../../database/database';
import type { InputKind } from '../../detector';
import type { Day } from '../days';

const judgeable: Readonly<Record<InputKind, string>> = {
  usage: '',
  events: '',
  features: 'AND EXISTS (SELECT 1 FROM feature_day WHERE feature_day.client_id = $1 AND feature_day.day = day_close.day)',
  services: `AND EXISTS (SELECT 1 FROM service_hour WHERE service_hour.client_id = $1
    AND service_hour.hour >= day_close.day::timestamp AT TIME ZONE 'UTC' AND service_hour.hour < (day_close.day + 1)::timestamp AT TIME ZONE 'UTC')`,
};

const daysOf = (input: InputKind): string => `FROM day_close WHERE client_id = $1 AND evaluated_at IS NOT NULL ${judgeable[input]}`;

export async function countDays(tx: Transaction, clientId: number, input: InputKind, from: Day, to: Day): Promise<number> {
  const [row] = await tx.query<{ days: number }>(`SELECT count(*)::int4 AS days ${daysOf(input)} AND day >= $2 AND day <= $3`, [
    clientId,
    from,
    to,
  ]);
  return row!.days;
}

/** All that there are; null where there is none. */
export async function firstAndLastDay(tx: Transaction, clientId: number, input: InputKind): Promise<readonly [Day, Day] | null> {
  const [row] = await tx.query<{ first: Day | null; last: Day | null }>(`SELECT min(day) AS first, max(day) AS last ${daysOf(input)}`, [
    clientId,
  ]);
  return row?.first && row.last ? [row.first, row.last] : null;
}

/** The first after `after`, at most `to`; null where there is none. */
export async function nextDay(
  tx: Transaction,
  clientId: number,
  input: InputKind,
  { from, after, to }: { readonly from: Day; readonly after: Day | null; readonly to: Day },
): Promise<Day | null> {
  const [row] = await tx.query<{ day: Day | null }>(
    `SELECT min(day) AS day ${daysOf(input)} AND day >= $2 AND day <= $3 AND ($4::date IS NULL OR day > $4::date)`,
    [clientId, from, to, after],
  );
  return row?.day ?? null;
}
