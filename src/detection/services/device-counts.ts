/** Device by device: how many tried a service in an hour and never got it. Asked only where the counters show enough failures to make it worth the read. */
import type { Transaction } from '../../database/database';
import { addDays, startOfDay, type Day } from '../days';
import type { Service } from './hour-counts';

/** Where a client's devices are looked at: hours of the day, and networks (0: unknown ones) with their countries. */
export interface Look {
  readonly clientId: number;
  readonly day: Day;
  readonly hours: readonly number[];
  readonly networks: readonly { readonly plmn: number; readonly country: string }[];
}

export interface DeviceCount {
  readonly hour: number;
  readonly country: string;
  readonly service: Service;
  readonly dialogues: number;
  readonly successes: number;
  readonly simsTried: number;
  readonly simsFailed: number;
}

interface CountRow {
  hour: number;
  country: string;
  service: Service;
  dialogues: string;
  successes: string;
  tried: number;
  failed: number;
}

/** What a block of ours does to a SIM is no incident. */
const NOT_BLOCKED_BY_US = `sim.block_state NOT IN ('BLOCKING', 'BLOCKED', 'UNBLOCKING')`;

const DAYS_AT_HOME = 7;

/** An open day has no index, so a client's hours and countries are counted in one read. */
const REGISTRATIONS = `
  SELECT sim_id, floor(extract(epoch FROM started_at - $6::timestamptz) / 3600)::int4 AS hour, network.country,
         CASE WHEN origin = 1 THEN 'VOICE_SMS' ELSE 'DATA' END AS service, count(*) AS dialogues, count(*) FILTER (WHERE outcome = 1) AS successes,
         CASE WHEN bool_or(procedure IN (2, 3)) THEN bool_or(procedure IN (2, 3) AND outcome = 1) ELSE bool_or(outcome = 1) END AS got_in
    FROM dialogue JOIN unnest($3::int4[], $4::text[]) AS network (plmn, country) ON network.plmn = coalesce(dialogue.plmn, 0)
   WHERE client_id = $1 AND day = $2 AND procedure IN (1, 2, 3) AND origin IN (1, 2, 3)
   GROUP BY 1, 2, 3, 4`;
const MAP_DIALOGUES = `
  SELECT sim_id, floor(extract(epoch FROM started_at - $6::timestamptz) / 3600)::int4 AS hour, network.country,
         'MAP' AS service, count(*) AS dialogues, count(*) FILTER (WHERE outcome = 1) AS successes, true AS got_in
    FROM dialogue JOIN unnest($3::int4[], $4::text[]) AS network (plmn, country) ON network.plmn = coalesce(dialogue.plmn, 0)
   WHERE client_id = $1 AND day = $2 AND protocol = 1
   GROUP BY 1, 2, 3, 4`;

/**
 * A device failed where no location update of it succeeded, or where it never came to one, no authentication. Codes: telemetry/dialogue-codes.ts
 * (protocol 1 MAP; procedure 1 SAI, 2 UL, 3 UL_GPRS; origin 1 VLR, 2 SGSN, 3 MME; outcome 1 SUCCESS).
 */
export async function countDevices(tx: Transaction, what: 'REGISTRATIONS' | 'MAP', look: Look): Promise<DeviceCount[]> {
  if (look.hours.length === 0) return [];
  const rows = await tx.query<CountRow>(
    `SELECT hour, country, service, sum(dialogues)::int8 AS dialogues, sum(successes)::int8 AS successes, count(*)::int4 AS tried,
            (count(*) FILTER (WHERE NOT got_in))::int4 AS failed
       FROM (${what === 'MAP' ? MAP_DIALOGUES : REGISTRATIONS}) AS device
       JOIN sim ON sim.client_id = $1 AND sim.sim_id = device.sim_id AND ${NOT_BLOCKED_BY_US}
      WHERE hour = ANY($5::int4[]) GROUP BY hour, country, service`,
    [
      look.clientId,
      look.day,
      look.networks.map(({ plmn }) => plmn),
      look.networks.map(({ country }) => country),
      look.hours,
      new Date(startOfDay(look.day)),
    ],
  );
  return rows.map(({ tried, failed, dialogues, successes, ...row }) => ({
    ...row,
    dialogues: Number(dialogues),
    successes: Number(successes),
    simsTried: tried,
    simsFailed: failed,
  }));
}

/** The client's SIMs that have business in each of the networks' countries: seen there in the 7 days before, or on the day. */
export async function countProvisioned(tx: Transaction, { clientId, day, networks }: Look): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.query<{ country: string; sims: number }>(
    `SELECT country, count(*)::int4 AS sims FROM (
       SELECT sim_id, country FROM sim_feature_day WHERE client_id = $1 AND day >= $5 AND day < $2 AND country = ANY($4::text[])
       UNION SELECT sim_id, network.country FROM dialogue JOIN unnest($3::int4[], $4::text[]) AS network (plmn, country)
         ON network.plmn = coalesce(dialogue.plmn, 0) WHERE client_id = $1 AND day = $2) AS seen
       JOIN sim ON sim.client_id = $1 AND sim.sim_id = seen.sim_id AND ${NOT_BLOCKED_BY_US}
      GROUP BY country`,
    [clientId, day, networks.map(({ plmn }) => plmn), networks.map(({ country }) => country), addDays(day, -DAYS_AT_HOME)],
  );
  return new Map(rows.map(({ country, sims }) => [country, sims]));
}
