/** Counts behind event columns: attachments per network on the day, and how usual a network or destination is. */
import type { Transaction } from '../../database/database';
import { addDays } from '../days';
import { preparedDay } from './calendar';
import type { ObservationScope } from './observation';

export interface AttachmentCount {
  readonly tried: number;
  readonly failed: number;
}

/** Per network: SIMs of the client that tried to attach on the day, and those of them that were never accepted. */
export async function countAttachments(
  tx: Transaction,
  scope: ObservationScope,
  networks: readonly string[],
): Promise<Map<string, AttachmentCount>> {
  if (networks.length === 0) return new Map();
  const rows = await tx.query<{ plmn: string; tried: number; failed: number }>(
    `SELECT plmn, count(*)::int4 AS tried, (count(*) FILTER (WHERE NOT accepted))::int4 AS failed
       FROM (SELECT plmn, sim_id, bool_or(type = 'ATTACHMENT_ACCEPTED') AS accepted FROM connection_event
              WHERE client_id = $1 AND day = $2 AND plmn = ANY($3::text[])
                AND type IN ('ATTACHMENT_ACCEPTED', 'ATTACHMENT_REJECTED', 'ATTACHMENT_FAILED')
              GROUP BY plmn, sim_id) per_sim
      GROUP BY plmn`,
    [scope.clientId, scope.day, networks],
  );
  return new Map(rows.map((row) => [row.plmn, row]));
}

/** How many SIMs were seen in a place in the 28 days before; null where there are less than 7 days of history. */
export interface Habits {
  readonly network: (mcc: string) => number;
  readonly destination: (family: string, destination: string) => number;
  readonly traffic: (family: string) => number;
}

const HISTORY_DAYS = 28;
const MINIMUM_DAYS = 7;

export async function readHabits(
  tx: Transaction,
  scope: ObservationScope,
  countries: readonly string[],
  destinations: readonly string[],
  families: readonly string[],
): Promise<Habits | null> {
  const forDay = preparedDay(scope.calendar, scope.day);
  if (forDay === null) return null;
  const [history] = await tx.query<{ days: number }>(
    'SELECT count(*)::int4 AS days FROM day_close WHERE client_id = $1 AND day >= $2 AND day < $3 AND evaluated_at IS NOT NULL',
    [scope.clientId, addDays(forDay, -HISTORY_DAYS), forDay],
  );
  if ((history?.days ?? 0) < MINIMUM_DAYS) return null;
  const rows = await tx.query<{ kind: string; family: string; value: string; sims: number }>(
    `SELECT kind, family, value, sims FROM habit
      WHERE client_id = $1 AND for_day = $2
        AND ((kind = 'NETWORK' AND value = ANY($3::text[]))
          OR (kind = 'DESTINATION' AND family = ANY($5::text[]) AND value = ANY($4::text[]))
          OR (kind = 'TRAFFIC' AND family = ANY($5::text[])))`,
    [scope.clientId, forDay, countries, destinations, families],
  );
  const known = new Map(rows.map((row) => [`${row.kind} ${row.family} ${row.value}`, row.sims]));
  return {
    network: (mcc) => known.get(`NETWORK  ${mcc}`) ?? 0,
    destination: (family, destination) => known.get(`DESTINATION ${family} ${destination}`) ?? 0,
    traffic: (family) => known.get(`TRAFFIC ${family} `) ?? 0,
  };
}
