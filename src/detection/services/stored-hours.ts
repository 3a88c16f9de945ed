/** Judged hours as they are kept: what the next look compares the counters with, and what the platform as a whole is added up from. */
import type { Transaction } from '../../database/database';
import { endOfDay, HOUR_MILLISECONDS, startOfDay, type Day } from '../days';
import type { HourCount, Service } from './hour-counts';

/** Country of the rows that stand for the whole platform. */
export const PLATFORM = '';

export interface ServiceHour extends HourCount {
  /** Dialogues that the counters held when it was made, those of SIMs that we blocked included. */
  readonly counted: number;
  /** null where too little failed to be worth counting device by device, and for MAP. */
  readonly simsTried: number | null;
  readonly simsFailed: number | null;
  readonly simsProvisioned: number | null;
}

interface HourRow {
  hour: Date;
  country: string;
  service: Service;
  counted: string;
  dialogues: string;
  successes: string;
  sims_tried: number | null;
  sims_failed: number | null;
  sims_provisioned: number | null;
}

export async function readServiceHours(tx: Transaction, clientId: number, day: Day): Promise<ServiceHour[]> {
  const rows = await tx.query<HourRow>(
    `SELECT hour, country, service, counted, dialogues, successes, sims_tried, sims_failed, sims_provisioned FROM service_hour
      WHERE client_id = $1 AND hour >= $2 AND hour < $3 ORDER BY hour, country, service`,
    [clientId, new Date(startOfDay(day)), new Date(endOfDay(day))],
  );
  return rows.map((row) => serviceHour(row, day));
}

/** The platform's hours of a day: every client's added up. */
export async function addUpPlatform(tx: Transaction, day: Day): Promise<ServiceHour[]> {
  const rows = await tx.query<HourRow>(
    `SELECT hour, '' AS country, service, sum(counted)::int8 AS counted, sum(dialogues)::int8 AS dialogues, sum(successes)::int8 AS successes,
            coalesce(sum(sims_tried), 0)::int4 AS sims_tried, coalesce(sum(sims_failed), 0)::int4 AS sims_failed, NULL::int4 AS sims_provisioned
       FROM service_hour WHERE client_id > 0 AND hour >= $1 AND hour < $2 GROUP BY hour, service ORDER BY hour, service`,
    [new Date(startOfDay(day)), new Date(endOfDay(day))],
  );
  return rows.map((row) => serviceHour(row, day));
}

/** Subscriptions that may use a service, of all clients. */
export async function countActiveSims(tx: Transaction): Promise<number> {
  const [row] = await tx.query<{ sims: number }>(`SELECT count(*)::int4 AS sims FROM sim WHERE client_id > 0 AND lifecycle = 'ACTIVE'`);
  return row!.sims;
}

export async function writeServiceHours(tx: Transaction, clientId: number, day: Day, hours: readonly ServiceHour[]): Promise<void> {
  if (hours.length === 0) return;
  await tx.query(
    `INSERT INTO service_hour (client_id, hour, country, service, counted, dialogues, successes, sims_tried, sims_failed, sims_provisioned)
     SELECT $1::int4, * FROM unnest($2::timestamptz[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[], $8::int4[], $9::int4[], $10::int4[])
     ON CONFLICT (client_id, hour, country, service) DO UPDATE SET counted = EXCLUDED.counted, dialogues = EXCLUDED.dialogues,
       successes = EXCLUDED.successes, sims_tried = EXCLUDED.sims_tried, sims_failed = EXCLUDED.sims_failed,
       sims_provisioned = EXCLUDED.sims_provisioned
     RETURNING service`,
    [
      clientId,
      hours.map(({ hour }) => new Date(startOfDay(day) + hour * HOUR_MILLISECONDS)),
      hours.map(({ country }) => country),
      hours.map(({ service }) => service),
      hours.map(({ counted }) => String(counted)),
      hours.map(({ dialogues }) => String(dialogues)),
      hours.map(({ successes }) => String(successes)),
      hours.map(({ simsTried }) => simsTried),
      hours.map(({ simsFailed }) => simsFailed),
      hours.map(({ simsProvisioned }) => simsProvisioned),
    ],
  );
}

function serviceHour(row: HourRow, day: Day): ServiceHour {
  return {
    hour: Math.round((row.hour.getTime() - startOfDay(day)) / HOUR_MILLISECONDS),
    country: row.country,
    service: row.service,
    counted: Number(row.counted),
    dialogues: Number(row.dialogues),
    successes: Number(row.successes),
    simsTried: row.sims_tried,
    simsFailed: row.sims_failed,
    simsProvisioned: row.sims_provisioned,
  };
}
