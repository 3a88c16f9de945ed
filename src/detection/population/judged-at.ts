/** When a day's population was judged: what tells a quiet day from one that nobody has looked at, in lists that are empty on both. */
import type { Connection } from '../../graphql/connection';
import type { GraphqlContext } from '../../graphql/context';
import type { Day } from '../days';
import { OPERATOR } from './run-record';

export const JUDGED_AT =
  'When the detector last judged the day: of the client in question, or for operators who name none, of the population. null: it has not, since the day is not closed yet, the run failed, or nothing signaled; an empty list then says nothing.';

/** A page of such a list. */
export type Judged<Node> = Connection<Node> & { readonly judged: () => Promise<Date | null> };

/** `clientId`: null for the whole population. */
export async function judgedAt(
  context: GraphqlContext,
  of: { readonly clientId: number | null; readonly day: Day; readonly detectorId: string },
): Promise<Date | null> {
  const { clientId, day, detectorId } = of;
  const [row] = await context.read((tx) =>
    clientId === null
      ? tx.query<{ at: Date | null }>(
          `SELECT max(finished_at) AS at FROM population_run
            WHERE client_id = $1 AND from_day <= $2 AND to_day >= $2 AND state = 'SUCCEEDED' AND trigger IN ('SCHEDULE', 'ON_DEMAND')
              AND plan @> $3::jsonb`,
          [OPERATOR, day, JSON.stringify([{ id: detectorId }])],
        )
      : tx.query<{ at: Date | null }>(
          `SELECT max(finished_at) AS at FROM detection_run WHERE client_id = $1 AND detector_id = $2 AND day = $3 AND state = 'SUCCEEDED'`,
          [clientId, detectorId, day],
        ),
  );
  return row?.at ?? null;
}
