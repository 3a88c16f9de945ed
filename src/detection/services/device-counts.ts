/** Device by device: how many tried a service in an hour and never got it. Asked only where the counters show enough failures to make it worth the read. */
import type { Transaction } from '../../database/database';
import { addDays, startOfDay, type Day } from '../days';
import type { Service } from './hour-counts';

/** Where a client's devices are looked at: hours of the day, and networks (0: unknown ones) with their countries. */
export interface Look {
  readonly clientId: number;
  readonly hours: readonly number[];
  readonly networks: readonly { readonly plmn: number; readonly country: string }[];
}

export interface DeviceCount {
  readonly clientId: number;
  readonly hour: number;
  readonly country: string;
  readonly service: Service;
  readonly dialogues: number;
  readonly successes: number;
  readonly simsTried: number;
  readonly simsFailed: number;
}

interface CountRow {
  client_id: number;
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

/** An open day has no index: the hours and countries of all clients that are looked at are counted in one read. */
const LOOKED_AT = `dialogue
    JOIN unnest($3::int4[], $4::int4[], $5::text[]) AS network (client_id, plmn, country)
      ON network.client_id = dialogue.client_id AND network.plmn = coalesce(dialogue.plmn, 0)`;
const IN_HOURS = `
    JOIN unnest($6::int4[], $7::int4[]) AS looked (client_id, hour)
      ON looked.client_id = dialogue.client_id AND looked.hour = floor(extract(epoch FROM started_at - $8::timestamptz) / 3600)::int4`;
const REGISTRATIONS = `
  SELECT dialogue.client_id, sim_id, looked.hour, network.country, CASE WHEN origin = 1 THEN 'VOICE_SMS' ELSE 'DATA' END AS service,
         count(*) AS dialogues, count(*) FILTER (WHERE outcome = 1) AS successes,
         CASE WHEN bool_or(procedure IN (2, 3)) THEN bool_or(procedure IN (2, 3) AND outcome = 1) ELSE bool_or(outcome = 1) END AS got_in
    FROM ${LOOKED_AT} ${IN_HOURS}
   WHERE dialogue.client_id = ANY($1::int4[]) AND day = $2 AND procedure IN (1, 2, 3) AND origin IN (1, 2, 3)
   GROUP BY 1, 2, 3, 4, 5`;
const MAP_DIALOGUES = `
  SELECT dialogue.client_id, sim_id, looked.hour, network.country, 'MAP' AS service, count(*) AS dialogues,
         count(*) FILTER (WHERE outcome = 1) AS successes, true AS got_in
    FROM ${LOOKED_AT} ${IN_HOURS}
   WHERE dialogue.client_id = ANY($1::int4[]) AND day = $2 AND protocol = 1
   GROUP BY 1, 2, 3, 4, 5`;

/**
 * A device failed where no location update of it succeeded, or where it never came to one, no authentication. Codes: telemetry/dialogue-codes.ts
 * (protocol 1 MAP; procedure 1 SAI, 2 UL, 3 UL_GPRS; origin 1 VLR, 2 SGSN, 3 MME; outcome 1 SUCCESS).
 */
export async function countDevices(
  tx: Transaction,
  what: 'REGISTRATIONS' | 'MAP',
  day: Day,
  looks: readonly Look[],
): Promise<DeviceCount[]> {
  if (looks.length === 0) return [];
  const hours = looks.flatMap((look) => look.hours.map((hour) => ({ clientId: look.clientId, hour })));
  const rows = await tx.query<CountRow>(
    `SELECT device.client_id, hour, country, service, sum(dialogues)::int8 AS dialogues, sum(successes)::int8 AS successes,
            count(*)::int4 AS tried, (count(*) FILTER (WHERE NOT got_in))::int4 AS failed
       FROM (${what === 'MAP' ? MAP_DIALOGUES : REGISTRATIONS}) AS device
       JOIN sim ON sim.client_id = device.client_id AND sim.sim_id = device.sim_id AND ${NOT_BLOCKED_BY_US}
      GROUP BY device.client_id, hour, country, service`,
    [...whereOf(day, looks), hours.map(({ clientId }) => clientId), hours.map(({ hour }) => hour), new Date(startOfDay(day))],
  );
  return rows.map(({ client_id: clientId, tried, failed, dialogues, successes, ...row }) => ({
    ...row,
    clientId,
    dialogues: Number(dialogues),
    successes: Number(successes),
    simsTried: tried,
    simsFailed: failed,
  }));
}

/** By client and country: the client's SIMs that have business there, in the 7 days before or on the day in one of the networks. */
export async function countProvisioned(tx: Transaction, day: Day, looks: readonly Look[]): Promise<ReadonlyMap<string, number>> {
  if (looks.length === 0) return new Map();
  const rows = await tx.query<{ client_id: number; country: string; sims: number }>(
    `SELECT seen.client_id, country, count(*)::int4 AS sims FROM (
       SELECT row.client_id, sim_id, row.country FROM sim_feature_day AS row
         JOIN (SELECT DISTINCT client_id, country FROM unnest($3::int4[], $5::text[]) AS network (client_id, country)) AS looked
           ON looked.client_id = row.client_id AND looked.country = row.country
        WHERE row.client_id = ANY($1::int4[]) AND day >= $6 AND day < $2
       UNION SELECT dialogue.client_id, sim_id, network.country FROM ${LOOKED_AT}
        WHERE dialogue.client_id = ANY($1::int4[]) AND day = $2) AS seen
       JOIN sim ON sim.client_id = seen.client_id AND sim.sim_id = seen.sim_id AND ${NOT_BLOCKED_BY_US}
      GROUP BY seen.client_id, country`,
    [...whereOf(day, looks), addDays(day, -DAYS_AT_HOME)],
  );
  return new Map(rows.map(({ client_id: clientId, country, sims }) => [`${clientId} ${country}`, sims]));
}

/** Parameters 1 to 5: clients, the day, and each one's networks with their countries. */
function whereOf(day: Day, looks: readonly Look[]): [number[], Day, number[], number[], string[]] {
  const networks = looks.flatMap((look) => look.networks.map((network) => ({ clientId: look.clientId, ...network })));
  return [
    looks.map(({ clientId }) => clientId),
    day,
    networks.map(({ clientId }) => clientId),
    networks.map(({ plmn }) => plmn),
    networks.map(({ country }) => country),
  ];
}
