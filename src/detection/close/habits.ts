/** Habits: in which countries a client's SIMs usually are and where a family's traffic usually goes, counted when a day closes. */
import type { Transaction } from '../../database/database';
import { addDays, type Day } from '../days';

const DAYS_BACK = 28;
const KEPT_DAYS = 100;

/** Notes where each SIM was seen on the closed day: by MCC, and by destination. */
export async function noteSightings(tx: Transaction, clientId: number, day: Day): Promise<void> {
  await tx.query('DELETE FROM sighting_sim_day WHERE client_id = $1 AND (day = $2 OR day < $3)', [clientId, day, addDays(day, -KEPT_DAYS)]);
  await tx.query(
    counted(`INSERT INTO sighting_sim_day (client_id, day, kind, value, sim_id)
     SELECT DISTINCT $1::int4, $2::date, 'NETWORK', left(plmn, 3), sim_id
       FROM (SELECT plmn, sim_id FROM connection_event WHERE client_id = $1 AND day = $2 AND plmn IS NOT NULL
             UNION ALL
             SELECT plmn, sim_id FROM usage_record WHERE client_id = $1 AND day = $2 AND plmn IS NOT NULL) seen`),
    [clientId, day],
  );
  await tx.query(
    counted(`INSERT INTO sighting_sim_day (client_id, day, kind, value, sim_id)
     SELECT DISTINCT $1::int4, $2::date, 'DESTINATION', destination, sim_id FROM usage_record
      WHERE client_id = $1 AND day = $2 AND destination IS NOT NULL`),
    [clientId, day],
  );
}

/** Counts the SIMs of the 28 days before `forDay`: per country, per family and destination, per family with any traffic. */
export async function countHabits(tx: Transaction, clientId: number, forDay: Day): Promise<void> {
  const period = [clientId, forDay, addDays(forDay, -DAYS_BACK)];
  await tx.query('DELETE FROM habit WHERE client_id = $1 AND (for_day = $2 OR for_day < $3)', [
    clientId,
    forDay,
    addDays(forDay, -KEPT_DAYS),
  ]);
  await tx.query(
    counted(`INSERT INTO habit (client_id, for_day, kind, family, value, sims)
     SELECT $1::int4, $2::date, 'NETWORK', '', value, count(DISTINCT sim_id)::int4 FROM sighting_sim_day
      WHERE client_id = $1 AND day >= $3 AND day < $2 AND kind = 'NETWORK' GROUP BY value`),
    period,
  );
  await tx.query(
    counted(`INSERT INTO habit (client_id, for_day, kind, family, value, sims)
     SELECT $1::int4, $2::date, 'DESTINATION', device.family, seen.value, count(DISTINCT seen.sim_id)::int4
       FROM sighting_sim_day seen JOIN device ON device.client_id = seen.client_id AND device.sim_id = seen.sim_id
      WHERE seen.client_id = $1 AND device.client_id = $1 AND seen.day >= $3 AND seen.day < $2 AND seen.kind = 'DESTINATION'
      GROUP BY device.family, seen.value`),
    period,
  );
  await tx.query(
    counted(`INSERT INTO habit (client_id, for_day, kind, family, value, sims)
     SELECT $1::int4, $2::date, 'TRAFFIC', device.family, '', count(DISTINCT used.sim_id)::int4
       FROM usage_sim_day used JOIN device ON device.client_id = used.client_id AND device.sim_id = used.sim_id
      WHERE used.client_id = $1 AND device.client_id = $1 AND used.day >= $3 AND used.day < $2 AND used.total_bytes > 0
      GROUP BY device.family`),
    period,
  );
}

/** On a cluster INSERT … SELECT needs RETURNING; a client may have a million rows of it, which are counted where they are. */
function counted(insert: string): string {
  return `WITH added AS (${insert} RETURNING 1) SELECT count(*)::int4 AS rows FROM added`;
}
